//! Reading: an answer in JSON, XML or plain text becomes one document or one error.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::charset;
use crate::endpoint::{Effect, Endpoint};
use crate::error::{Error, Unreadable};
use crate::json;
use crate::refusal;
use crate::reply::{Reply, by_status, speaks_of_limit, unauthorised};
use crate::text::clean_all;
use crate::verdict::{Verdict, field, has_payload, verdict};
use crate::xml;

/// The document in the answer to an operation: the payload, with the envelope's `status` and `version` beside it.
///
/// The envelope is read first, whatever the HTTP status: 7digital sends errors with 200 as well as with 4xx and 5xx.
///
/// ```
/// use sevendigital::reply::Reply;
/// use sevendigital::response::read;
/// use sevendigital::{Auth, Effect, Endpoint};
///
/// const DETAILS: Endpoint = Endpoint::get("/user/details", Auth::User, Effect::Reads);
/// let xml = r#"<response status="ok" version="1.2"><user id="1"/></response>"#;
/// let reply = Reply { status: 200, body: xml.into(), ..Reply::default() };
/// assert_eq!(read(&reply, &DETAILS)?["user"]["id"], "1");
/// # Ok::<(), sevendigital::Error>(())
/// ```
pub fn read(reply: &Reply, endpoint: &Endpoint) -> Result<Map<String, Value>, Error> {
    let text = text(reply);
    let text = trimmed(&text);
    let redirects = (300..400).contains(&reply.status);
    if redirects && !endpoint.redirects {
        return Err(Error::Unreadable(Unreadable::Redirect(reply.status)));
    }
    let document = match text.as_bytes().first() {
        Some(b'{' | b'[') => bare(text),
        Some(b'<') => envelope(text),
        _ => return Err(plain(reply, &reply.sent.redact(text))),
    };
    match document {
        Ok(mut document) => {
            reply.sent.redact_all(text, &mut document);
            classify(reply, endpoint, document)
        }
        // An HTML page behind a 401 or 503 says no more than its status.
        Err(problem) => Err(by_status(reply).unwrap_or(Error::Unreadable(problem))),
    }
}

/// The body as text.
pub(crate) fn text(reply: &Reply) -> Cow<'_, str> {
    charset::decode(&reply.content_type, &reply.body)
}

/// A text without a byte order mark or blanks around it.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

fn bare(text: &str) -> Result<Map<String, Value>, Unreadable> {
    let mut fields = json::parse(text)?;
    // 7digital's older conversions keep XML's root.
    if let (1, Some((name, Value::Object(inner)))) = (fields.len(), fields.iter_mut().next())
        && is_root(name)
    {
        fields = std::mem::take(inner);
    }
    // XML's noise, and the address of the XSD, which is the JSON twin of `xsi:noNamespaceSchemaLocation`.
    fields.retain(|key, value| {
        let schema = key == "schema" && value.as_str().is_some_and(|text| text.contains(".xsd"));
        !(schema || key.starts_with("xmlns") || key.starts_with("xsi:"))
    });
    Ok(fields)
}

/// Whether that is the name of the element around all of 7digital's answers.
fn is_root(name: &str) -> bool {
    name.eq_ignore_ascii_case("response")
}

fn envelope(text: &str) -> Result<Map<String, Value>, Unreadable> {
    match xml::parse(text) {
        Ok((root, Value::Object(fields))) if is_root(&root) => Ok(fields),
        Ok((root, _)) if is_root(&root) => Err(Unreadable::Xml("an empty XML answer")),
        _ if is_page(text) => Err(Unreadable::HtmlPage),
        Ok(_) => Err(Unreadable::Foreign),
        Err(problem) => Err(problem),
    }
}

/// Whether a text that is no XML begins as pages for people do.
fn is_page(text: &str) -> bool {
    let start = text.get(..512).unwrap_or(text).to_ascii_lowercase();
    start.contains("<html") || start.contains("<!doctype html")
}

/// Plain text is never a success: 7digital uses it for OAuth refusals, proxies for the rest.
fn plain(reply: &Reply, text: &str) -> Error {
    let lower = text.to_ascii_lowercase();
    let is_client_error = (400..500).contains(&reply.status);
    let begins = reply.status < 500 && lower.starts_with("oauth");
    if begins || (is_client_error && lower.contains("oauth")) {
        return unauthorised(reply, text);
    }
    if matches!(reply.status, 401 | 403) && speaks_of_limit(text) {
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

fn classify(
    reply: &Reply,
    endpoint: &Endpoint,
    mut fields: Map<String, Value>,
) -> Result<Map<String, Value>, Error> {
    let verdict = verdict(&fields);
    match verdict {
        Verdict::Failed { plainly } => return Err(refusal::read(reply, &fields, plainly)),
        // A read loses nothing by an odd status beside what was asked for, and what was bought has its own signs; a change has none.
        Verdict::Unknown if endpoint.effect == Effect::Writes || !has_payload(&fields) => {
            return Err(Error::Unreadable(Unreadable::EnvelopeStatus));
        }
        Verdict::Unknown => {}
        Verdict::Unsaid => {
            fields.remove("status");
        }
        Verdict::Ok => {
            fields.insert("status".to_owned(), Value::from("ok"));
        }
    }
    match reply.status {
        200..=299 => {}
        300..=399 if endpoint.redirects => {}
        status @ 400..=499 if verdict == Verdict::Ok || field(&fields, "purchase").is_some() => {
            return Err(Error::Unreadable(Unreadable::Contradiction(status)));
        }
        _ => {
            let error = by_status(reply);
            return Err(error.unwrap_or(Error::Unreadable(Unreadable::Status(reply.status))));
        }
    }
    clean_all(&mut fields, &reply.sent.values);
    Ok(fields)
}

#[cfg(test)]
mod tests;
