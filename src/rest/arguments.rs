//! A request becomes arguments: path and query texts, and a body as JSON or as a form.

use axum::body::Body;
use axum::extract::RawPathParams;
use http::Method;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use sevendigital_tools::Arguments;

use crate::http::body::{Bounds, media_type};
use crate::http::errors::Refused;
use crate::http::json::shown;
use crate::problem::Kind;

/// The arguments of a request. Values stay the texts that they are: each tool reads numbers from texts as well.
pub(super) async fn read(
    parts: &Parts,
    path: &RawPathParams,
    body: Body,
    bounds: &Bounds,
) -> Result<Arguments, Refused> {
    let mut arguments = Arguments::new();
    for (name, value) in path {
        arguments.insert(name.to_owned(), value.into());
    }
    add_pairs(
        &mut arguments,
        parts.uri.query().unwrap_or_default(),
        "query parameter",
    )?;
    if parts.method == Method::POST {
        let object = read_body(parts, body, bounds).await?;
        if arguments.insert("body".into(), object.into()).is_some() {
            return Err(unreadable(
                "The query parameter `body` is not taken: the body is the request's own",
            ));
        }
    }
    Ok(arguments)
}

fn unreadable(problem: impl std::fmt::Display) -> Refused {
    Refused::saying(Kind::Unreadable, format!("{problem}. Nothing was done."))
}

async fn read_body(parts: &Parts, body: Body, bounds: &Bounds) -> Result<Arguments, Refused> {
    let media = media_type(&parts.headers);
    match media.as_deref() {
        Some("application/json") => {
            let body = bounds.whole(&parts.headers, body).await?;
            match bounds.json(&body) {
                Ok(Value::Object(fields)) => Ok(fields),
                Ok(_) => Err(unreadable("The body is not a JSON object")),
                Err(error) => Err(unreadable(format!(
                    "The body is not a JSON object: {error}"
                ))),
            }
        }
        Some("application/x-www-form-urlencoded") => {
            let body = bounds.whole(&parts.headers, body).await?;
            let text =
                std::str::from_utf8(&body).map_err(|_| unreadable("The form is not UTF-8"))?;
            let mut fields = Arguments::new();
            add_pairs(&mut fields, text, "form field")?;
            Ok(fields)
        }
        _ => Err(Refused::new(
            Kind::MediaType,
            "send `Content-Type: application/json` or `application/x-www-form-urlencoded`, in UTF-8 and without a `Content-Encoding`",
        )),
    }
}

/// Names and values as forms and queries have them. What is not UTF-8, or named twice, is refused: two readers could understand two things.
fn add_pairs(arguments: &mut Arguments, text: &str, what: &str) -> Result<(), Refused> {
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decoded(name, what)?;
        let value = decoded(value, what)?;
        if arguments.contains_key(&name) {
            return Err(unreadable(format!(
                "A {what} is given twice: {}",
                shown(&name)
            )));
        }
        arguments.insert(name, value.into());
    }
    Ok(())
}

fn decoded(text: &str, what: &str) -> Result<String, Refused> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| unreadable(format!("A {what} is not UTF-8")))
}
