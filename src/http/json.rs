//! JSON from clients: not deeper and wider than is any use, and without a name that is given twice, of which two readers could take two different ones.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How deep and wide a document may be.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Levels of nesting.
    pub depth: usize,
    /// Keys in one object.
    pub keys: usize,
}

/// Reads a document; the error is the end of a sentence, and shows nothing of the document but the place.
pub fn read(bytes: &[u8], bounds: Bounds) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let within = Within {
        bounds,
        left: bounds.depth,
    };
    let document = within.deserialize(&mut deserializer);
    document
        .and_then(|document| deserializer.end().map(|()| document))
        .map_err(|error| error.to_string())
}

/// A value, with so many levels left below.
#[derive(Clone, Copy)]
struct Within {
    bounds: Bounds,
    left: usize,
}

impl Within {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => Err(E::custom(format!(
                "it is nested more than {} levels deep",
                self.bounds.depth
            ))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Within {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let below = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!(
                    "a field is given twice: {}",
                    shown(&name)
                )));
            }
            if object.len() == self.bounds.keys {
                let most = self.bounds.keys;
                return Err(A::Error::custom(format!(
                    "an object has more than {most} fields"
                )));
            }
            object.insert(name, fields.next_value_seed(below)?);
        }
        Ok(object.into())
    }
}

/// A name that a client chose, short and without anything that could pass for our own words.
pub fn shown(name: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "_-.".contains(*c);
    let name: String = name.chars().filter(plain).take(64).collect();
    format!("`{name}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { depth: 3, keys: 2 };

    #[test]
    fn what_is_within_its_bounds_is_read_and_one_step_beyond_is_not() {
        for (text, error) in [
            ("1", ""),
            ("[[[1]]]", ""),
            ("[[[[]]]]", "levels deep"),
            (r#"{"a":{"b":{}}}"#, ""),
            (r#"{"a":{"b":{"c":{}}}}"#, "levels deep"),
            (r#"{"a":1,"b":2}"#, ""),
            (r#"{"a":1,"b":2,"c":3}"#, "more than 2 fields"),
            (r#"{"a":1,"a":2}"#, "twice: `a`"),
            (r#"{"a":1,"\u0061":2}"#, "twice: `a`"),
            ("1 2", "trailing"),
            ("1e999", "out of range"),
            ("", "EOF"),
        ] {
            match read(text.as_bytes(), BOUNDS) {
                Ok(value) => assert_eq!((value, error), (serde_json::from_str(text).unwrap(), "")),
                Err(told) => assert!(!error.is_empty() && told.contains(error), "{text}: {told}"),
            }
        }
        let deep = "[".repeat(200_000);
        assert!(
            read(deep.as_bytes(), BOUNDS)
                .unwrap_err()
                .contains("levels deep")
        );
        assert_eq!(read(b"\"\xff\"", BOUNDS).unwrap_err(), "it is not UTF-8");
    }
}
