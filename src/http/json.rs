//! JSON from clients: not deeper and wider than is of any use, and without a name that is given twice, of which two readers could take two different ones.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How deep and wide a document may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Levels of nesting.
    pub depth: usize,
    /// Keys in one object.
    pub keys: usize,
}

/// Every level of a document.
pub const WHOLE: usize = usize::MAX;

/// Checks a document, and keeps the values of so many `levels` of it: of 1 a scalar, or an empty list or object in place of a full one.
///
/// The error is the end of a sentence, and shows nothing of the document but the place.
pub fn read(bytes: &[u8], limits: Limits, levels: usize) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let depth = limits.depth;
    let reader = Reader {
        limits,
        depth,
        levels,
    };
    let document = reader.deserialize(&mut deserializer);
    let document = document.and_then(|document| deserializer.end().map(|()| document));
    document.map_err(|error| error.to_string())
}

/// Reads one value, with so much depth left, and so many levels to keep.
#[derive(Clone, Copy)]
struct Reader {
    limits: Limits,
    depth: usize,
    levels: usize,
}

impl Reader {
    fn below<E: Error>(self) -> Result<Self, E> {
        let most = self.limits.depth;
        let too_deep = || E::custom(format!("it is nested more than {most} levels deep"));
        Ok(Self {
            depth: self.depth.checked_sub(1).ok_or_else(too_deep)?,
            levels: self.levels.saturating_sub(1),
            ..self
        })
    }

    fn keep(self, value: impl Into<Value>) -> Value {
        if self.levels == 0 {
            Value::Null
        } else {
            value.into()
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(self.keep(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(self.keep(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(self.keep(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(self.keep(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(self.keep(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            if below.levels > 0 {
                list.push(item);
            }
        }
        Ok(self.keep(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut object = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if object.contains_key(&name) {
                let why = format!("a field is given twice: {}", shown(&name));
                return Err(A::Error::custom(why));
            }
            if object.len() == self.limits.keys {
                let why = format!("an object has more than {} fields", self.limits.keys);
                return Err(A::Error::custom(why));
            }
            object.insert(name, fields.next_value_seed(below)?);
        }
        if below.levels == 0 {
            object.clear();
        }
        Ok(self.keep(object))
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
    use serde_json::json;

    use super::*;

    const LIMITS: Limits = Limits { depth: 3, keys: 2 };

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
            match read(text.as_bytes(), LIMITS, WHOLE) {
                Ok(value) => assert_eq!((value, error), (serde_json::from_str(text).unwrap(), "")),
                Err(why) => assert!(!error.is_empty() && why.contains(error), "{text}: {why}"),
            }
        }
        let deep = read("[".repeat(200_000).as_bytes(), LIMITS, WHOLE);
        assert!(deep.unwrap_err().contains("levels deep"));
        let garbled = read(b"\"\xff\"", LIMITS, WHOLE);
        assert_eq!(garbled.unwrap_err(), "it is not UTF-8");
    }

    #[test]
    fn of_what_is_not_kept_only_the_shape_stays() {
        let text = br#"{"id":1,"params":{"name":"a","arguments":{"b":[1]},"list":[1]}}"#;
        let limits = Limits { depth: 9, keys: 9 };
        let whole = serde_json::from_slice(text).unwrap();
        let three = json!({"id": 1, "params": {"name": "a", "arguments": {}, "list": []}});
        for (levels, kept) in [
            (WHOLE, whole),
            (3, three),
            (2, json!({"id": 1, "params": {}})),
            (1, json!({})),
        ] {
            assert_eq!(read(text, limits, levels), Ok(kept), "{levels}");
        }
    }
}
