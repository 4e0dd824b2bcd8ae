//! The area `account`: whether 7digital accepts the key and the user, by two reads.

use sevendigital::{Client, Error};
use sevendigital_tools::ToolError;
use sevendigital_tools::lookup::{check_consumer, check_user};

use super::context::Context;
use super::finding::{Check, Finding, skipped};
use crate::config::Config;
use crate::problem::{Denial, Problem};

/// What is looked at here.
pub(super) const CHECKS: &[Check] = &[KEY, SIGNATURE, LOGIN, READ];

const KEY: Check = Check {
    id: "account.key",
    expected: "A consumer key and its secret are set.",
    why: "Every request names the key, and a call for a user is signed with its secret.",
};
const SIGNATURE: Check = Check {
    id: "account.signature",
    expected: "7digital accepts the signature.",
    why: "A secret that does not belong to its key makes every signature wrong.",
};
/// Whether there is a user. A failure of this alone ends with an exit code of its own.
pub(super) const LOGIN: Check = Check {
    id: "account.login",
    expected: "There is a user to act for, and 7digital accepts the token.",
    why: "Lockers, payment cards and purchases are a user's.",
};
const READ: Check = Check {
    id: "account.read",
    expected: "A read of the user's account is answered.",
    why: "7digital grants operations by contract, and may have withdrawn some for this key.",
};

const LOG_IN: &str = "Type `sevendigital-mcp login`. With a key that manages users of its own, set `SEVENDIGITAL_USER_ID`, or pass `userId` with each call.";

/// Looks at the account.
pub(super) async fn examine(context: &Context<'_>) -> Vec<Finding> {
    let Ok(config) = context.loaded else {
        return skipped(CHECKS, "The settings can't be read.");
    };
    let (key, user) = (key(config), config.has_user());
    let skip = |why: &str| {
        let login = if user { LOGIN.skip(why) } else { no_user() };
        vec![key.clone(), SIGNATURE.skip(why), login, READ.skip(why)]
    };
    if config.consumer_key.is_none() {
        return skip("There is no key.");
    }
    let client = match context.client() {
        Ok((_, client)) => client,
        Err(why) => return skip(&why),
    };
    if context.probe(&client).await.answered.is_err() {
        return skip("7digital does not answer: see `network`.");
    }
    let mut found = vec![key.clone()];
    found.extend(asked(config, &client, user).await);
    found
}

fn key(config: &Config) -> Finding {
    match (&config.consumer_key, &config.consumer_secret) {
        (Some(_), Some(_)) => KEY.pass("Key and secret are set."),
        (Some(_), None) => KEY.warn(
            "The key has no secret, so requests are sent unsigned, and none for a user.",
            "Set `SEVENDIGITAL_CONSUMER_SECRET`, or `consumer_secret` in the configuration file.",
        ),
        (None, _) => KEY.fail(
            "No consumer key is set, so every call fails.",
            "Set `SEVENDIGITAL_CONSUMER_KEY` and `SEVENDIGITAL_CONSUMER_SECRET`, or `consumer_key` and `consumer_secret` in the configuration file; or try it without a key by `--sandbox`.",
        ),
    }
}

fn no_user() -> Finding {
    LOGIN.fail("Nobody is logged in, and no `user_id` is set.", LOG_IN)
}

/// Asks 7digital, as the consumer and then for the user.
async fn asked(config: &Config, client: &Client, has_user: bool) -> [Finding; 3] {
    let consumer = check_consumer(client).await;
    let signature = match consumer {
        Ok(()) if config.consumer_secret.is_none() => {
            SIGNATURE.skip("Requests are not signed, since there is no secret.")
        }
        Ok(()) => SIGNATURE.pass("7digital accepts the signature."),
        Err(error) => explained(&SIGNATURE, error),
    };
    if !has_user {
        let why = "There is no user to read for.";
        return [signature, no_user(), READ.skip(why)];
    }
    match check_user(client).await {
        Ok(()) => [
            signature,
            LOGIN.pass("7digital accepts the user."),
            READ.pass("The user's locker was read."),
        ],
        Err(error) => match denial(&error) {
            Some(Denial::Token) => {
                let login = explained(&LOGIN, error);
                [signature, login, READ.skip("The user is not accepted.")]
            }
            // The secret of the token has a part in it, which the first read did not use.
            Some(Denial::Signature | Denial::Clock(_) | Denial::Time) => {
                let why = "The signature is not accepted.";
                let signature = explained(&SIGNATURE, error);
                [signature, LOGIN.skip(why), READ.skip(why)]
            }
            _ => {
                let login = LOGIN.undetermined("The read did not come so far.", "");
                [signature, login, explained(&READ, error)]
            }
        },
    }
}

fn denial(error: &ToolError) -> Option<Denial> {
    match error {
        ToolError::Client(Error::Unauthorised {
            message,
            clock_ahead,
        }) => Some(Denial::of(message, *clock_ahead)),
        _ => None,
    }
}

/// A failure in the words that a call would get. What will pass by itself leaves the question open.
fn explained(check: &'static Check, error: ToolError) -> Finding {
    let is_passing = matches!(
        error,
        ToolError::Client(
            Error::NotSent(_)
                | Error::CircuitOpen { .. }
                | Error::Throttled { .. }
                | Error::Unavailable { .. }
                | Error::Interrupted(_)
        )
    );
    let problem = Problem::from(error);
    let quote = problem.upstream_message.as_ref();
    let quote = quote.map(|words| format!(" 7digital's words: \"{words}\"."));
    let code = problem.code.map(|code| format!(" Code {code}."));
    let what = [
        problem.what.clone(),
        code.unwrap_or_default(),
        quote.unwrap_or_default(),
    ];
    if is_passing {
        check.undetermined(what.concat(), "Try again in a minute.")
    } else {
        check.fail(what.concat(), &problem.advice)
    }
}
