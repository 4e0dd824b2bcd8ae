//! Texts and counts, in all the forms in which clients and 7digital write them.

use schemars::JsonSchema;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::coercion::whole;

/// A text. Numbers and booleans are taken as they are written: 7digital sends `"id": 4617` as JSON and `id="4617"` as XML.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(extend("x-kind" = "text"))]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Object(element) => text_beside_attributes(element),
            Value::Null | Value::Array(_) => None,
        };
        text.map(Self)
            .ok_or_else(|| D::Error::custom("expected a text"))
    }
}

/// The text, which may be empty, of an XML element that has attributes where none is known.
fn text_beside_attributes(mut element: Map<String, Value>) -> Option<String> {
    if !element.values().all(Value::is_string) {
        return None;
    }
    match element.remove("_") {
        Some(Value::String(text)) => Some(text),
        _ => Some(String::new()),
    }
}

/// A count: a whole number, also where it comes as a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Count(pub i64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?.0;
        let text = text.trim();
        // `2.0` is how some clients write 2.
        let float = || whole(text.parse().ok())?.as_i64();
        let number = text.parse().ok().or_else(float).map(Self);
        number.ok_or_else(|| D::Error::custom("expected a whole number"))
    }
}
