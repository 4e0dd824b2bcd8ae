//! A request becomes arguments: path and query texts, and a body as JSON or as a form.

use std::collections::HashSet;
use std::fmt;

use axum::body::{self, Body};
use axum::extract::RawPathParams;
use http::request::Parts;
use http::{HeaderMap, Method, header};
use percent_encoding::percent_decode_str;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;
use sevendigital_tools::tool::Arguments;

use crate::problem::Kind;

/// Bytes of a body at most: the largest arguments are far below.
pub(super) const MAX_BODY: usize = 256 << 10;

/// Why a request can't be read: the kind of problem, and a sentence.
pub(super) type Unread = (Kind, String);

/// The arguments of a request. Values stay the texts that they are: each tool reads numbers from texts as well.
pub(super) async fn read(
    parts: &Parts,
    path: &RawPathParams,
    body: Body,
) -> Result<Arguments, Unread> {
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
        let object = read_body(&parts.headers, body).await?;
        if arguments.insert("body".into(), object.into()).is_some() {
            return Err(unreadable(
                "The query parameter `body` is not taken: the body is the request's own",
            ));
        }
    }
    Ok(arguments)
}

fn unreadable(problem: &str) -> Unread {
    (Kind::Unreadable, format!("{problem}."))
}

async fn read_body(headers: &HeaderMap, body: Body) -> Result<Arguments, Unread> {
    let kind = media_type(headers)?;
    let told = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let too_large = || {
        (
            Kind::TooLarge,
            format!("A body has at most {MAX_BODY} bytes."),
        )
    };
    if told.is_some_and(|length| length > MAX_BODY as u64) {
        return Err(too_large());
    }
    // What breaks off has nobody to be told to; so this is the limit.
    let bytes = body::to_bytes(body, MAX_BODY)
        .await
        .map_err(|_| too_large())?;
    match kind {
        Media::Json => match serde_json::from_slice(&bytes) {
            Ok(Object(fields)) => Ok(fields),
            Err(error) => Err(unreadable(&format!(
                "The body is not a JSON object: {error}"
            ))),
        },
        Media::Form => {
            let text =
                std::str::from_utf8(&bytes).map_err(|_| unreadable("The form is not UTF-8"))?;
            let mut fields = Arguments::new();
            add_pairs(&mut fields, text, "form field")?;
            Ok(fields)
        }
    }
}

/// The types that a body may have.
enum Media {
    Json,
    Form,
}

fn media_type(headers: &HeaderMap) -> Result<Media, Unread> {
    let refused = || {
        (
            Kind::MediaType,
            "Send `Content-Type: application/json` or `application/x-www-form-urlencoded`, in UTF-8 and without a `Content-Encoding`.".to_owned(),
        )
    };
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(given), None) = (types.next(), types.next()) else {
        return Err(refused());
    };
    let given = given.to_str().map_err(|_| refused())?.to_ascii_lowercase();
    let mut parts = given.split(';').map(str::trim);
    let media = match parts.next() {
        Some("application/json") => Media::Json,
        Some("application/x-www-form-urlencoded") => Media::Form,
        _ => return Err(refused()),
    };
    let plain = parts.all(|part| {
        !part.starts_with("charset=")
            || part.trim_start_matches("charset=").trim_matches('"') == "utf-8"
    });
    if plain && !headers.contains_key(header::CONTENT_ENCODING) {
        Ok(media)
    } else {
        Err(refused())
    }
}

/// Names and values as forms and queries have them. What is not UTF-8, or named twice, is refused: two readers could understand two things.
fn add_pairs(arguments: &mut Arguments, text: &str, what: &str) -> Result<(), Unread> {
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decoded(name, what)?;
        let value = decoded(value, what)?;
        if arguments.contains_key(&name) {
            return Err(unreadable(&format!(
                "A {what} is given twice: {}",
                shown(&name)
            )));
        }
        arguments.insert(name, value.into());
    }
    Ok(())
}

fn decoded(text: &str, what: &str) -> Result<String, Unread> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| unreadable(&format!("A {what} is not UTF-8")))
}

/// A name that the client chose, short and without anything that could pass for our own words.
fn shown(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let name: String = name.chars().filter(|c| plain(*c)).take(64).collect();
    format!("`{name}`")
}

/// A JSON object that names nothing twice.
struct Object(Arguments);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let (mut fields, mut seen) = (Arguments::new(), HashSet::new());
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if !seen.insert(name.clone()) {
                        return Err(A::Error::custom(format!(
                            "a field is given twice: {}",
                            shown(&name)
                        )));
                    }
                    fields.insert(name, value);
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}
