//! The parameters of an operation, and its result.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::demo;
use crate::document::{Envelope, Node};
use crate::refusal::Refusal;
use crate::request::{Pairs, find_in_any_case};

/// One call of an operation whose signature was checked.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) parameters: &'a Pairs,
    /// The user that the call acts for; empty where only the consumer signed.
    pub(crate) user_id: String,
    /// The last segment of the path, where that is an `{id}`.
    pub(crate) id: &'a str,
    pub(crate) now: DateTime<Utc>,
    /// Where the sandbox listens: `http://127.0.0.1:PORT`.
    pub(crate) origin: &'a str,
    pub(crate) operation: &'static str,
}

/// A success.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) payload: Node,
    pub(crate) envelope: Envelope,
    /// The value of a `Location` header.
    pub(crate) location: Option<String>,
}

impl Call<'_> {
    /// A parameter that may be absent; an empty one counts as absent. Case does not matter.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        find_in_any_case(self.parameters, name).filter(|value| !value.is_empty())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.optional(name).ok_or_else(|| Refusal::missing(name))
    }

    /// A whole number, if it is given.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let parse = |value: &str| value.parse().map_err(|_| Refusal::invalid(name, value));
        self.optional(name).map(parse).transpose()
    }

    /// An amount of money in major units, such as `7.99`, in minor units.
    pub(crate) fn money(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let parse = |value: &str| minor_units(value).ok_or_else(|| Refusal::invalid(name, value));
        self.optional(name).map(parse).transpose()
    }

    /// The user that a consumer's call is about: its `userId`, or else the token's user.
    pub(crate) fn subject(&self) -> Result<&str, Refusal> {
        let of_token = Some(self.user_id.as_str()).filter(|id| !id.is_empty());
        match (self.user_id_parameter()?, of_token) {
            (Some(named), Some(own)) if named != own => Err(Refusal::denied()),
            (Some(id), _) | (None, Some(id)) => Ok(id),
            (None, None) => Err(Refusal::missing("userId")),
        }
    }

    /// The `userId`: up to 255 characters without space or control characters.
    pub(crate) fn user_id_parameter(&self) -> Result<Option<&str>, Refusal> {
        let is_unfit = |char: char| char.is_control() || char.is_whitespace();
        let is_bad = |id: &str| id.len() > 255 || id.contains(is_unfit);
        match self.optional("userId") {
            Some(id) if is_bad(id) => Err(Refusal::invalid("userId", id)),
            id => Ok(id),
        }
    }

    /// The country of the call. A `shopId` will do instead: the sandbox's one shop is British.
    pub(crate) fn country(&self) -> Result<String, Refusal> {
        match (self.optional("country"), self.number("shopId")?) {
            (Some(country), _)
                if country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic()) =>
            {
                Ok(country.to_ascii_uppercase())
            }
            (Some(country), _) => Err(Refusal::invalid("country", country)),
            (None, Some(_)) => Ok(demo::COUNTRY.to_owned()),
            (None, None) => Err(Refusal::missing("country")),
        }
    }
}

impl Answer {
    pub(crate) fn new(payload: Node) -> Self {
        Self {
            payload,
            envelope: Envelope::Full,
            location: None,
        }
    }
}

/// A point in time as 7digital writes it: `2026-08-05T10:54:35Z`.
pub(crate) fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `7.99` as 799: digits, then at most two decimals.
fn minor_units(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "00"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 2 || whole.len() > 9 {
        return None;
    }
    format!("{whole}{fraction:0<2}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_at_most_two_decimals_and_no_sign() {
        for (text, amount) in [("7.99", 799), ("7.9", 790), ("7", 700), ("0.00", 0)] {
            assert_eq!(minor_units(text), Some(amount), "{text}");
        }
        for text in ["0.999", "-1", "1,000", "", ".5", "5.", "1e3"] {
            assert_eq!(minor_units(text), None, "{text}");
        }
    }
}
