//! Transmitting: connections, one exchange with 7digital within its limits, and its metrics.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, histogram};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{RequestBuilder, Response, StatusCode, redirect};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::echo::Sent;
use crate::endpoint::Method;
use crate::error::{ConnectError, Error, Interruption, Unreadable};
use crate::headers;
use crate::large::{LargeAnswers, LetIn};
use crate::limits::Limits;
use crate::reply::{self, Reply};
use crate::signing::SignedRequest;
use crate::text::clean;

/// Opens HTTP clients: they follow no redirect, repeat nothing and decode nothing. The platform's trust is loaded once for all of them.
#[derive(Debug)]
pub(crate) struct Opener {
    pub(crate) user_agent: String,
    pub(crate) connect_timeout: Duration,
    /// Whether the API stands on this machine.
    pub(crate) is_loopback: bool,
    pub(crate) tls: ClientConfig,
}

impl Opener {
    /// A client that keeps this many idle connections.
    pub(crate) fn open(&self, idle_connections: usize) -> Result<reqwest::Client, reqwest::Error> {
        #[expect(clippy::disallowed_methods, reason = "the clients for 7digital")]
        let builder = reqwest::Client::builder()
            .user_agent(&self.user_agent)
            .connect_timeout(self.connect_timeout)
            .tls_backend_preconfigured(self.tls.clone())
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .http1_only()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(idle_connections);
        if self.is_loopback {
            // A proxy can't reach this machine's own loopback.
            builder.no_proxy().build()
        } else {
            builder.https_only(true).build()
        }
    }
}

/// TLS with the platform's trust in certificates. It can be used for other connections too, such as a database's.
///
/// ```
/// let tls = sevendigital::platform_tls()?;
/// assert!(tls.alpn_protocols.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn platform_tls() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_platform_verifier()?.with_no_client_auth())
}

/// Sends a request and receives its reply, both before the deadline.
///
/// A connection whose reply is not read to its end is closed, so that no later call reads the rest.
pub(crate) async fn transmit(
    http: &reqwest::Client,
    mut request: SignedRequest,
    traceparent: Option<&HeaderValue>,
    (limits, large): (&Limits, Option<&LargeAnswers>),
    deadline: Instant,
) -> Result<Answer<Reply>, Error> {
    let (operation, sent) = (request.operation, std::mem::take(&mut request.sent));
    let request = build(http, request, traceparent);
    let started = Instant::now();
    let mut status = None;
    let received = async {
        let response = send(request).await?;
        status = Some(response.status());
        receive(response, sent, limits, large).await
    };
    let ended = tokio::time::timeout_at(deadline, received)
        .await
        .unwrap_or(Err(Error::Interrupted(Interruption::DeadlineExceeded)));
    count(operation, status, &ended, started.elapsed());
    ended
}

fn build(
    http: &reqwest::Client,
    request: SignedRequest,
    traceparent: Option<&HeaderValue>,
) -> RequestBuilder {
    let mut builder = match request.method {
        Method::Get => http.get(request.url),
        Method::Post => http.post(request.url),
    };
    builder = builder.header(ACCEPT, "application/json, application/xml;q=0.5");
    if let Some(authorization) = request.authorization {
        builder = builder.header(AUTHORIZATION, authorization);
    }
    if let Some(traceparent) = traceparent {
        builder = builder.header("traceparent", traceparent);
    }
    if let Some(form) = request.form {
        builder = builder
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
    }
    builder
}

async fn send(request: RequestBuilder) -> Result<Response, Error> {
    request.send().await.map_err(|error| not_answered(&error))
}

/// Why there is no answer. An error of reqwest's prints the whole URL, so only its kind is kept.
pub(crate) fn not_answered(error: &reqwest::Error) -> Error {
    if !error.is_connect() {
        return Error::Interrupted(Interruption::ConnectionClosed);
    }
    Error::NotSent(if error.is_dns() {
        ConnectError::Dns
    } else if error.is_timeout() {
        ConnectError::Timeout
    } else {
        connect_error(error)
    })
}

/// What stopped TCP or TLS, by the errors below reqwest's own.
fn connect_error(error: &reqwest::Error) -> ConnectError {
    let refused = std::io::ErrorKind::ConnectionRefused;
    let is_refused = |cause: &(dyn StdError + 'static)| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|io| io.kind() == refused)
    };
    if causes(error).any(is_refused) {
        ConnectError::Refused
    } else if certificate_fault(error).is_some() {
        ConnectError::Certificate
    } else {
        ConnectError::Failed
    }
}

/// What is wrong with the certificate, in the words of rustls, where that is why there is no connection.
pub(crate) fn certificate_fault(error: &reqwest::Error) -> Option<String> {
    causes(error).find_map(|cause| {
        let text = cause.to_string();
        let (_, fault) = text.split_once("invalid peer certificate: ")?;
        Some(clean(fault))
    })
}

/// The errors below reqwest's own.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}

async fn receive(
    mut response: Response,
    sent: Sent,
    limits: &Limits,
    large: Option<&LargeAnswers>,
) -> Result<Answer<Reply>, Error> {
    let mut answer = head(response.status(), response.headers(), sent);
    if headers::is_encoded(response.headers()) {
        // Nothing small is made into something large here.
        let unreadable = Error::Unreadable(Unreadable::Compressed);
        return Err(reply::by_status(&answer.document).unwrap_or(unreadable));
    }
    let length = response.content_length();
    let length = length.and_then(|length| usize::try_from(length).ok());
    let length = length.map_or(0, |length| length.min(limits.response_bytes));
    let body = &mut answer.document.body;
    let mut let_in = large.map(LetIn::new);
    if let Some(let_in) = &mut let_in {
        // Before any of it is received: until then its connection has buffered nothing.
        let_in.reach(length).await?;
    }
    body.reserve_exact(length);
    loop {
        let chunk = tokio::time::timeout(limits.read_timeout, response.chunk())
            .await
            .map_err(|_| Error::Interrupted(Interruption::ReadTimeout))?
            .map_err(|_| Error::Interrupted(Interruption::ConnectionClosed))?;
        let Some(chunk) = chunk else { break };
        if body.len() + chunk.len() > limits.response_bytes {
            return Err(Error::Unreadable(Unreadable::TooLarge {
                max: limits.response_bytes,
            }));
        }
        if let Some(let_in) = &mut let_in {
            let_in.reach(body.len() + chunk.len()).await?;
        }
        body.extend_from_slice(&chunk);
    }
    if let Some(let_in) = let_in {
        answer.large = let_in.read(answer.document.body.len()).await?;
    }
    Ok(answer)
}

/// All that is known before the body.
fn head(status: StatusCode, headers: &HeaderMap, sent: Sent) -> Answer<Reply> {
    let location = headers::text(headers, &LOCATION).map(|location| clean(&sent.redact(location)));
    let rate_limit = headers::rate_limit(headers);
    let mut answer = Answer::new(Reply {
        status: status.as_u16(),
        content_type: headers::text(headers, &CONTENT_TYPE)
            .unwrap_or_default()
            .to_owned(),
        retry_after: headers::retry_after(headers, rate_limit),
        clock_ahead: headers::clock_ahead(headers),
        sent,
        body: Vec::new(),
    });
    answer.location = location;
    answer.rate_limit = rate_limit;
    answer
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

#[cfg(test)]
mod pairing;
#[cfg(test)]
mod tests;
