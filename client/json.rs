//! JSON as 7digital, or what stands before it, writes it: read into one tree in which nothing is lost.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use crate::error::Unreadable;

/// Values in one document at most.
const MAX_VALUES: usize = 250_000;

/// An integer of fewer digits fits 64 bits.
const MAX_DIGITS: usize = 18;

/// Reads an object. Integers of more than 64 bits become texts of their digits, and half of a surrogate pair becomes U+FFFD.
pub(crate) fn parse(text: &str) -> Result<Map<String, Value>, Unreadable> {
    let text = mended(text);
    let tree = Tree::default();
    let mut reader = serde_json::Deserializer::from_str(&text);
    let read = tree.deserialize(&mut reader);
    let value = read.and_then(|value| reader.end().map(|()| value));
    match value {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Unreadable::NotAnObject),
        Err(_) if tree.values.get() > MAX_VALUES => Err(Unreadable::TooManyValues),
        Err(error) => Err(Unreadable::Json {
            line: error.line(),
            column: error.column(),
        }),
    }
}

/// Reads a tree, and counts its values.
#[derive(Default)]
struct Tree {
    values: Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for &Tree {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.values.set(self.values.get() + 1);
        if self.values.get() > MAX_VALUES {
            return Err(D::Error::custom("too many values"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &Tree {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            all.push(item);
        }
        Ok(all.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = entries.next_key()? {
            let value = entries.next_value_seed(self)?;
            insert(&mut fields, name, value);
        }
        Ok(fields.into())
    }
}

/// Inserts a field. A name that comes again makes a list, so that nothing is lost.
pub(crate) fn insert(fields: &mut Map<String, Value>, name: String, value: Value) {
    match fields.entry(name) {
        Entry::Vacant(place) => {
            place.insert(value);
        }
        Entry::Occupied(mut place) => match place.get_mut() {
            Value::Array(all) => all.push(value),
            first => *first = Value::Array(vec![first.take(), value]),
        },
    }
}

/// Whether there may be something to mend: an escaped unit of UTF-16, or a long row of digits.
fn may_need_mending(text: &str) -> bool {
    let bytes = text.as_bytes();
    // A longer row of digits has one at one of these places.
    let mut places = (MAX_DIGITS..bytes.len()).step_by(MAX_DIGITS + 1);
    let long_row = places.any(|at| digits_around(bytes, at) > MAX_DIGITS);
    long_row || text.contains("\\u")
}

fn digits_around(bytes: &[u8], at: usize) -> usize {
    let (before, after) = bytes.split_at(at);
    let digits = |byte: &&u8| byte.is_ascii_digit();
    before.iter().rev().take_while(digits).count() + after.iter().take_while(digits).count()
}

/// The same text, with integers of more than 64 bits in quotation marks, and U+FFFD for each half of a surrogate pair.
fn mended(text: &str) -> Cow<'_, str> {
    if !may_need_mending(text) {
        return text.into();
    }
    let bytes = text.as_bytes();
    // Where the text was copied up to, with what was mended.
    let (mut mended, mut copied) = (String::new(), 0);
    let mut replace = |from: usize, to: usize, with: &str| {
        mended.push_str(text.get(copied..from).unwrap_or_default());
        mended.push_str(with);
        copied = to;
    };
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = mend_text(bytes, at + 1, &mut replace),
            b'0'..=b'9' => {
                let number = at..number_end(bytes, at);
                let digits = bytes.get(number.clone()).unwrap_or_default();
                let negative = at > 0 && bytes.get(at - 1) == Some(&b'-');
                if digits.len() > MAX_DIGITS && digits.iter().all(u8::is_ascii_digit) {
                    let start = at - usize::from(negative);
                    let integer = text.get(start..number.end).unwrap_or_default();
                    if integer.parse::<i64>().is_err() && integer.parse::<u64>().is_err() {
                        replace(start, number.end, &format!("\"{integer}\""));
                    }
                }
                at = number.end;
            }
            _ => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(mended)
}

fn number_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let is_part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
    start + rest.iter().take_while(is_part).count()
}

/// Mends the text that begins here; gives where it ends, behind its quotation mark.
fn mend_text(bytes: &[u8], start: usize, replace: &mut impl FnMut(usize, usize, &str)) -> usize {
    let mut at = start;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(next) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) else {
            return bytes.len();
        };
        at += next;
        if bytes.get(at) == Some(&b'"') {
            return at + 1;
        }
        match (unit(bytes, at), unit(bytes, at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => at += 12,
            (Some(0xd800..=0xdfff), _) => {
                replace(at, at + 6, "\\ufffd");
                at += 6;
            }
            _ => at += 2,
        }
    }
}

/// The UTF-16 unit that is escaped here.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let digits = std::str::from_utf8(digits).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_is_lost_of_what_json_can_say() {
        for (text, expected) in [
            (
                r#"{"a": [1, -2, 0.5, true, null, "b"]}"#,
                json!({"a": [1, -2, 0.5, true, null, "b"]}),
            ),
            (r#"{"a": 1, "a": 2, "a": [3]}"#, json!({"a": [1, 2, [3]]})),
            (r#"{"a": {"b": 1, "b": 1}}"#, json!({"a": {"b": [1, 1]}})),
            (r#"{"a": 18446744073709551615}"#, json!({"a": u64::MAX})),
            (
                r#"{"a": 18446744073709551616}"#,
                json!({"a": "18446744073709551616"}),
            ),
            (
                r#"{"a":[-9223372036854775808,-9223372036854775809]}"#,
                json!({"a": [i64::MIN, "-9223372036854775809"]}),
            ),
            (
                r#"{"a": "123456789012345678901234567890"}"#,
                json!({"a": "123456789012345678901234567890"}),
            ),
            (
                r#"{"a": 123456789012345678901234567890.5}"#,
                json!({"a": 1.234_567_890_123_456_8e29}),
            ),
            (
                r#"{"a": "\ud83c\udfb5 \ud83c \udfb5\ud83c"}"#,
                json!({"a": "🎵 \u{fffd} \u{fffd}\u{fffd}"}),
            ),
            (r#"{"\ud83c": "\\ud83c"}"#, json!({"\u{fffd}": "\\ud83c"})),
            (r#"{"a\"b": "é\""}"#, json!({"a\"b": "é\""})),
        ] {
            let read = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(Value::Object(read), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_object_of_json_is_an_error() {
        for text in [
            "",
            "{",
            "{\"a",
            "{\"a\\",
            "{\"a\": \"\\ud8\"}",
            "{} {}",
            "{\"a\": 1e999}",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse("[1]").err(), Some(Unreadable::NotAnObject));
    }
}
