//! The body of a request: not too large, in time, and of a media type that is accepted.

use std::sync::Arc;

use axum::BoxError;
use axum::body::{Body, Bytes};
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::Semaphore;

use super::json;
use crate::config::Limits;
use crate::headers::single_header;
use crate::problem::{Kind, Problem};

/// A body of so many bytes is large. Calls are far smaller, and a body is held in memory until it is complete.
const LARGE: u64 = 16 << 10;

/// Reads bodies within their limits. Clones count large ones together.
#[derive(Debug, Clone)]
pub struct BodyReader {
    limits: Arc<Limits>,
    large: Arc<Semaphore>,
}

impl BodyReader {
    /// As the settings say.
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: Arc::new(limits.clone()),
            large: Arc::new(Semaphore::new(limits.large_bodies)),
        }
    }

    /// Reads a body to its end. Where it is not, the connection is closed: what is left of the body is no request.
    pub async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
        let reject =
            |kind, why: &str| Err(Problem::rejected(kind, why).header(header::CONNECTION, "close"));
        // With another coding these bytes would not be the body itself.
        let coding = single_header(headers, header::TRANSFER_ENCODING);
        let chunked = |coding: &str| coding.eq_ignore_ascii_case("chunked");
        if !coding.is_ok_and(|coding| coding.is_none_or(chunked)) {
            let why = "a body is sent as it is or in chunks, with no other `Transfer-Encoding`";
            return reject(Kind::Unreadable, why);
        }
        let (most, timeout) = (self.limits.body_bytes, self.limits.body_timeout);
        let too_large = || {
            let why = format!("a body has at most {most} bytes");
            reject(Kind::TooLarge, &why)
        };
        let length = single_header(headers, header::CONTENT_LENGTH);
        let length = length.ok().flatten();
        let length = length.and_then(|length| length.parse::<u64>().ok());
        if length.is_some_and(|length| length > most as u64) {
            return too_large();
        }
        let collected = async {
            // Without a Content-Length it may be of any size.
            let _permit = match length {
                Some(length) if length < LARGE => None,
                _ => Some(self.large.acquire().await),
            };
            collect(Limited::new(body, most)).await
        };
        match tokio::time::timeout(timeout, collected).await {
            Ok(Ok(body)) => Ok(body.into()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => too_large(),
            Ok(Err(_)) => {
                let why = "the body ended early, or its chunks are malformed";
                reject(Kind::Unreadable, why)
            }
            Err(_) => {
                let seconds = timeout.as_secs_f32();
                let why = format!("a body arrives whole within {seconds} seconds");
                reject(Kind::Timeout, &why)
            }
        }
    }

    /// Parses a body, `levels` deep as [`json::read`] does.
    pub fn json(&self, body: &[u8], levels: usize) -> Result<serde_json::Value, String> {
        let (depth, keys) = (self.limits.json_depth, self.limits.json_keys);
        json::read(body, json::Limits { depth, keys }, levels)
    }
}

/// Copied into one buffer: each frame keeps its whole read buffer alive, so tiny chunks would pin many times the body's size.
async fn collect(mut body: Limited<Body>) -> Result<Vec<u8>, BoxError> {
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(part) = frame?.into_data() {
            whole.extend_from_slice(&part);
        }
    }
    Ok(whole)
}

/// The one media type of a body, in lower case and without parameters; only UTF-8, and no encoding over it.
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let given = single_header(headers, header::CONTENT_TYPE).ok()??;
    let given = given.to_ascii_lowercase();
    let mut parts = given.split(';').map(str::trim);
    let media = parts.next()?.to_owned();
    let plain = parts.all(|part| {
        part.strip_prefix("charset=")
            .is_none_or(|charset| charset.trim_matches('"') == "utf-8")
    });
    (plain && !headers.contains_key(header::CONTENT_ENCODING)).then_some(media)
}
