//! A request becomes arguments: path and query texts, and a body as JSON or as a form.

use axum::body::Body;
use axum::extract::RawPathParams;
use http::Method;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use sevendigital_tools::Arguments;

use crate::http::body::{BodyReader, media_type};
use crate::http::json::{WHOLE, shown};
use crate::problem::{Kind, Problem};

/// The arguments of a request. Values stay the texts that they are: each tool reads numbers from texts as well.
pub(super) async fn read(
    parts: &Parts,
    path: &RawPathParams,
    body: Body,
    reader: &BodyReader,
) -> Result<Arguments, Problem> {
    let path = path
        .iter()
        .map(|(name, value)| (name.to_owned(), value.into()));
    let mut arguments: Arguments = path.collect();
    let query = parts.uri.query().unwrap_or_default();
    add_pairs(&mut arguments, query, "query parameter")?;
    if parts.method == Method::POST {
        let object = read_body(parts, body, reader).await?;
        if arguments.insert("body".into(), object.into()).is_some() {
            let why = "The query parameter `body` is not accepted: the body is the request's own";
            return Err(unreadable(why));
        }
    }
    Ok(arguments)
}

fn unreadable(problem: impl std::fmt::Display) -> Problem {
    let what = format!("{problem}. Nothing was done.");
    Problem::new(Kind::Unreadable, what, "")
}

async fn read_body(parts: &Parts, body: Body, reader: &BodyReader) -> Result<Arguments, Problem> {
    let media = media_type(&parts.headers);
    let is_json = match media.as_deref() {
        Some("application/json") => true,
        Some("application/x-www-form-urlencoded") => false,
        _ => {
            let why = "send `Content-Type: application/json` or `application/x-www-form-urlencoded`, in UTF-8 and without a `Content-Encoding`";
            return Err(Problem::rejected(Kind::MediaType, why));
        }
    };
    let body = reader.read(&parts.headers, body).await?;
    if is_json {
        let what = "The body is not a JSON object";
        return match reader.json(&body, WHOLE) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(unreadable(what)),
            Err(error) => Err(unreadable(format_args!("{what}: {error}"))),
        };
    }
    let text = std::str::from_utf8(&body).map_err(|_| unreadable("The form is not UTF-8"))?;
    let mut fields = Arguments::new();
    add_pairs(&mut fields, text, "form field")?;
    Ok(fields)
}

/// Names and values as forms and queries have them. What is not UTF-8, or named twice, is refused: two readers could understand two things.
fn add_pairs(arguments: &mut Arguments, text: &str, what: &str) -> Result<(), Problem> {
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name, what)?, decoded(value, what)?);
        if arguments.contains_key(&name) {
            let name = shown(&name);
            return Err(unreadable(format_args!("A {what} is given twice: {name}")));
        }
        arguments.insert(name, value.into());
    }
    Ok(())
}

fn decoded(text: &str, what: &str) -> Result<String, Problem> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    let decoded = decoded.map_err(|_| unreadable(format_args!("A {what} is not UTF-8")))?;
    Ok(decoded.into_owned())
}
