//! What comes back: JSON, XML or plain text, made into one document or one error.

use std::fmt;
use std::time::Duration;

use encoding_rs::Encoding;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::xml;

/// Values in one document at most.
const MAX_VALUES: usize = 250_000;
/// Characters of 7digital's own words that are handed on.
const MAX_MESSAGE: usize = 200;

/// An answer as it came off the wire. It is not printed: links that it holds are keys to files.
#[derive(Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The `Content-Type` header.
    pub content_type: String,
    /// How long the `Retry-After` header asks to wait.
    pub wait: Option<Duration>,
    /// Seconds by which our clock is ahead of the `Date` header.
    pub clock_ahead: Option<i64>,
    /// The body.
    pub body: Vec<u8>,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Reply");
        shown.field("status", &self.status);
        shown.field("bytes", &self.body.len());
        shown.finish_non_exhaustive()
    }
}

/// The document in an answer: the payload, with the envelope's `status` and `version` beside it.
///
/// The envelope is read first, whatever the HTTP status: 7digital sends errors with 200 as well as with 4xx and 5xx.
pub fn read(reply: &Reply) -> Result<Map<String, Value>, Error> {
    let text = text(reply);
    if (300..400).contains(&reply.status) {
        return Err(Error::Unreadable(format!(
            "it redirects elsewhere (HTTP {})",
            reply.status
        )));
    }
    let document = match text.as_bytes().first() {
        Some(b'{') => json(&text),
        Some(b'<') => envelope(&text),
        _ => return Err(plain(reply, &text)),
    };
    match document {
        Ok(document) => classify(reply, document),
        // An HTML page behind a 401 or 503 says no more than its status.
        Err(problem) => Err(by_status(reply).unwrap_or(Error::Unreadable(problem))),
    }
}

/// The body as text, without a byte order mark or blanks around it.
pub(crate) fn text(reply: &Reply) -> String {
    let text = decode(reply);
    text.trim_start_matches('\u{feff}').trim().to_owned()
}

/// Removes what a reader can't see and a model could be led by: control, bidirectional and zero-width characters.
pub fn clean(text: &str) -> String {
    text.chars().filter(|c| !is_invisible(*c)).collect()
}

/// Words of 7digital's, fit to be shown: cleaned, on one line, short, without links or OAuth parameters.
pub fn quotable(text: &str) -> String {
    // Tags and what can't be seen go first, so that they can't hide a link; our own quotation marks stay ours.
    let text = text.replace(['<', '>'], "").replace('"', "'");
    let words: Vec<String> = text
        .split_whitespace()
        .map(clean)
        .map(|word| {
            let lower = word.to_ascii_lowercase();
            let hidden = lower.contains("://") || lower.contains("oauth_");
            if hidden { "[removed]".to_owned() } else { word }
        })
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// Whether a reader can't see it, or sees the text around it changed by it. A line break and a tab can be seen.
pub fn is_invisible(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{fe00}'..='\u{fe0e}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{fff0}'..='\u{fff8}')
}

/// The body as text: a byte order mark, then the header's charset, then the XML declaration's, then UTF-8.
///
/// A label that does not fit the bytes is passed over; Windows-1252 fits everything.
fn decode(reply: &Reply) -> String {
    if let Some((encoding, _)) = Encoding::for_bom(&reply.body) {
        return encoding.decode(&reply.body).0.into_owned();
    }
    let head = String::from_utf8_lossy(reply.body.get(..200).unwrap_or(&reply.body)).into_owned();
    let labels = [
        label(&reply.content_type, "charset="),
        head.starts_with("<?xml")
            .then(|| label(&head, "encoding="))
            .flatten(),
    ];
    let encodings = labels.into_iter().flatten().chain([encoding_rs::UTF_8]);
    for encoding in encodings {
        if let Some(text) =
            encoding.decode_without_bom_handling_and_without_replacement(&reply.body)
        {
            return text.into_owned();
        }
    }
    encoding_rs::WINDOWS_1252.decode(&reply.body).0.into_owned()
}

fn label(text: &str, key: &str) -> Option<&'static Encoding> {
    let start = text.to_ascii_lowercase().find(key)? + key.len();
    let rest = text.get(start..)?.trim_start_matches(['"', '\'']);
    let end = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && !"-_:.".contains(c))
        .unwrap_or(rest.len());
    Encoding::for_label(rest.get(..end)?.as_bytes())
}

fn json(text: &str) -> Result<Map<String, Value>, String> {
    if text
        .bytes()
        .filter(|byte| matches!(byte, b',' | b'{' | b'['))
        .count()
        > MAX_VALUES
    {
        return Err("JSON with too many values".into());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(mut document)) => {
            // 7digital's older conversions keep XML's root.
            if let (1, Some(Value::Object(inner))) = (document.len(), document.get_mut("response"))
            {
                document = std::mem::take(inner);
            }
            // XML's noise, and the address of the XSD, which is the JSON twin of `xsi:noNamespaceSchemaLocation`.
            document.retain(|key, value| {
                let schema =
                    key == "schema" && value.as_str().is_some_and(|text| text.contains(".xsd"));
                !(schema || key.starts_with("xmlns") || key.starts_with("xsi:"))
            });
            Ok(document)
        }
        Ok(_) => Err("JSON that is not an object".into()),
        // No more than the place: the parser's own words may show the answer's.
        Err(error) => Err(format!(
            "broken JSON at line {}, column {}",
            error.line(),
            error.column()
        )),
    }
}

fn envelope(text: &str) -> Result<Map<String, Value>, String> {
    match xml::parse(text)? {
        (root, Value::Object(document)) if root == "response" => Ok(document),
        (root, _) if root == "response" => Err("an empty XML answer".into()),
        (root, _) if root.eq_ignore_ascii_case("html") => Err("an HTML page".into()),
        _ => Err("XML that is not a 7digital answer".into()),
    }
}

/// Plain text is never a success: 7digital uses it for OAuth refusals, proxies for the rest.
fn plain(reply: &Reply, text: &str) -> Error {
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("oauth") || ((400..500).contains(&reply.status) && lower.contains("oauth"))
    {
        return unauthorised(reply, text);
    }
    if matches!(reply.status, 401 | 403) && lower.contains("limit") {
        return Error::Throttled { wait: reply.wait };
    }
    if text.is_empty() {
        return by_status(reply).unwrap_or_else(|| Error::Unreadable("it is empty".into()));
    }
    by_status(reply).unwrap_or_else(|| Error::Unreadable("it is plain text".into()))
}

fn unauthorised(reply: &Reply, text: &str) -> Error {
    if text.to_ascii_lowercase().contains("limit") {
        return Error::Throttled { wait: reply.wait };
    }
    let clock_ahead = reply.clock_ahead.filter(|seconds| seconds.abs() > 120);
    Error::Unauthorised {
        message: quotable(text),
        clock_ahead,
    }
}

/// What a status says on its own, where there is no envelope.
pub(crate) fn by_status(reply: &Reply) -> Option<Error> {
    match reply.status {
        429 => Some(Error::Throttled { wait: reply.wait }),
        401 | 403 => Some(unauthorised(reply, "")),
        404 | 410 => Some(Error::Unreadable(
            "there is nothing at this address (HTTP 404)".into(),
        )),
        500..=599 => Some(Error::Unavailable {
            status: reply.status,
            wait: reply.wait,
        }),
        status @ 400..=499 => Some(Error::Unreadable(format!(
            "HTTP {status} without an explanation"
        ))),
        200..=299 => None,
        status => Some(Error::Unreadable(format!("HTTP {status} is no answer"))),
    }
}

fn classify(reply: &Reply, document: Map<String, Value>) -> Result<Map<String, Value>, Error> {
    let failed = match document
        .get("status")
        .map(|status| status.as_str().unwrap_or("?"))
    {
        Some("ok") => false,
        Some("error") => true,
        None => document.contains_key("error") || document.contains_key("errors"),
        Some(_) => return Err(Error::Unreadable("it has an unknown `status`".into())),
    };
    if failed {
        return Err(refusal(reply, &document));
    }
    if let Some(error) = by_status(reply) {
        return Err(error);
    }
    let mut document = Value::Object(document);
    clean_all(&mut document);
    match document {
        Value::Object(document) => Ok(document),
        _ => Ok(Map::new()),
    }
}

/// The error in an envelope. Its text is `errorMessage` or `message`, its code a number or a string, and it may stand in a list.
fn refusal(reply: &Reply, document: &Map<String, Value>) -> Error {
    let found = document.get("error").or_else(|| document.get("errors"));
    let error = match found {
        Some(Value::Array(all)) => all.first(),
        other => other,
    };
    let field = |name: &str| error.and_then(|error| error.get(name));
    let words = |error: &Value| {
        let words = error.get("errorMessage").or_else(|| error.get("message"))?;
        words.as_str().map(str::to_owned)
    };
    // A batch (code 1008) says in `errors` which of its items failed.
    let items = match document.get("errors") {
        Some(Value::Array(items)) if document.contains_key("error") => {
            items.iter().filter_map(words).collect()
        }
        _ => Vec::new(),
    };
    let message = error
        .and_then(words)
        .into_iter()
        .chain(items)
        .collect::<Vec<_>>()
        .join("; ");
    let message = quotable(&message);
    if reply.status == 429 {
        return Error::Throttled { wait: reply.wait };
    }
    let code = match field("code") {
        Some(Value::Number(code)) => code.as_u64().and_then(|code| u32::try_from(code).ok()),
        Some(Value::String(code)) => code.trim().parse().ok(),
        _ => None,
    };
    match code {
        // 7digital's own client reads a message about OAuth as one, whatever its code.
        _ if message.to_ascii_lowercase().contains("oauth") => unauthorised(reply, &message),
        Some(code) => Error::Refused { code, message },
        None => Error::Unreadable("it is an error without a code".into()),
    }
}

fn clean_all(value: &mut Value) {
    match value {
        Value::String(text) => {
            if text.chars().any(is_invisible) {
                *text = clean(text);
            }
        }
        Value::Array(all) => all.iter_mut().for_each(clean_all),
        Value::Object(fields) => {
            if fields.keys().any(|name| name.chars().any(is_invisible)) {
                *fields = std::mem::take(fields)
                    .into_iter()
                    .map(|(name, value)| (clean(&name), value))
                    .collect();
            }
            fields.values_mut().for_each(clean_all);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
