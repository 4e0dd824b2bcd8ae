//! The headers of an answer: quota, `Retry-After`, clock and encoding.

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_ENCODING, DATE, HeaderMap, HeaderName, RETRY_AFTER};

use crate::answer::RateLimit;

/// A header as text, if it is there and is text.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The `X-RateLimit-*` headers, if all three are there.
pub(crate) fn rate_limit(headers: &HeaderMap) -> Option<RateLimit> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse().ok();
    Some(RateLimit {
        limit: number("x-ratelimit-limit")?,
        current: number("x-ratelimit-current")?,
        reset: number("x-ratelimit-reset")?,
    })
}

/// `Retry-After`; without it, the time until a quota that is used up is renewed.
pub(crate) fn retry_after(headers: &HeaderMap, quota: Option<RateLimit>) -> Option<Duration> {
    let asked = text(headers, &RETRY_AFTER).and_then(seconds_or_date);
    asked.or_else(|| {
        let used_up = quota.filter(|quota| quota.current >= quota.limit)?;
        Some(Duration::from_secs(used_up.reset))
    })
}

fn seconds_or_date(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    date.duration_since(SystemTime::now()).ok()
}

/// Seconds by which this machine's clock is ahead of the `Date` header.
pub(crate) fn clock_ahead(headers: &HeaderMap) -> Option<i64> {
    let theirs = httpdate::parse_http_date(text(headers, &DATE)?).ok()?;
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    Some(match SystemTime::now().duration_since(theirs) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => -seconds(behind.duration()),
    })
}

/// Whether the body would have to be decompressed.
pub(crate) fn is_encoded(headers: &HeaderMap) -> bool {
    let plain = |encoding: &[u8]| encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity");
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    encodings.any(|encoding| !plain(encoding.as_bytes().trim_ascii()))
}
