//! Ids, addresses and codes: texts that are checked once, when they are read.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use iso_country::Country as IsoCountry;
use iso_currency::{Country as IsoCurrencyCountry, Currency as IsoCurrency};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sevendigital::Secret;

use super::text::Text;

/// An identifier of 7digital's: 1 to 128 letters, digits, `.`, `_`, `:` or `-`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Text")]
#[schemars(with = "String", extend("maxLength" = 128, "x-kind" = "id"))]
pub struct Id(String);

/// An ISO 3166-1 alpha-2 country code, in capitals.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Text")]
#[schemars(with = "String", extend("maxLength" = 2))]
pub struct Country(String);

/// An ISO 4217 currency code, in capitals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Text")]
#[schemars(with = "String", extend("maxLength" = 3))]
pub struct Currency(String);

/// An e-mail address of at most 254 characters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Text")]
#[schemars(with = "String", extend("maxLength" = 254, "x-kind" = "address"))]
pub struct Email(String);

/// The id of a user: 1 to 255 characters, chosen by the partner or by 7digital.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Text")]
#[schemars(with = "String", extend("maxLength" = 255, "x-kind" = "id"))]
pub struct UserId(String);

/// A password. It is sent to 7digital, never printed, and not serialized.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(from = "Text")]
#[schemars(with = "String", extend("x-kind" = "password"))]
pub struct Password(Secret);

impl Id {
    /// The id as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether 7digital names the same by this text.
    pub fn is(&self, other: &str) -> bool {
        self.canonical() == Self(other.trim().to_owned()).canonical()
    }

    /// The one form of all spellings that 7digital compares as equal: numbers without leading zeros and `.0`, GUIDs in small letters with hyphens.
    pub fn canonical(&self) -> String {
        if let Ok(guid) = uuid::Uuid::try_parse(&self.0) {
            return guid.to_string();
        }
        let whole = self.0.split_once('.');
        let whole = whole.filter(|(_, rest)| !rest.is_empty() && rest.bytes().all(|c| c == b'0'));
        let whole = whole.map_or(self.0.as_str(), |(whole, _)| whole);
        let is_number = !whole.is_empty() && whole.bytes().all(|digit| digit.is_ascii_digit());
        match whole.trim_start_matches('0') {
            _ if !is_number => self.0.clone(),
            "" => "0".to_owned(),
            number => number.to_owned(),
        }
    }
}

impl Currency {
    /// The codes of the countries' currencies that begin with a text, whatever its case; sorted.
    pub fn beginning_with(start: &str) -> Vec<String> {
        let start = start.trim().to_uppercase();
        let countries = iso_country::data::all().into_iter();
        let countries =
            countries.filter_map(|country| IsoCurrencyCountry::from_str(country.alpha2).ok());
        let currencies = countries.flat_map(IsoCurrency::from_country);
        // Those with a flag are of funds and the like.
        let currencies = currencies.filter(|currency| currency.flags().is_empty());
        let codes: BTreeSet<&str> = currencies.map(|currency| currency.code()).collect();
        let codes = codes.into_iter().filter(|code| code.starts_with(&start));
        codes.map(str::to_owned).collect()
    }

    /// The three letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Country {
    /// The two letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The codes of countries whose code or name begins with a text, whatever its case; in the order of the codes.
    pub fn beginning_with(start: &str) -> Vec<String> {
        let start = start.trim().to_uppercase();
        let all = iso_country::data::all().into_iter();
        let found = all.filter(|country| {
            IsoCountry::from_str(country.alpha2).is_ok()
                && (country.alpha2.starts_with(&start)
                    || country.name.to_uppercase().starts_with(&start))
        });
        let mut codes: Vec<String> = found.map(|country| country.alpha2.to_owned()).collect();
        codes.sort_unstable();
        codes
    }

    /// The code that is most likely meant by a text that is none: by another code, or by a country's name.
    pub fn meant_by(text: &str) -> Option<&'static str> {
        /// What people write for a country that ISO 3166-1 calls otherwise: reserved codes, languages, short names.
        const USUAL: [(&str, &str); 12] = [
            ("UK", "GB"),
            ("EN", "GB"),
            ("ENGLAND", "GB"),
            ("BRITAIN", "GB"),
            ("GREAT BRITAIN", "GB"),
            ("UNITED KINGDOM", "GB"),
            ("EL", "GR"),
            ("JA", "JP"),
            ("KO", "KR"),
            ("CS", "CZ"),
            ("DA", "DK"),
            ("UNITED STATES", "US"),
        ];
        let text = text.trim().to_uppercase();
        let usual = USUAL.iter().find(|(written, _)| *written == text);
        usual.map(|(_, code)| *code).or_else(|| {
            let mut all = iso_country::data::all().into_iter();
            all.find(|known| known.alpha3 == text || known.name.to_uppercase() == text)
                .map(|known| known.alpha2)
        })
    }
}

impl Email {
    /// The address as it was given, without blanks around it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Password {
    /// The password itself, for sending only.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl UserId {
    /// The id made for a new user of a partner: the same for the same address, so that a call made twice makes one user.
    ///
    /// It does not show the address, whose spelling in capitals makes no difference.
    pub fn from_email(consumer_key: &str, email: &Email) -> Self {
        let partner = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, consumer_key.as_bytes());
        Self(uuid::Uuid::new_v5(&partner, email.0.to_lowercase().as_bytes()).to_string())
    }
}

impl From<UserId> for String {
    fn from(UserId(id): UserId) -> Self {
        id
    }
}

impl From<Text> for Password {
    fn from(Text(text): Text) -> Self {
        Self(text.into())
    }
}

impl TryFrom<Text> for Id {
    type Error = &'static str;
    fn try_from(Text(text): Text) -> Result<Self, Self::Error> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
        if (1..=128).contains(&text.len()) && text.chars().all(allowed) {
            Ok(Self(text))
        } else {
            Err("expected 1 to 128 letters, digits, `-`, `_`, `.` or `:`")
        }
    }
}

impl TryFrom<Text> for Country {
    type Error = String;
    fn try_from(text: Text) -> Result<Self, Self::Error> {
        // The user-assigned ones from XA on are in use beside the standard: XK for Kosovo, XW for a shop of the whole world.
        let is_known = |code: &String| {
            (code.starts_with('X') && code != "XX") || IsoCountry::from_str(code).is_ok()
        };
        letters(&text, 2).filter(is_known).map(Self).ok_or_else(|| {
            let expected = "expected a country as two letters (ISO 3166-1 alpha-2), such as GB";
            match Self::meant_by(&text.0) {
                Some(code) => format!("{expected}; did you mean {code}?"),
                None => expected.to_owned(),
            }
        })
    }
}

impl TryFrom<Text> for Currency {
    type Error = &'static str;
    fn try_from(text: Text) -> Result<Self, Self::Error> {
        let expected = "expected a currency as three letters (ISO 4217), such as GBP";
        letters(&text, 3).map(Self).ok_or(expected)
    }
}

impl TryFrom<Text> for Email {
    type Error = &'static str;
    fn try_from(Text(text): Text) -> Result<Self, Self::Error> {
        let text = text.trim();
        let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
        let (name, host) = text.split_once('@').unwrap_or_default();
        if plain && text.len() <= 254 && !name.is_empty() && !host.is_empty() {
            Ok(Self(text.to_owned()))
        } else {
            Err("expected an e-mail address of at most 254 characters, such as jane@example.com")
        }
    }
}

impl TryFrom<Text> for UserId {
    type Error = &'static str;
    fn try_from(Text(text): Text) -> Result<Self, Self::Error> {
        let length = text.chars().count();
        if (1..=255).contains(&length) && !text.chars().any(char::is_control) {
            Ok(Self(text))
        } else {
            Err("expected a user id of 1 to 255 characters")
        }
    }
}

/// A code of that many letters, in capitals.
fn letters(Text(text): &Text, length: usize) -> Option<String> {
    let code = text.trim().to_ascii_uppercase();
    let is_code = code.len() == length && code.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_code.then_some(code)
}
