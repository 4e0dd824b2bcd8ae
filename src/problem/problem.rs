//! Failures told so that a model or a person can act: what happened, what to do, the code, and whether to repeat.

use serde_json::json;
use sevendigital::error_code::{is_remote_fault, meaning};
use sevendigital::{Delivery, Effect, Error, Repeat};
use sevendigital_tools::ToolError;

use super::kind::Kind;
use super::repeats;
use crate::calls::call::Failure;
use crate::http::errors::{Refused, whole_seconds};

/// A failure in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which problem it is.
    pub kind: Kind,
    /// What happened: a sentence.
    pub what: String,
    /// What to do about it: a sentence.
    pub advice: String,
    /// 7digital's numeric code.
    pub code: Option<u32>,
    /// 7digital's own words, cleaned.
    pub said: Option<String>,
    /// Whether the call may have taken effect.
    pub sent: Delivery,
    /// When the same call may be made again.
    pub repeat: Repeat,
}

impl Problem {
    /// The failure of a call with that effect, in one line for a model: no link, no secret, no body.
    pub fn line(&self, effect: Effect) -> String {
        let code = self
            .code
            .map(|code| format!(" Code {code}."))
            .unwrap_or_default();
        let said = self
            .said
            .as_ref()
            .map(|said| format!(" 7digital's words: \"{said}\"."))
            .unwrap_or_default();
        format!(
            "{}{code}{said} {} {}",
            self.what,
            self.advice,
            self.consequence(effect)
        )
    }

    /// The failure of a call with that effect as an HTTP answer, with the same words that a model reads.
    pub fn refused(&self, effect: Effect) -> Refused {
        let unknown = self.sent == Delivery::Unknown && effect != Effect::Reads;
        let outcome = match self.sent {
            Delivery::NotSent => "not_sent",
            Delivery::Rejected => "refused",
            Delivery::Unknown => "unknown",
        };
        let repeat = match self.repeat {
            _ if unknown => "after_check",
            Repeat::AfterChange => "after_change",
            Repeat::Later => "later",
        };
        let code = self.code.map(|code| ("code", json!(code)));
        let known = [
            ("outcome", json!(outcome)),
            (
                "mayHaveCharged",
                json!(unknown && effect == Effect::Charges),
            ),
            ("repeat", json!(repeat)),
        ];
        let known = known.into_iter().chain(code);
        Refused::saying(self.kind, self.line(effect)).telling(known)
    }

    /// What it means for money and for repeating.
    fn consequence(&self, effect: Effect) -> &'static str {
        match (effect, self.sent, self.repeat) {
            (Effect::Charges, Delivery::Unknown, _) => {
                "Money may have been spent: look into the locker (get-user-locker) before buying again; do not repeat the call."
            }
            (Effect::Writes, Delivery::Unknown, _) => {
                "It may have taken effect: check before repeating the call."
            }
            (Effect::Charges, _, Repeat::AfterChange) => {
                "Nothing was charged. The same call would fail again."
            }
            (Effect::Charges, _, Repeat::Later) => {
                "Nothing was charged; the call can safely be repeated later."
            }
            (_, _, Repeat::AfterChange) => "Nothing was changed. The same call would fail again.",
            (_, _, Repeat::Later) => "Nothing was changed; the call can safely be repeated later.",
        }
    }
}

impl From<&Failure> for Problem {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Tool(error) => error.into(),
            Failure::NotAllowed => refused(
                Kind::NotAllowed,
                "This caller may not use this tool.",
                "Use the tools that are listed, or ask the operator for the right to this one.",
            ),
            Failure::NotYours => refused(
                Kind::NotAllowed,
                "This caller may not act for the user whom the call names.",
                "Leave out `userId`, and headers that name a user; the caller's own account is then meant.",
            ),
            Failure::TooOften { what, wait } => Self {
                repeat: Repeat::Later,
                ..refused(
                    Kind::TooOften,
                    &format!("It was not sent: {what} too often in the last minute."),
                    &match whole_seconds(*wait) {
                        1 => "Wait 1 second.".to_owned(),
                        seconds => format!("Wait {seconds} seconds."),
                    },
                )
            },
            Failure::Busy => Self {
                repeat: Repeat::Later,
                ..refused(
                    Kind::Busy,
                    "It was not sent: after the user's yes as many calls are under way as this server takes at once.",
                    "Wait a second and call again; the user is then asked anew.",
                )
            },
            Failure::SpendingOff => refused(
                Kind::SpendingOff,
                "This server does not spend: the setting `spending` is `off`.",
                "Ask the operator to set `spending` (`SEVENDIGITAL_MCP_SPENDING`) to `allow`.",
            ),
            Failure::NotAsked => refused(
                Kind::NotAsked,
                "This call needs the user's yes, and this client can't ask for it: the setting `spending` is `confirm`.",
                "Use a client that supports elicitation, or ask the operator to set `spending` (`SEVENDIGITAL_MCP_SPENDING`) to `allow`.",
            ),
            Failure::Declined => refused(
                Kind::Declined,
                "The user did not say yes, so nothing was sent.",
                "Don't call again unless the user asks for it.",
            ),
            Failure::NotThisYes => refused(
                Kind::ConfirmationInvalid,
                "The confirmation is not valid for this call: it belongs to another call or account, is too old, or was used before.",
                "Call again without it; the user is then asked anew.",
            ),
            Failure::Limit(name, value) => refused(
                Kind::SpendingLimit,
                &format!("The operator's limit `{name}` of {value} is reached."),
                "Wait until it allows more, or ask the operator to raise it.",
            ),
            Failure::PriceUnknown(name) => refused(
                Kind::SpendingLimit,
                &format!(
                    "The operator has set `{name}`, and the price of this call is not known beforehand."
                ),
                "Give the price shown to the user, in minor units, where the tool takes one; 7digital then sells at that price or not at all.",
            ),
            Failure::Unsettled(entry) => repeats::unsettled(entry),
            Failure::Alike(entry) => repeats::alike(entry),
            Failure::Stored(entry) => repeats::stored(entry),
            Failure::KeyReused => refused(
                Kind::KeyReused,
                "This Idempotency-Key was used for a call with other arguments.",
                "Use a new key for each purchase, and the same one only to repeat it.",
            ),
            Failure::Ledger(error) => refused(
                Kind::NoLedger,
                &format!("This purchase can't be written down, so it was not made: {error}."),
                "Ask the operator to mend the state folder (`state_dir`, `SEVENDIGITAL_MCP_STATE_DIR`); reading goes on meanwhile.",
            ),
            Failure::User(problem) => refused(
                Kind::Header,
                &format!("The request's headers don't say clearly for whom it is: {problem}."),
                "Correct the headers and call again.",
            ),
            Failure::Stopping => Self {
                repeat: Repeat::Later,
                ..refused(
                    Kind::Stopping,
                    "This server is stopping.",
                    "Call again once it has been started anew.",
                )
            },
            Failure::Broken => Self {
                kind: Kind::Broken,
                what: "The call broke off inside this server.".into(),
                advice: "Report it to the operator, whose log has the reason.".into(),
                code: None,
                said: None,
                sent: Delivery::Unknown,
                repeat: Repeat::Later,
            },
        }
    }
}

impl From<&ToolError> for Problem {
    fn from(error: &ToolError) -> Self {
        match error {
            ToolError::Input(problem) => refused(
                Kind::Argument,
                &format!("An argument is not right: {problem}."),
                "Correct it and call again.",
            ),
            ToolError::Client(error) => error.into(),
            ToolError::RegistrationFailed { code, message } => {
                let why = code
                    .map(|code| format!(": {}", meaning(code).what))
                    .unwrap_or_default();
                Self {
                    code: *code,
                    said: said(message),
                    ..refused(
                        Kind::Refused,
                        &format!("The card registration failed{why}."),
                        "Start a new one with `register-user-payment-card`; the user enters the card again.",
                    )
                }
            }
        }
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let sent = error.delivery();
        let problem = |what: String, advice: &str, repeat: Repeat| Self {
            kind: kind_of(error),
            what,
            advice: advice.into(),
            code: None,
            said: None,
            sent,
            repeat,
        };
        match error {
            Error::NoConsumerKey => refused(
                Kind::NotConfigured,
                "No 7digital consumer key is set, so nothing can be called.",
                "Set `SEVENDIGITAL_CONSUMER_KEY` and `SEVENDIGITAL_CONSUMER_SECRET` in the server's environment, or start it with `--sandbox` to try it without a key.",
            ),
            Error::Input { name, problem } => refused(
                Kind::Argument,
                &format!("An argument is not right: {name}: {problem}."),
                "Correct it and call again.",
            ),
            Error::NotSent(reason) => problem(
                format!("7digital could not be reached: {reason}."),
                "Check the network and `SEVENDIGITAL_BASE_URI`.",
                Repeat::Later,
            ),
            Error::CircuitOpen { retry_after } => problem(
                "7digital has been failing, so reads are held back for a few seconds.".into(),
                &match retry_after.as_secs() {
                    1 => "Try again in 1 second.".to_owned(),
                    seconds => format!("Try again in {seconds} seconds."),
                },
                Repeat::Later,
            ),
            Error::Rejected { code, message } => {
                let meaning = meaning(*code);
                Self {
                    code: Some(*code),
                    said: said(message),
                    ..problem(
                        format!("7digital refused the request: {}.", meaning.what),
                        advice(*code),
                        meaning.repeat,
                    )
                }
            }
            Error::Unauthorised {
                message,
                clock_ahead,
            } => Self {
                said: said(message),
                ..problem(
                    "7digital did not authorise the request.".into(),
                    &authorisation_advice(message, *clock_ahead),
                    Repeat::AfterChange,
                )
            },
            Error::Throttled { retry_after } => problem(
                "7digital's rate limit is reached.".into(),
                &retry_after.map_or("Wait a while before calling again.".to_owned(), |wait| {
                    format!("Wait {} seconds before calling again.", wait.as_secs())
                }),
                Repeat::Later,
            ),
            Error::Unavailable {
                status,
                retry_after,
            } => problem(
                format!("7digital is unavailable (HTTP {status})."),
                &retry_after.map_or("Try again in a minute.".to_owned(), |wait| {
                    format!("Try again in {} seconds.", wait.as_secs())
                }),
                Repeat::Later,
            ),
            Error::Unreadable(reason) => problem(
                format!("7digital's answer could not be read: {reason}."),
                "Check `SEVENDIGITAL_BASE_URI`; if it is right, 7digital has a fault.",
                Repeat::Later,
            ),
            Error::Interrupted(reason) => problem(
                format!("7digital did not finish its answer: {reason}."),
                "Try again in a minute.",
                Repeat::Later,
            ),
        }
    }
}

pub(super) fn refused(kind: Kind, what: &str, advice: &str) -> Problem {
    Problem {
        kind,
        what: what.into(),
        advice: advice.into(),
        code: None,
        said: None,
        sent: Delivery::NotSent,
        repeat: Repeat::AfterChange,
    }
}

/// What to do about one of 7digital's codes, by the name of the tool that does it.
pub(super) fn advice(code: u32) -> &'static str {
    match code {
        3002 => "Register a card with `register-user-payment-card` and select it, then buy again.",
        _ => meaning(code).advice,
    }
}

fn said(message: &str) -> Option<String> {
    (!message.is_empty()).then(|| message.to_owned())
}

/// Which setting to look at, by the words that 7digital's refusals are known to have.
fn authorisation_advice(message: &str, clock_ahead: Option<i64>) -> String {
    if let Some(seconds) = clock_ahead {
        let direction = if seconds > 0 { "ahead of" } else { "behind" };
        return format!(
            "This machine's clock is {} seconds {direction} 7digital's, and signatures hold a time: correct the clock.",
            seconds.unsigned_abs()
        );
    }
    let message = message.to_ascii_lowercase();
    let advice = if message.contains("access token") || message.contains("user credentials") {
        "Run `sevendigital-mcp login`, or set a user's `SEVENDIGITAL_ACCESS_TOKEN` and `SEVENDIGITAL_ACCESS_TOKEN_SECRET`; for managed users pass `userId` (or set `SEVENDIGITAL_USER_ID`)."
    } else if message.contains("signature") {
        "Check `SEVENDIGITAL_CONSUMER_SECRET` and `SEVENDIGITAL_ACCESS_TOKEN_SECRET`: one of them does not belong to its key."
    } else if message.contains("timestamp") || message.contains("nonce") {
        "Check this machine's clock: signatures hold a time."
    } else if message.contains("not found") {
        "Check `SEVENDIGITAL_BASE_URI`; 7digital may also have withdrawn this operation for your key."
    } else if message.contains("denied") {
        "Check `SEVENDIGITAL_CONSUMER_KEY`, `country` (`SEVENDIGITAL_COUNTRY`), and with 7digital that your key has the right to this operation."
    } else {
        "Check `SEVENDIGITAL_CONSUMER_KEY`, `SEVENDIGITAL_CONSUMER_SECRET` and `SEVENDIGITAL_ACCESS_TOKEN`, `country`, and that your key has the right to this operation."
    };
    advice.to_owned()
}

fn kind_of(error: &Error) -> Kind {
    match error {
        Error::NoConsumerKey => Kind::NotConfigured,
        Error::Input { .. } => Kind::Argument,
        Error::NotSent(_) | Error::CircuitOpen { .. } | Error::Unavailable { .. } => {
            Kind::Unavailable
        }
        Error::Rejected { code, .. } if is_remote_fault(*code) => Kind::BadAnswer,
        Error::Rejected { .. } => Kind::Refused,
        Error::Unauthorised { .. } => Kind::NotAuthorised,
        Error::Throttled { .. } => Kind::Throttled,
        Error::Unreadable(_) => Kind::BadAnswer,
        Error::Interrupted(_) => Kind::Interrupted,
    }
}
