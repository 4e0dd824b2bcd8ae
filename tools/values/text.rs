//! Texts, counts and flags, in all the forms in which clients and 7digital write them.

use std::fmt;

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
