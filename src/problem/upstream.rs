//! Failures of the client and the tools, with advice that names our settings and tools.

use std::time::Duration;

use sevendigital::error_code::{is_remote_fault, meaning};
use sevendigital::{ConnectError, Delivery, Error, Refusal, Repeat, Unreadable};
use sevendigital_tools::ToolError;

use super::kind::Kind;
use super::report::Problem;

impl From<ToolError> for Problem {
    fn from(error: ToolError) -> Self {
        match error {
            ToolError::Input(problem) => argument(&problem),
            ToolError::Client(error) => error.into(),
            ToolError::RegistrationFailed { code, message } => {
                let why = code.map_or_else(String::new, |code| format!(": {}", meaning(code).what));
                let what = format!("The card registration failed{why}.");
                let advice = "Start a new one with `register-user-payment-card`; the user enters the card again.";
                let problem = Self::new(Kind::Refused, what, advice).quoting(code, &message);
                problem.delivered(Delivery::Rejected)
            }
            ToolError::NotAuthenticated => {
                let what = "7digital's answer names no user, so nothing says that the address and the password are right.";
                let problem = Self::new(Kind::Refused, what, "Check both with the user.");
                problem.delivered(Delivery::Rejected)
            }
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let delivery = error.delivery();
        reworded(error).delivered(delivery)
    }
}

fn argument(problem: &dyn std::fmt::Display) -> Problem {
    let what = format!("An argument is not right: {problem}.");
    Problem::new(Kind::Argument, what, "Correct it and call again.")
}

fn reworded(error: Error) -> Problem {
    match error {
        // What makes a dry run reads its draft.
        Error::DryRun(_) => Problem::internal().delivered(Delivery::NotSent),
        Error::NoConsumerKey => Problem::new(
            Kind::NotConfigured,
            "No 7digital consumer key is set, so nothing can be called.",
            "Set `SEVENDIGITAL_CONSUMER_KEY` and `SEVENDIGITAL_CONSUMER_SECRET` in the server's environment, or start it with `--sandbox` to try it without a key.",
        )
        .found_by("settings"),
        Error::Input { name, problem } => argument(&format_args!("{name}: {problem}")),
        Error::NotSent(reason) => {
            let what = format!("7digital could not be reached: {reason}.");
            later(Kind::Unavailable, what, connection_advice(reason), None).found_by("network")
        }
        Error::CircuitOpen { retry_after } => {
            let what = "7digital has been failing, so reads are held back for a few seconds.";
            later(Kind::Unavailable, what, "", Some(retry_after))
        }
        Error::Rejected(refusal) => refused(&refusal),
        Error::Unauthorised {
            message,
            clock_ahead,
        } => {
            let what = "7digital did not authorise the request.";
            let advice = Denial::of(&message, clock_ahead).advice();
            let problem = Problem::new(Kind::NotAuthorised, what, advice);
            problem.quoting(None, &message).found_by("account")
        }
        Error::Throttled { retry_after } => {
            let what = "7digital's rate limit is reached.";
            later(Kind::Throttled, what, "", retry_after)
        }
        Error::Unavailable {
            status,
            retry_after,
        } => {
            let what = format!("7digital is unavailable (HTTP {status}).");
            later(Kind::Unavailable, what, "", retry_after)
        }
        Error::Unreadable(reason) => {
            let what = format!("7digital's answer could not be read: {reason}.");
            unreadable(reason, what)
        }
        Error::TooManyAnswers => {
            let what = "7digital's answer is large, and this server holds as many large answers as it may until their clients take them.";
            later(Kind::Overloaded, what, "", Some(Duration::from_secs(1)))
        }
        Error::Interrupted(reason) => {
            let what = format!("7digital did not finish its answer: {reason}.");
            later(Kind::Interrupted, what, "", None)
        }
    }
}

fn refused(refusal: &Refusal) -> Problem {
    let code = refusal.code;
    let fault = refusal.status >= 500 || code.is_some_and(is_remote_fault);
    let (kind, what) = if fault || refusal.delivery == Delivery::Unknown {
        (Kind::BadAnswer, "7digital reported an error")
    } else {
        (Kind::Refused, "7digital refused the request")
    };
    let meaning = code.map(meaning);
    let why = meaning.map_or_else(String::new, |meaning| format!(": {}", meaning.what));
    let what = format!("{what}{why}.");
    let repeat = match meaning {
        Some(meaning) => meaning.repeat,
        None if fault => Repeat::Later,
        None => Repeat::AfterChange,
    };
    let problem = Problem::new(kind, what, code.map_or("", advice))
        .quoting(code, &refusal.message)
        .repeatable(repeat);
    let wait = refusal.retry_after.filter(|_| repeat == Repeat::Later);
    wait.into_iter().fold(problem, Problem::after)
}

/// What to do where there is no connection.
fn connection_advice(reason: ConnectError) -> &'static str {
    match reason {
        ConnectError::Certificate => {
            "If `SEVENDIGITAL_BASE_URI` is right and a proxy or a test server stands there, let `SSL_CERT_FILE` name a file with its authority's certificate."
        }
        ConnectError::Dns => "Check the host in `SEVENDIGITAL_BASE_URI`, and this machine's DNS.",
        ConnectError::Refused => "Check the host and the port in `SEVENDIGITAL_BASE_URI`.",
        _ => "Check the network and `SEVENDIGITAL_BASE_URI`.",
    }
}

/// An answer that is none of 7digital's is most likely another server's.
fn unreadable(reason: Unreadable, what: String) -> Problem {
    let advice = match reason {
        Unreadable::TooLarge { .. } | Unreadable::TooManyValues => {
            let advice = "Ask for fewer at once: get-user-locker takes a `pageSize`.";
            return Problem::new(Kind::BadAnswer, what, advice);
        }
        Unreadable::HtmlPage
        | Unreadable::PlainText
        | Unreadable::Redirect(_)
        | Unreadable::NotFound(_)
        | Unreadable::NotAnObject
        | Unreadable::Foreign => {
            "Check `SEVENDIGITAL_BASE_URI`; if it is right, 7digital has a fault."
        }
        _ => "7digital has a fault: report it there if it stays.",
    };
    later(Kind::BadAnswer, what, advice, None)
}

/// What can be repeated, after a wait that 7digital may have named.
fn later(
    kind: Kind,
    what: impl Into<String>,
    advice: impl Into<String>,
    wait: Option<Duration>,
) -> Problem {
    let problem = Problem::new(kind, what, advice).repeatable(Repeat::Later);
    wait.into_iter().fold(problem, Problem::after)
}

/// What to do about one of 7digital's codes, by the name of the tool that does it.
pub(super) fn advice(code: u32) -> &'static str {
    match code {
        3002 => "Register a card with `register-user-payment-card` and select it, then buy again.",
        _ => meaning(code).advice,
    }
}

/// What 7digital did not accept of a request, by the words that its refusals are known to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// The time in the signature: this machine's clock is that many seconds ahead of 7digital's.
    Clock(i64),
    /// The user's token, or that there is none.
    Token,
    /// The signature.
    Signature,
    /// The time in the signature, though the clocks agree.
    Time,
    /// The operation.
    Operation,
    /// The key, or its right to the operation.
    Rights,
    /// Something that the words don't tell.
    Unclear,
}

/// Words of 7digital's refusals, in small letters, and what they are about.
const WORDS: [(&str, Denial); 7] = [
    ("access token", Denial::Token),
    ("user credentials", Denial::Token),
    ("signature", Denial::Signature),
    ("timestamp", Denial::Time),
    ("nonce", Denial::Time),
    ("not found", Denial::Operation),
    ("denied", Denial::Rights),
];

impl Denial {
    /// By 7digital's words, and by what its clock says of ours where the two differ.
    pub fn of(message: &str, clock_ahead: Option<i64>) -> Self {
        if let Some(seconds) = clock_ahead {
            return Self::Clock(seconds);
        }
        let message = message.to_ascii_lowercase();
        let known = WORDS.iter().find(|(words, _)| message.contains(words));
        known.map_or(Self::Unclear, |(_, denial)| *denial)
    }

    /// Which setting to look at.
    pub fn advice(self) -> String {
        let advice = match self {
            Self::Clock(seconds) => {
                let direction = if seconds > 0 { "ahead of" } else { "behind" };
                return format!(
                    "This machine's clock is {} seconds {direction} 7digital's, and signatures hold a time: correct the clock.",
                    seconds.unsigned_abs()
                );
            }
            Self::Token => {
                "Run `sevendigital-mcp login`, or set a user's `SEVENDIGITAL_ACCESS_TOKEN` and `SEVENDIGITAL_ACCESS_TOKEN_SECRET`; for managed users pass `userId` (or set `SEVENDIGITAL_USER_ID`)."
            }
            Self::Signature => {
                "Check `SEVENDIGITAL_CONSUMER_SECRET` and `SEVENDIGITAL_ACCESS_TOKEN_SECRET`: one of them does not belong to its key."
            }
            Self::Time => "Check this machine's clock: signatures hold a time.",
            Self::Operation => {
                "Check `SEVENDIGITAL_BASE_URI`; 7digital may also have withdrawn this operation for your key."
            }
            Self::Rights => {
                "Check `SEVENDIGITAL_CONSUMER_KEY`, `country` (`SEVENDIGITAL_COUNTRY`), and with 7digital that your key has the right to this operation."
            }
            Self::Unclear => {
                "Check `SEVENDIGITAL_CONSUMER_KEY`, `SEVENDIGITAL_CONSUMER_SECRET` and `SEVENDIGITAL_ACCESS_TOKEN`, `country`, and that your key has the right to this operation."
            }
        };
        advice.to_owned()
    }
}
