//! What a request held that may come back in its answer: values as they were sent, and credentials, which must not reach a result.

use std::borrow::Cow;

use memchr::memmem;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::credentials::Secret;
use crate::json::insert;
use crate::text::{cleaned, is_plain, is_web_address};
use crate::xml::unescaped;

/// Shorter ones would be found in texts that only look like them.
const MIN_CREDENTIAL: usize = 6;
/// How many times over a text may be encoded and is still read.
const MAX_ROUNDS: usize = 4;
/// What stands in the place of a credential.
const REDACTED: &str = "[redacted]";

/// What a request held that may come back in its answer.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// Values of parameters in which something is invisible: they come back as they were sent.
    pub values: Vec<String>,
    /// The consumer key. 7digital's own download addresses hold it, so it stays in web addresses.
    pub consumer_key: Option<Secret>,
    /// The access token, the signature of this very request, and a user's password.
    pub credentials: Vec<Secret>,
}

impl Sent {
    /// Replaces the request's credentials in a document, in every spelling that decodes to them: percent-encoded, by entities, by JSON's escapes or with invisible characters in them, several times over.
    ///
    /// A text that holds one in another spelling is replaced as a whole, a web address too: such a link is a key to the account, and 7digital's own download links hold none of these.
    /// `body` is what the document was read from: where it holds none of them and nothing encoded, there is nothing to do.
    pub(crate) fn redact_all(&self, body: &str, fields: &mut Map<String, Value>) {
        // What XML's parser and JSON's escapes make of the body may hold one that the body does not.
        let plainly = body.starts_with('<') || body.contains('\\') || self.finds(body, false);
        if plainly || is_encoded(body) {
            self.redact_fields(fields, plainly);
        }
    }

    /// A text without the request's credentials.
    pub(crate) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redact_text(text, true)
    }

    /// The same, for a text that may hold one `plainly`, or only in another spelling.
    fn redact_text<'a>(&self, text: &'a str, plainly: bool) -> Cow<'a, str> {
        if !plainly && !is_encoded(text) {
            return text.into();
        }
        let in_address = is_web_address(text);
        let mut shown = Cow::Borrowed(text);
        if plainly && self.finds(text, in_address) {
            for credential in self.needles(in_address) {
                shown = Cow::Owned(shown.replace(credential, REDACTED));
            }
        }
        let mut read = shown.clone();
        for _ in 0..MAX_ROUNDS {
            let decoded = decoded(&read);
            if decoded == read {
                break;
            }
            if self.finds(&decoded, in_address) {
                return Cow::Owned(REDACTED.to_owned());
            }
            read = Cow::Owned(decoded.into_owned());
        }
        shown
    }

    fn needles(&self, in_address: bool) -> impl Iterator<Item = &str> {
        let key = self.consumer_key.iter().filter(move |_| !in_address);
        let all = key.chain(&self.credentials).map(Secret::expose);
        all.filter(|credential| credential.len() >= MIN_CREDENTIAL)
    }

    fn finds(&self, text: &str, in_address: bool) -> bool {
        self.needles(in_address)
            .any(|credential| memmem::find(text.as_bytes(), credential.as_bytes()).is_some())
    }

    fn redact_fields(&self, fields: &mut Map<String, Value>, plainly: bool) {
        let is_redacted = |name: &String| matches!(self.redact_text(name, plainly), Cow::Owned(_));
        if fields.keys().any(is_redacted) {
            for (name, value) in std::mem::take(fields) {
                let name = self.redact_text(&name, plainly).into_owned();
                insert(fields, name, value);
            }
        }
        for value in fields.values_mut() {
            self.redact_value(value, plainly);
        }
    }

    fn redact_value(&self, value: &mut Value, plainly: bool) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(redacted) = self.redact_text(text, plainly) {
                    *text = redacted;
                }
            }
            Value::Number(number) if plainly && self.finds(&number.to_string(), false) => {
                *value = REDACTED.into();
            }
            Value::Array(all) => {
                for value in all {
                    self.redact_value(value, plainly);
                }
            }
            Value::Object(fields) => self.redact_fields(fields, plainly),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Whether something in a text may stand for something else, or for nothing.
fn is_encoded(text: &str) -> bool {
    let is_escape = |byte: u8| matches!(byte, b'%' | b'&' | b'\\');
    // Nearly all texts end here, after one look at each byte.
    let ordinary = |byte: u8| (b' '..0x7f).contains(&byte) && !is_escape(byte);
    !text.bytes().all(ordinary) && (text.bytes().any(is_escape) || !is_plain(text))
}

/// A text with one layer of encoding taken off.
fn decoded(text: &str) -> Cow<'_, str> {
    let text = if text.contains('%') {
        percent_decode_str(text).decode_utf8_lossy()
    } else {
        text.into()
    };
    let text = then(text, unescaped);
    let text = then(text, without_escapes);
    then(text, cleaned)
}

/// What becomes of a text, where anything does.
fn then(text: Cow<'_, str>, decode: impl Fn(&str) -> Cow<'_, str>) -> Cow<'_, str> {
    match decode(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(decoded) => Cow::Owned(decoded),
    }
}

/// A text with JSON's escapes read: also one that is a piece of JSON, or broken.
fn without_escapes(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut parts = text.split('\\');
    let mut read = parts.next().unwrap_or_default().to_owned();
    while let Some(part) = parts.next() {
        let code = part.strip_prefix('u').and_then(|rest| rest.get(..4));
        let character = code.and_then(|code| u32::from_str_radix(code, 16).ok());
        match character.and_then(char::from_u32) {
            Some(character) => {
                read.push(character);
                read.push_str(part.get(5..).unwrap_or_default());
            }
            // A backslash that was escaped itself.
            None if part.is_empty() => {
                read.push('\\');
                read.push_str(parts.next().unwrap_or_default());
            }
            None => read.push_str(part),
        }
    }
    read.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn credentials_are_found_in_every_spelling_and_other_texts_stay() {
        let sent = Sent {
            consumer_key: Some("7d4vr6cgb392".into()),
            credentials: vec!["tok+en/12==".into(), "sign+ature=".into()],
            ..Sent::default()
        };
        for (text, expected) in [
            (
                "the token tok+en/12== is wrong",
                "the token [redacted] is wrong",
            ),
            ("key 7d4vr6cgb392", "key [redacted]"),
            ("tok%2Ben%2F12%3D%3D", "[redacted]"),
            ("tok%252ben%252f12%253d%253d", "[redacted]"),
            ("tok&#43;en&#x2F;12&equals;&equals;", "[redacted]"),
            ("tok\\u002ben\\/12==", "[redacted]"),
            ("x?oauth_signature=sign%2Bature%3D", "[redacted]"),
            ("key 7d4vr6\u{200b}cgb392", "[redacted]"),
            (r#"{"token": "tok\u002ben\/12=="}"#, "[redacted]"),
            (r#"{\"token\": \"tok\\u002ben\\/12==\"}"#, "[redacted]"),
            (r"C:\new \u12 \", r"C:\new \u12 \"),
            (
                "https://media.example/a?oauth_consumer_key=7d4vr6cgb392&x=1%2B",
                "https://media.example/a?oauth_consumer_key=7d4vr6cgb392&x=1%2B",
            ),
            (
                "https://media.example/a?t=tok%2Ben%2F12%3D%3D",
                "[redacted]",
            ),
            ("100% & more \\ less", "100% & more \\ less"),
        ] {
            assert_eq!(sent.redact(text), expected, "{text}");
        }
        let mut document = json!({"7d4vr6cgb392": {"list": ["a", "7d4vr6cgb392"]}});
        let body = document.to_string();
        sent.redact_all(&body, document.as_object_mut().unwrap());
        let mut encoded =
            json!({"a": "t=tok%2Ben%2F12%3D%3D", "b": "7d4vr6cgb392&s=sign%2Bature%3D"});
        let body = encoded.to_string();
        sent.redact_all(&body, encoded.as_object_mut().unwrap());
        assert_eq!(encoded, json!({"a": "[redacted]", "b": "[redacted]"}));
        assert_eq!(
            document,
            json!({"[redacted]": {"list": ["a", "[redacted]"]}})
        );
    }
}
