//! The kinds of value in arguments and documents. Each parses once, at the edge, into something that can't be wrong.

use std::fmt;
use std::str::FromStr;

use iso_currency::{Country as IsoCountry, Currency as IsoCurrency};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A text. Numbers and booleans are taken as they are written: 7digital sends `"id": 4617` as JSON and `id="4617"` as XML.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }
            fn visit_string<E: de::Error>(self, text: String) -> Result<Text, E> {
                Ok(Text(text))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Text, E> {
                Ok(Text(Value::from(number).to_string()))
            }
            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Text, E> {
                Ok(Text(flag.to_string()))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Text, A::Error> {
                text_beside_attributes(map)
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// An element of XML that has attributes where none is known: its text counts, which may be empty.
fn text_beside_attributes<'de, A: de::MapAccess<'de>>(mut map: A) -> Result<Text, A::Error> {
    let mut text = Text::default();
    while let Some((name, value)) = map.next_entry::<String, Value>()? {
        match (name.as_str(), value) {
            ("_", Value::String(found)) => text = Text(found),
            (_, Value::String(_)) => {}
            _ => return Err(de::Error::custom("expected a text")),
        }
    }
    Ok(text)
}

/// A count: a whole number, also where it comes as a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Count(pub i64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?.0;
        // `2.0` is how some clients write 2.
        let digits = text.trim().strip_suffix(".0").unwrap_or(text.trim());
        digits
            .parse()
            .map(Self)
            .map_err(|_| de::Error::custom("expected a whole number"))
    }
}

/// A yes or no, also where it comes as a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Text::deserialize(deserializer)?.0.trim() {
            "true" | "1" => Ok(Self(true)),
            "false" | "0" => Ok(Self(false)),
            _ => Err(de::Error::custom("expected true or false")),
        }
    }
}

/// An identifier of 7digital's: 1 to 128 letters, digits, `.`, `_`, `:` or `-`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Text")]
#[schemars(with = "String", extend("maxLength" = 128))]
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
#[schemars(with = "String", extend("maxLength" = 254))]
pub struct Email(String);

/// The id of a user: 1 to 255 characters, chosen by the partner or by 7digital.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Text")]
#[schemars(with = "String", extend("maxLength" = 255))]
pub struct UserId(String);

impl Id {
    /// The id as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Currency {
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
}

impl UserId {
    /// The id made for a new user of a partner: the same for the same address, so that a call made twice makes one user.
    ///
    /// It does not show the address, whose spelling in capitals makes no difference.
    pub fn of_partner(consumer_key: &str, email: &Email) -> Self {
        let partner = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, consumer_key.as_bytes());
        Self(uuid::Uuid::new_v5(&partner, email.0.to_lowercase().as_bytes()).to_string())
    }
}

/// A price in minor units (`999` is 9.99 pounds), from 0 to 10,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Text")]
#[schemars(with = "f64", extend("minimum" = 0, "maximum" = 10_000_000))]
pub struct Price(u32);

impl Price {
    /// The most that a price may be, in minor units.
    pub const MAX: u32 = 10_000_000;

    /// The price in minor units.
    pub fn in_minor_units(self) -> u32 {
        self.0
    }

    /// The price for people, such as `9.99 GBP`.
    pub fn shown(self, currency: Option<&Currency>, country: Option<&str>) -> String {
        let amount = self.in_major_units(currency, country);
        match iso_currency(currency, country) {
            Some(currency) => format!("{amount} {}", currency.code()),
            None => amount,
        }
    }

    /// The price in major units as 7digital takes it (`9.99`), by the number of decimals that the currency has.
    ///
    /// The currency is the one given, else that of the country, else one with two decimals.
    pub fn in_major_units(self, currency: Option<&Currency>, country: Option<&str>) -> String {
        let decimals = iso_currency(currency, country)
            .and_then(IsoCurrency::exponent)
            .unwrap_or(2);
        Decimal::new(i64::from(self.0), u32::from(decimals)).to_string()
    }
}

/// The currency that was given, else that of the country.
fn iso_currency(currency: Option<&Currency>, country: Option<&str>) -> Option<IsoCurrency> {
    let given = currency.and_then(|currency| IsoCurrency::from_code(&currency.0));
    given.or_else(|| {
        let country = IsoCountry::from_str(country?).ok()?;
        IsoCurrency::from_country(country)
            .into_iter()
            .find(|currency| currency.flags().is_empty())
    })
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
    type Error = &'static str;
    fn try_from(Text(text): Text) -> Result<Self, Self::Error> {
        match text.trim().to_ascii_uppercase() {
            code if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                Ok(Self(code))
            }
            _ => Err("expected a country as two letters (ISO 3166-1 alpha-2), such as GB"),
        }
    }
}

impl TryFrom<Text> for Currency {
    type Error = &'static str;
    fn try_from(Text(text): Text) -> Result<Self, Self::Error> {
        match text.trim().to_ascii_uppercase() {
            code if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                Ok(Self(code))
            }
            _ => Err("expected a currency as three letters (ISO 4217), such as GBP"),
        }
    }
}

impl TryFrom<Text> for Email {
    type Error = &'static str;
    fn try_from(Text(text): Text) -> Result<Self, Self::Error> {
        let text = text.trim();
        let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
        match text.split_once('@') {
            Some((name, host))
                if plain && text.len() <= 254 && !name.is_empty() && !host.is_empty() =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(
                "expected an e-mail address of at most 254 characters, such as jane@example.com",
            ),
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

impl TryFrom<Text> for Price {
    type Error = &'static str;
    fn try_from(Text(text): Text) -> Result<Self, Self::Error> {
        const EXPECTED: &str = "expected a whole number of minor units from 0 to 10000000: 999 means 9.99, so write 999 and not 9.99";
        let number =
            Decimal::from_str(text.trim()).or_else(|_| Decimal::from_scientific(text.trim()));
        match number {
            Ok(number) if number.fract().is_zero() && number <= Decimal::from(Self::MAX) => {
                u32::try_from(number).map(Self).map_err(|_| EXPECTED)
            }
            _ => Err(EXPECTED),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T: de::DeserializeOwned>(value: Value) -> Result<T, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_price_is_a_whole_number_of_minor_units() {
        for (written, major) in [
            (json!(999), "9.99"),
            (json!("999"), "9.99"),
            (json!(999.0), "9.99"),
            (json!(1e2), "1.00"),
            (json!(0), "0.00"),
            (json!(10_000_000), "100000.00"),
        ] {
            let price: Price =
                read(written.clone()).unwrap_or_else(|error| panic!("{written}: {error}"));
            assert_eq!(price.in_major_units(None, None), major, "{written}");
        }
        for written in [
            json!(9.99),
            json!("9.99"),
            json!(-1),
            json!(10_000_001),
            json!(1e300),
            json!(0.001),
            json!("x"),
            json!(""),
        ] {
            let error = read::<Price>(written.clone()).map(|_| ()).unwrap_err();
            assert!(error.contains("999 means 9.99"), "{written}: {error}");
        }
    }

    #[test]
    fn a_price_has_the_decimals_of_its_currency() {
        let price: Price = read(json!(1234)).unwrap();
        for (currency, country, major) in [
            (None, None, "12.34"),
            (Some("JPY"), None, "1234"),
            (Some("KWD"), Some("GB"), "1.234"),
            (None, Some("JP"), "1234"),
            (None, Some("GB"), "12.34"),
            (None, Some("AQ"), "12.34"),
            (Some("XXX"), None, "12.34"),
        ] {
            let currency: Option<Currency> = currency.map(|code| read(json!(code)).unwrap());
            assert_eq!(price.in_major_units(currency.as_ref(), country), major);
        }
    }

    #[test]
    fn spellings_of_one_value_become_one_value() {
        assert!(read::<Id>(json!(11_700_062)).unwrap() == read::<Id>(json!("11700062")).unwrap());
        assert!(read::<Country>(json!(" gb ")).unwrap() == read::<Country>(json!("GB")).unwrap());
        assert_eq!(read::<Count>(json!("2")), Ok(Count(2)));
        assert_eq!(read::<Count>(json!(2.0)), Ok(Count(2)));
        assert_eq!(read::<Flag>(json!("true")), Ok(Flag(true)));
        assert_eq!(read::<Text>(json!(4617)), Ok(Text("4617".into())));
    }

    #[test]
    fn wrong_values_are_told_what_was_expected() {
        assert!(
            read::<Id>(json!("a/b"))
                .map(|_| ())
                .unwrap_err()
                .contains("letters, digits")
        );
        assert!(
            read::<Country>(json!("GBR"))
                .map(|_| ())
                .unwrap_err()
                .contains("such as GB")
        );
        assert!(
            read::<Email>(json!("jane"))
                .map(|_| ())
                .unwrap_err()
                .contains("e-mail")
        );
        assert!(
            read::<Currency>(json!("£"))
                .map(|_| ())
                .unwrap_err()
                .contains("such as GBP")
        );
        assert!(
            read::<UserId>(json!(""))
                .map(|_| ())
                .unwrap_err()
                .contains("1 to 255")
        );
        assert!(
            read::<Count>(json!("two"))
                .unwrap_err()
                .contains("whole number")
        );
        assert!(
            read::<Flag>(json!("maybe"))
                .unwrap_err()
                .contains("true or false")
        );
    }
}
