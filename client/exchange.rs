//! One exchange with 7digital: a request sent, its answer received whole or not at all, and the exchange counted.

use std::time::{Duration, SystemTime};

use metrics::{counter, histogram};
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER,
};
use reqwest::{RequestBuilder, Response, StatusCode};
use tokio::time::Instant;

use crate::client::{Answer, RateLimit};
use crate::error::{Error, Interruption};
use crate::limits::Limits;
use crate::response::{self, Reply};

/// Sends a request and receives its reply. Whatever is not there at the deadline never comes.
///
/// A reply that is not read to its end takes its connection with it, so that nobody else is given the rest.
pub(crate) async fn exchange(
    operation: &'static str,
    request: RequestBuilder,
    limits: &Limits,
    deadline: Instant,
) -> Result<Answer<Reply>, Error> {
    let started = Instant::now();
    let mut status = None;
    let received = async {
        let response = send(request).await?;
        status = Some(response.status());
        whole(response, limits).await
    };
    let ended = tokio::time::timeout_at(deadline, received)
        .await
        .unwrap_or(Err(Error::Interrupted(Interruption::TooLong)));
    count(operation, status, &ended, started.elapsed());
    ended
}

/// `sevendigital_upstream_responses_total` and `sevendigital_upstream_seconds`.
fn count(
    operation: &'static str,
    status: Option<StatusCode>,
    ended: &Result<Answer<Reply>, Error>,
    elapsed: Duration,
) {
    const RESPONSES: &str = "sevendigital_upstream_responses_total";
    let none = |why: &'static str| counter!(RESPONSES, "operation" => operation, "status" => "none", "why" => why);
    let responses = match (ended, status) {
        (Err(Error::NotSent(_)), _) => none("not_sent"),
        (Err(Error::Interrupted(_)), _) | (_, None) => none("interrupted"),
        (_, Some(status)) => {
            counter!(RESPONSES, "operation" => operation, "status" => status.as_str().to_owned())
        }
    };
    responses.increment(1);
    histogram!("sevendigital_upstream_seconds", "operation" => operation).record(elapsed);
}

async fn send(request: RequestBuilder) -> Result<Response, Error> {
    // An error of reqwest's prints the whole URL, so only its kind is kept.
    request.send().await.map_err(|error| match error {
        error if !error.is_connect() => Error::Interrupted(Interruption::Broke),
        error if error.is_dns() => Error::NotSent("its name could not be resolved"),
        error if error.is_timeout() => Error::NotSent("connecting took too long"),
        _ => Error::NotSent("the connection or its TLS handshake failed"),
    })
}

async fn whole(mut response: Response, limits: &Limits) -> Result<Answer<Reply>, Error> {
    let headers = response.headers();
    let rate_limit = rate_limit(headers);
    let location = text(headers, &LOCATION).map(response::clean);
    let mut reply = Reply {
        status: response.status().as_u16(),
        content_type: text(headers, &CONTENT_TYPE).unwrap_or_default().to_owned(),
        // A quota that is used up says when it is filled again.
        wait: text(headers, &RETRY_AFTER).and_then(wait).or_else(|| {
            let used_up = rate_limit.filter(|quota| quota.current >= quota.limit)?;
            Some(Duration::from_secs(used_up.reset))
        }),
        clock_ahead: text(headers, &DATE).and_then(clock_ahead),
        body: Vec::new(),
    };
    if is_encoded(headers) {
        let problem = || Error::Unreadable("it is compressed, which was not asked for".into());
        return Err(response::by_status(&reply).unwrap_or_else(problem));
    }
    loop {
        let chunk = tokio::time::timeout(limits.silence, response.chunk())
            .await
            .map_err(|_| Error::Interrupted(Interruption::Silent))?
            .map_err(|_| Error::Interrupted(Interruption::Broke))?;
        let Some(chunk) = chunk else { break };
        if reply.body.len() + chunk.len() > limits.answer_bytes {
            return Err(Error::Unreadable(format!(
                "it is larger than {} bytes",
                limits.answer_bytes
            )));
        }
        reply.body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        document: reply,
        location,
        rate_limit,
    })
}

/// Whether the body would have to be decoded. Nothing small is made into something large here.
fn is_encoded(headers: &HeaderMap) -> bool {
    let plain = |encoding: &[u8]| encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity");
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    encodings.any(|encoding| !plain(encoding.as_bytes().trim_ascii()))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn rate_limit(headers: &HeaderMap) -> Option<RateLimit> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse().ok();
    Some(RateLimit {
        limit: number("x-ratelimit-limit")?,
        current: number("x-ratelimit-current")?,
        reset: number("x-ratelimit-reset")?,
    })
}

/// `Retry-After`: seconds, or a date.
fn wait(text: &str) -> Option<Duration> {
    match text.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(text)
            .ok()?
            .duration_since(SystemTime::now())
            .ok(),
    }
}

/// Seconds from 7digital's clock to ours.
fn clock_ahead(date: &str) -> Option<i64> {
    let theirs = httpdate::parse_http_date(date).ok()?;
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    Some(match SystemTime::now().duration_since(theirs) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => -seconds(behind.duration()),
    })
}

#[cfg(test)]
mod pairing;
#[cfg(test)]
mod tests;
