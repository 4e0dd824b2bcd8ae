//! 7digital's numeric error codes: what each one means, and whether a repeat can succeed.

use Repeat::{AfterChange, Later};

/// What one of 7digital's numeric codes means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Meaning {
    /// What happened, as the middle of a sentence.
    pub what: &'static str,
    /// What to do about it, as a sentence. When to repeat the call is `repeat`, and no part of it.
    pub advice: &'static str,
    /// When the call may be repeated.
    pub repeat: Repeat,
}

/// When the same call may be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// After the arguments, the account or the settings were changed.
    AfterChange,
    /// Later, as it is.
    Later,
}

/// 7digital's 7xxx and 9xxx: something broke on its side, at an unknown point.
pub fn is_remote_fault(code: u32) -> bool {
    !(1000..7000).contains(&code)
}

/// Every code that is documented, in order, with its meaning.
///
/// ```
/// let mut all = sevendigital::error_code::documented();
/// assert!(all.any(|(code, meaning)| code == 3001 && meaning.what.contains("expired")));
/// ```
pub fn documented() -> impl Iterator<Item = (u32, Meaning)> {
    CODES.iter().map(|(code, ..)| (*code, meaning(*code)))
}

/// The meaning of a numeric code; an unknown one gets the meaning of its thousands.
///
/// ```
/// use sevendigital::{Repeat, error_code::meaning};
///
/// assert_eq!(meaning(3001).what, "the user's card has expired");
/// assert_eq!(meaning(7999).repeat, Repeat::Later);
/// ```
pub fn meaning(code: u32) -> Meaning {
    let (what, advice, repeat) = CODES
        .iter()
        .find(|(known, ..)| *known == code)
        .or_else(|| FAMILIES.iter().find(|(family, ..)| *family == code / 1000))
        .map_or(FALLBACK, |(_, what, advice, repeat)| {
            (*what, *advice, *repeat)
        });
    Meaning {
        what,
        advice,
        repeat,
    }
}

/// Code, what happened, what to do, and when to repeat.
///
/// Sources: 7digital's schema (`ErrorCode.cs`), its stub, and the MassiveMusic reference.
/// 3017 and 3107 are one code: 7digital's schema writes the one, its stub the other.
#[rustfmt::skip]
const CODES: &[(u32, &str, &str, Repeat)] = &[
    (1001, "a required parameter is missing", "Add the parameter that 7digital names.", AfterChange),
    (1002, "a parameter's value is not valid", "Correct the parameter that 7digital names.", AfterChange),
    (1003, "a parameter is out of the allowed range", "Choose a value inside the range, such as a `pageSize` of 1 to 50.", AfterChange),
    (1006, "a parameter is not one of the allowed values", "Choose one of the documented values.", AfterChange),
    (1008, "some items of the request had errors", "Correct the items that 7digital names.", AfterChange),
    (2001, "what the request names was not found", "Check the id, and that it belongs to this user.", AfterChange),
    (2002, "this is not available here", "Check `country`: the item may not be sold there, or the account may lack the right.", AfterChange),
    (2003, "this already exists", "Use the existing account, or another id or e-mail address.", AfterChange),
    (3001, "the user's card has expired", "Register or select another card, then buy again.", AfterChange),
    (3002, "the user has no payment card", "Register a card and select it, then buy again.", AfterChange),
    (3003, "the payment failed", "Check the card, or select another one.", AfterChange),
    (3004, "the price given is not the store's price", "Look up the current price, show it to the user, and pass that.", AfterChange),
    (3005, "purchases are not permitted from the card's country", "Select a card of the shop's country.", AfterChange),
    (3012, "the voucher was not applied", "Check the voucher.", AfterChange),
    (3017, "the transaction was already refunded", "Nothing more is to be done.", AfterChange),
    (3100, "the payment provider could not be reached", "If it goes on, ask 7digital.", Later),
    (3101, "the payment failed at the provider", "Check the card, or select another one.", AfterChange),
    (3102, "the payment was declined", "Select another card, or ask the card's bank.", AfterChange),
    (3103, "the card could not be added", "Start a new registration and enter the card again.", AfterChange),
    (3104, "the card was declined", "Register another card.", AfterChange),
    (3105, "the refund is not allowed", "Ask 7digital.", AfterChange),
    (3106, "the refund was declined", "Ask 7digital.", AfterChange),
    (3107, "the transaction was already refunded", "Nothing more is to be done.", AfterChange),
    (7001, "7digital could not carry out the action", "If it goes on, ask 7digital.", Later),
    (7002, "7digital's application is misconfigured", "Ask 7digital.", Later),
    (7003, "7digital's operation timed out", "If it goes on, ask 7digital.", Later),
    (7102, "the refund failed", "Ask 7digital.", AfterChange),
    (9001, "7digital had an unexpected internal error", "If it goes on, ask 7digital.", Later),
];

/// The thousands of an unknown code, which 7digital's own clients read in the same way.
#[rustfmt::skip]
const FAMILIES: &[(u32, &str, &str, Repeat)] = &[
    (1, "the request's parameters are missing or wrong", "Correct the parameter that 7digital names.", AfterChange),
    (2, "what the request names is not there for this user", "Check ids and `country`.", AfterChange),
    (3, "the card or the payment was refused", "Check the user's cards.", AfterChange),
];

/// What neither table knows is a fault on 7digital's side.
const FALLBACK: (&str, &str, Repeat) = (
    "7digital had a fault of its own",
    "If it goes on, ask 7digital.",
    Later,
);
