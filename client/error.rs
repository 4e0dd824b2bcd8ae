//! What can go wrong between us and 7digital, and whether the call may have taken effect all the same.

use std::time::Duration;

/// Why there is no document.
///
/// No variant holds a URL, a signature or a body; 7digital's own words are cleaned and at most 200 characters long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No consumer key is known, so there is nothing to sign or send with.
    #[error("no consumer key is set")]
    NoConsumerKey,
    /// A parameter that must not be sent; nothing was.
    #[error("{name}: {problem}")]
    Input {
        /// The parameter, as the caller named it.
        name: String,
        /// What was expected of it.
        problem: String,
    },
    /// 7digital could not be reached; nothing was sent.
    #[error("7digital could not be reached: {0}")]
    NotSent(&'static str),
    /// 7digital failed too often just now, so that reads wait until it has had a rest; nothing was sent.
    #[error("7digital has been failing, so reads are held back")]
    HeldBack {
        /// How long to wait before the next one: whole seconds, rounded up, at least one.
        wait: Duration,
    },
    /// 7digital's error envelope: the operation was understood and not carried out.
    #[error("7digital refused the request (code {code})")]
    Refused {
        /// 7digital's numeric code.
        code: u32,
        /// 7digital's words.
        message: String,
    },
    /// 7digital did not accept the signature, the token, or the key's rights.
    #[error("7digital did not authorise the request")]
    Unauthorised {
        /// 7digital's words.
        message: String,
        /// Seconds by which our clock is ahead of 7digital's, where that is more than two minutes.
        clock_ahead: Option<i64>,
    },
    /// 7digital asks for fewer requests.
    #[error("7digital's rate limit is reached")]
    Throttled {
        /// How long it asks to wait.
        wait: Option<Duration>,
    },
    /// 7digital answered with a server error that is not one of its envelopes.
    #[error("7digital is unavailable (HTTP {status})")]
    Unavailable {
        /// HTTP status, 500 to 599.
        status: u16,
        /// How long it asks to wait.
        wait: Option<Duration>,
    },
    /// 7digital answered, but not in a way that can be trusted.
    #[error("7digital's answer could not be read: {0}")]
    Unreadable(String),
    /// The request went out and the connection broke or fell silent before an answer was complete.
    #[error("7digital did not finish its answer: {0}")]
    Interrupted(Interruption),
}

/// How an answer ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Interruption {
    /// The connection was reset or closed.
    #[error("the connection broke")]
    Broke,
    /// Nothing came for longer than an answer may pause.
    #[error("it fell silent")]
    Silent,
    /// The time for a whole call was up.
    #[error("it took too long")]
    TooLong,
}

/// Whether a call that failed may have taken effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Nothing reached 7digital.
    No,
    /// 7digital said no.
    Refused,
    /// It was sent, and no trustworthy answer came back.
    Unknown,
}

/// When the same call may be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// After the arguments, the account or the settings were changed.
    AfterChange,
    /// Later, as it is.
    Later,
}

impl Error {
    /// A parameter that must not be sent.
    pub fn input(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Input {
            name: name.into(),
            problem: problem.into(),
        }
    }

    /// Whether the call may have taken effect.
    pub fn sent(&self) -> Sent {
        match self {
            Self::NoConsumerKey | Self::Input { .. } | Self::NotSent(_) | Self::HeldBack { .. } => {
                Sent::No
            }
            Self::Refused { code, .. } if is_remote_fault(*code) => Sent::Unknown,
            Self::Refused { .. } | Self::Unauthorised { .. } | Self::Throttled { .. } => {
                Sent::Refused
            }
            Self::Unavailable { .. } | Self::Unreadable(_) | Self::Interrupted(_) => Sent::Unknown,
        }
    }
}

/// 7digital's 7xxx and 9xxx: something broke on its side, at an unknown point.
pub fn is_remote_fault(code: u32) -> bool {
    !(1000..7000).contains(&code)
}

/// What one of 7digital's numeric codes means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// What happened, as the middle of a sentence.
    pub what: &'static str,
    /// What to do about it.
    pub advice: &'static str,
    /// When the call may be repeated.
    pub repeat: Repeat,
}

/// 7digital's codes: what each says happened, and what to do.
///
/// Sources: 7digital's schema (`ErrorCode.cs`), its stub, and the MassiveMusic reference.
/// 3017 and 3107 are one code: 7digital's schema writes the one, its stub the other.
const CODES: &[(u32, &str, &str, Repeat)] = &[
    (
        1001,
        "a required parameter is missing",
        "Add the parameter that 7digital names.",
        Repeat::AfterChange,
    ),
    (
        1002,
        "a parameter's value is not valid",
        "Correct the parameter that 7digital names.",
        Repeat::AfterChange,
    ),
    (
        1003,
        "a parameter is out of the allowed range",
        "Choose a value inside the range, such as a `pageSize` of 1 to 50.",
        Repeat::AfterChange,
    ),
    (
        1006,
        "a parameter is not one of the allowed values",
        "Choose one of the documented values.",
        Repeat::AfterChange,
    ),
    (
        1008,
        "some items of the request had errors",
        "Correct the items that 7digital names.",
        Repeat::AfterChange,
    ),
    (
        2001,
        "what the request names was not found",
        "Check the id, and that it belongs to this user.",
        Repeat::AfterChange,
    ),
    (
        2002,
        "this is not available here",
        "Check `country`: the item may not be sold there, or the account may lack the right.",
        Repeat::AfterChange,
    ),
    (
        2003,
        "this already exists",
        "Use the existing account, or another id or e-mail address.",
        Repeat::AfterChange,
    ),
    (
        3001,
        "the user's card has expired",
        "Register or select another card, then buy again.",
        Repeat::AfterChange,
    ),
    (
        3002,
        "the user has no payment card",
        "Register a card with `register-user-payment-card` and select it, then buy again.",
        Repeat::AfterChange,
    ),
    (
        3003,
        "the payment failed",
        "Check the card, or select another one.",
        Repeat::AfterChange,
    ),
    (
        3004,
        "the price given is not the store's price",
        "Look up the current price, show it to the user, and pass that.",
        Repeat::AfterChange,
    ),
    (
        3005,
        "purchases are not permitted from the card's country",
        "Select a card of the shop's country.",
        Repeat::AfterChange,
    ),
    (
        3012,
        "the voucher was not applied",
        "Check the voucher.",
        Repeat::AfterChange,
    ),
    (
        3017,
        "the transaction was already refunded",
        "Nothing more is to be done.",
        Repeat::AfterChange,
    ),
    (
        3100,
        "the payment provider could not be reached",
        "Wait a few minutes before trying again.",
        Repeat::Later,
    ),
    (
        3101,
        "the payment failed at the provider",
        "Check the card, or select another one.",
        Repeat::AfterChange,
    ),
    (
        3102,
        "the payment was declined",
        "Select another card, or ask the card's bank.",
        Repeat::AfterChange,
    ),
    (
        3103,
        "the card could not be added",
        "Start a new registration and enter the card again.",
        Repeat::AfterChange,
    ),
    (
        3104,
        "the card was declined",
        "Register another card.",
        Repeat::AfterChange,
    ),
    (
        3105,
        "the refund is not allowed",
        "Ask 7digital.",
        Repeat::AfterChange,
    ),
    (
        3106,
        "the refund was declined",
        "Ask 7digital.",
        Repeat::AfterChange,
    ),
    (
        3107,
        "the transaction was already refunded",
        "Nothing more is to be done.",
        Repeat::AfterChange,
    ),
    (
        7001,
        "7digital could not carry out the action",
        "Try again later, or ask 7digital.",
        Repeat::Later,
    ),
    (
        7002,
        "7digital's application is misconfigured",
        "Ask 7digital.",
        Repeat::Later,
    ),
    (
        7003,
        "7digital's operation timed out",
        "Try again in a minute.",
        Repeat::Later,
    ),
    (
        7102,
        "the refund failed",
        "Ask 7digital.",
        Repeat::AfterChange,
    ),
    (
        9001,
        "7digital had an unexpected internal error",
        "Try again later.",
        Repeat::Later,
    ),
];

/// What the thousands of an unknown code say: 7digital's clients all read them so.
const FAMILIES: &[(u32, &str, &str, Repeat)] = &[
    (
        1,
        "the request's parameters are missing or wrong",
        "Correct the parameter that 7digital names.",
        Repeat::AfterChange,
    ),
    (
        2,
        "what the request names is not there for this user",
        "Check ids and `country`.",
        Repeat::AfterChange,
    ),
    (
        3,
        "the card or the payment was refused",
        "Check the user's cards.",
        Repeat::AfterChange,
    ),
];

/// The meaning of a numeric code; an unknown one gets its family's.
pub fn meaning(code: u32) -> Meaning {
    let row = CODES.iter().find(|(known, ..)| *known == code).or_else(|| {
        FAMILIES
            .iter()
            .find(|(thousands, ..)| *thousands == code / 1000)
    });
    let (what, advice, repeat) = match row {
        Some((_, what, advice, repeat)) => (*what, *advice, *repeat),
        None => (
            "7digital had a fault of its own",
            "Try again later, or ask 7digital.",
            Repeat::Later,
        ),
    };
    Meaning {
        what,
        advice,
        repeat,
    }
}
