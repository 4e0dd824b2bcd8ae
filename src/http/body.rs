//! A request's body, whole: not too large, in time, and of a type that is understood.

use std::sync::Arc;
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes};
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::Semaphore;

use crate::config::Limits;
use crate::headers::single_header;
use crate::http::errors::Refused;
use crate::problem::Kind;

/// From so many bytes on a body is large. Calls are far below; what is large is held in memory until it is there whole.
const LARGE: u64 = 16 << 10;

/// What bodies may come to. Clones count large ones together.
#[derive(Debug, Clone)]
pub struct Bounds {
    bytes: usize,
    time: Duration,
    large: Arc<Semaphore>,
    json: crate::http::json::Bounds,
}

impl Bounds {
    /// As the settings say.
    pub fn of(limits: &Limits) -> Self {
        Self {
            bytes: limits.body_bytes.count(),
            time: limits.body_ms.time(),
            large: Arc::new(Semaphore::new(limits.large_bodies.count())),
            json: crate::http::json::Bounds {
                depth: limits.json_depth.count(),
                keys: limits.json_keys.count(),
            },
        }
    }

    /// Reads a body to its end. The connection is closed where it is not: what is left of it is no request.
    pub async fn whole(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, Refused> {
        let close = |refused: Refused| refused.with(header::CONNECTION, "close");
        // Under another coding the body would be something else than what is read here.
        match single_header(headers, header::TRANSFER_ENCODING) {
            Ok(None) => {}
            Ok(Some(coding)) if coding.eq_ignore_ascii_case("chunked") => {}
            Ok(Some(_)) | Err(()) => {
                let why = "a body is sent as it is or in chunks, with no other `Transfer-Encoding`";
                return Err(close(Refused::new(Kind::Unreadable, why)));
            }
        }
        let most = self.bytes;
        let too_large = || {
            close(Refused::new(
                Kind::TooLarge,
                format!("a body has at most {most} bytes"),
            ))
        };
        let length = single_header(headers, header::CONTENT_LENGTH)
            .ok()
            .flatten();
        let length = length.and_then(|length| length.parse::<u64>().ok());
        if length.is_some_and(|length| length > most as u64) {
            return Err(too_large());
        }
        let collected = async {
            // A length that is not told may be any.
            let _place = match length {
                Some(length) if length < LARGE => None,
                _ => Some(self.large.acquire().await),
            };
            gathered(Limited::new(body, most)).await
        };
        match tokio::time::timeout(self.time, collected).await {
            Ok(Ok(body)) => Ok(body.into()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
            Ok(Err(_)) => Err(close(Refused::new(
                Kind::Unreadable,
                "the body broke off, or its chunks are malformed",
            ))),
            Err(_) => {
                let seconds = self.time.as_secs_f32();
                Err(close(Refused::new(
                    Kind::TooSlow,
                    format!("a body comes whole within {seconds} seconds"),
                )))
            }
        }
    }

    /// Reads a document out of a body.
    pub fn json(&self, body: &[u8]) -> Result<serde_json::Value, String> {
        crate::http::json::read(body, self.json)
    }
}

/// A body in one piece. Kept as its parts it would take many times its size: each part, be it a byte, holds on to what it was read with.
async fn gathered(mut body: Limited<Body>) -> Result<Vec<u8>, BoxError> {
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(part) = frame?.into_data() {
            whole.extend_from_slice(&part);
        }
    }
    Ok(whole)
}

/// The one media type of a body, in small letters and without parameters; only UTF-8, and no encoding over it.
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let given = single_header(headers, header::CONTENT_TYPE)
        .ok()??
        .to_ascii_lowercase();
    let mut parts = given.split(';').map(str::trim);
    let media = parts.next()?.to_owned();
    let plain = parts.all(|part| {
        part.strip_prefix("charset=")
            .is_none_or(|charset| charset.trim_matches('"') == "utf-8")
    });
    (plain && !headers.contains_key(header::CONTENT_ENCODING)).then_some(media)
}
