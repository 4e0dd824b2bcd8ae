//! Reading: an answer in JSON, XML or plain text becomes one document or one error.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::charset;
use crate::error::{Error, Unreadable};
use crate::text::{clean_all, quotable};
use crate::xml;

/// Values in one document at most.
const MAX_VALUES: usize = 250_000;

/// An answer as it came off the wire. Its `Debug` shows no body: links in it are keys to files.
#[derive(Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The `Content-Type` header; empty without one.
    pub content_type: String,
    /// How long 7digital asks to wait before the next call.
    pub retry_after: Option<Duration>,
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
///
/// ```
/// use sevendigital::response::{Reply, read};
///
/// let xml = r#"<response status="ok" version="1.2"><user id="1"/></response>"#;
/// let document = read(&Reply { status: 200, body: xml.into(), ..Reply::default() })?;
/// assert_eq!(document["user"]["id"], "1");
/// # Ok::<(), sevendigital::Error>(())
/// ```
pub fn read(reply: &Reply) -> Result<Map<String, Value>, Error> {
    let text = text(reply);
    if (300..400).contains(&reply.status) {
        return Err(Error::Unreadable(Unreadable::Redirect(reply.status)));
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
    let text = charset::decode(&reply.content_type, &reply.body);
    text.trim_start_matches('\u{feff}').trim().to_owned()
}

/// What a status says on its own, where there is no envelope.
pub(crate) fn by_status(reply: &Reply) -> Option<Error> {
    let retry_after = reply.retry_after;
    match reply.status {
        429 => Some(Error::Throttled { retry_after }),
        401 | 403 => Some(unauthorised(reply, "")),
        404 | 410 => Some(Error::Unreadable(Unreadable::NotFound)),
        status @ 500..=599 => Some(Error::Unavailable {
            status,
            retry_after,
        }),
        status @ 400..=499 => Some(Error::Unreadable(Unreadable::Unexplained(status))),
        200..=299 => None,
        status => Some(Error::Unreadable(Unreadable::Status(status))),
    }
}

fn json(text: &str) -> Result<Map<String, Value>, Unreadable> {
    let values = text
        .bytes()
        .filter(|byte| matches!(byte, b',' | b'{' | b'['));
    if values.count() > MAX_VALUES {
        return Err(Unreadable::TooManyValues);
    }
    let document = serde_json::from_str(text).map_err(|error| Unreadable::Json {
        line: error.line(),
        column: error.column(),
    })?;
    let Value::Object(mut document) = document else {
        return Err(Unreadable::NotAnObject);
    };
    // 7digital's older conversions keep XML's root.
    if let (1, Some(Value::Object(inner))) = (document.len(), document.get_mut("response")) {
        document = std::mem::take(inner);
    }
    // XML's noise, and the address of the XSD, which is the JSON twin of `xsi:noNamespaceSchemaLocation`.
    document.retain(|key, value| {
        let schema = key == "schema" && value.as_str().is_some_and(|text| text.contains(".xsd"));
        !(schema || key.starts_with("xmlns") || key.starts_with("xsi:"))
    });
    Ok(document)
}

fn envelope(text: &str) -> Result<Map<String, Value>, Unreadable> {
    match xml::parse(text)? {
        (root, Value::Object(document)) if root == "response" => Ok(document),
        (root, _) if root == "response" => Err(Unreadable::Xml("an empty XML answer")),
        (root, _) if root.eq_ignore_ascii_case("html") => Err(Unreadable::HtmlPage),
        _ => Err(Unreadable::Xml("XML that is not a 7digital answer")),
    }
}

/// Plain text is never a success: 7digital uses it for OAuth refusals, proxies for the rest.
fn plain(reply: &Reply, text: &str) -> Error {
    let lower = text.to_ascii_lowercase();
    let is_client_error = (400..500).contains(&reply.status);
    if lower.starts_with("oauth") || (is_client_error && lower.contains("oauth")) {
        return unauthorised(reply, text);
    }
    if matches!(reply.status, 401 | 403) && lower.contains("limit") {
        return Error::Throttled {
            retry_after: reply.retry_after,
        };
    }
    by_status(reply).unwrap_or(Error::Unreadable(if text.is_empty() {
        Unreadable::Empty
    } else {
        Unreadable::PlainText
    }))
}

fn unauthorised(reply: &Reply, text: &str) -> Error {
    if text.to_ascii_lowercase().contains("limit") {
        return Error::Throttled {
            retry_after: reply.retry_after,
        };
    }
    Error::Unauthorised {
        message: quotable(text),
        clock_ahead: reply.clock_ahead.filter(|seconds| seconds.abs() > 120),
    }
}

fn classify(reply: &Reply, mut document: Map<String, Value>) -> Result<Map<String, Value>, Error> {
    let status = document.get("status").map(Value::as_str);
    let failed = match status {
        Some(Some("ok")) => false,
        Some(Some("error")) => true,
        Some(_) => return Err(Error::Unreadable(Unreadable::EnvelopeStatus)),
        None => document.contains_key("error") || document.contains_key("errors"),
    };
    if failed {
        return Err(rejection(reply, &document));
    }
    if let Some(error) = by_status(reply) {
        return Err(error);
    }
    clean_all(&mut document);
    Ok(document)
}

/// The error in an envelope. Its text is `errorMessage` or `message`, its code a number or a string, and it may stand in a list.
fn rejection(reply: &Reply, document: &Map<String, Value>) -> Error {
    let found = document.get("error").or_else(|| document.get("errors"));
    let error = match found {
        Some(Value::Array(all)) => all.first(),
        other => other,
    };
    let words = |error: &Value| {
        let words = error.get("errorMessage").or_else(|| error.get("message"))?;
        words.as_str().map(str::to_owned)
    };
    // A batch (code 1008) says in `errors` which of its items failed.
    let items = match document.get("errors") {
        Some(Value::Array(items)) if document.contains_key("error") => items.as_slice(),
        _ => &[],
    };
    let all_words: Vec<String> = error.into_iter().chain(items).filter_map(words).collect();
    let message = quotable(&all_words.join("; "));
    if reply.status == 429 {
        return Error::Throttled {
            retry_after: reply.retry_after,
        };
    }
    let code = match error.and_then(|error| error.get("code")) {
        Some(Value::Number(code)) => code.as_u64().and_then(|code| u32::try_from(code).ok()),
        Some(Value::String(code)) => code.trim().parse().ok(),
        _ => None,
    };
    match code {
        // 7digital's own client reads a message about OAuth as one, whatever its code.
        _ if message.to_ascii_lowercase().contains("oauth") => unauthorised(reply, &message),
        Some(code) => Error::Rejected { code, message },
        None => Error::Unreadable(Unreadable::NoCode),
    }
}

#[cfg(test)]
mod tests;
