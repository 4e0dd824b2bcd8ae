//! Sending: connections, limits in time and size, and the headers around an answer.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER,
};
use reqwest::{Response, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::credentials::{BaseUri, Credentials, Placement};
use crate::endpoint::{Effect, Endpoint, Method};
use crate::error::Error;
use crate::oauth::Stamp;
use crate::request::{self, Outgoing};
use crate::response::{self, Reply};

/// Longest wait for a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(3);
/// Longest silence inside an answer.
const SILENCE: Duration = Duration::from_secs(5);
/// Longest read, all attempts together.
const READ: Duration = Duration::from_secs(20);
/// Longest change or charge. Agent hosts give up at a minute, so the answer comes before that.
const CHANGE: Duration = Duration::from_secs(45);
/// Bytes of an answer at most.
const MAX_BODY: usize = 4 << 20;

/// The shared 7digital client: cheap to clone, safe to use from many tasks.
#[derive(Debug, Clone)]
pub struct Client {
    base: BaseUri,
    placement: Placement,
    credentials: Arc<Credentials>,
    /// Kept-alive connections, for reads.
    pooled: reqwest::Client,
    /// A new connection for each request, for all else: no pool, hence no silent re-send on a connection that has died.
    single: reqwest::Client,
}

/// A document, and what the headers around it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// What 7digital answered.
    pub document: T,
    /// The `Location` header, which card registration uses.
    pub location: Option<String>,
    /// Where the key stands in its quota.
    pub rate_limit: Option<RateLimit>,
}

impl<T> Answer<T> {
    /// The same answer with another document.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer {
            document: change(self.document),
            location: self.location,
            rate_limit: self.rate_limit,
        }
    }
}

/// 7digital's `X-RateLimit-*` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RateLimit {
    /// Requests per period.
    pub limit: u64,
    /// Requests used in this period.
    pub current: u64,
    /// Seconds until the period ends.
    pub reset: u64,
}

impl Client {
    /// A client for one API root. `user_agent` names the program to 7digital.
    ///
    /// Fails only where the platform's TLS roots can't be loaded.
    pub fn new(
        base: BaseUri,
        placement: Placement,
        credentials: Credentials,
        user_agent: &str,
    ) -> Result<Self, String> {
        let build = |idle_connections: usize| {
            let builder = reqwest::Client::builder()
                .user_agent(user_agent)
                .connect_timeout(CONNECT)
                .redirect(redirect::Policy::none())
                .referer(false)
                .retry(reqwest::retry::never())
                .http1_only()
                .tcp_nodelay(true)
                .pool_max_idle_per_host(idle_connections);
            // A proxy has no business between this process and its own machine.
            let builder = if base.is_loopback() {
                builder.no_proxy()
            } else {
                builder.https_only(true)
            };
            builder.build().map_err(|error| error.to_string())
        };
        let (pooled, single) = (build(64)?, build(0)?);
        Ok(Self {
            base,
            placement,
            credentials: Arc::new(credentials),
            pooled,
            single,
        })
    }

    /// The API root that is called.
    pub fn base_uri(&self) -> &BaseUri {
        &self.base
    }

    /// As whom calls are made.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The same client, with its connections, for other credentials.
    #[must_use]
    pub fn with_credentials(&self, credentials: Credentials) -> Self {
        Self {
            credentials: Arc::new(credentials),
            ..self.clone()
        }
    }

    /// Calls an operation and reads its document.
    ///
    /// `input` is a flat object of parameters. Fails as [`Error`] says; [`Error::sent`] tells whether the call may have taken effect.
    pub async fn send<T: DeserializeOwned>(
        &self,
        endpoint: &Endpoint,
        input: &(impl Serialize + Sync),
    ) -> Result<Answer<T>, Error> {
        if self.credentials.consumer.is_none() {
            return Err(Error::NoConsumerKey);
        }
        let parameters = request::parameters(endpoint, input, &self.credentials)?;
        let limit = match endpoint.effect {
            Effect::Reads => READ,
            Effect::Writes | Effect::Charges => CHANGE,
        };
        let attempt = async {
            let stamp = Stamp::now();
            let outgoing = request::prepare(
                endpoint,
                parameters,
                &self.base,
                &self.credentials,
                self.placement,
                &stamp,
            )?;
            self.exchange(endpoint.effect, outgoing).await
        };
        let answer = tokio::time::timeout(limit, attempt)
            .await
            .unwrap_or(Err(Error::Interrupted("it took too long")))?;
        let document = serde_json::from_value(Value::Object(answer.document)).map_err(|error| {
            Error::Unreadable(format!("it is not of the documented shape: {error}"))
        })?;
        Ok(Answer {
            document,
            location: answer.location,
            rate_limit: answer.rate_limit,
        })
    }

    /// Sends one request and reads its answer, whole or not at all.
    async fn exchange(
        &self,
        effect: Effect,
        outgoing: Outgoing,
    ) -> Result<Answer<Map<String, Value>>, Error> {
        let connections = match effect {
            Effect::Reads => &self.pooled,
            Effect::Writes | Effect::Charges => &self.single,
        };
        let mut request = match outgoing.method {
            Method::Get => connections.get(outgoing.url),
            Method::Post => connections.post(outgoing.url),
        };
        request = request.header(ACCEPT, "application/json, application/xml;q=0.5");
        if let Some(authorization) = outgoing.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(form) = outgoing.form {
            request = request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form);
        }
        // An error of reqwest's prints the whole URL, so only its kind is kept.
        let response = request.send().await.map_err(|error| {
            if error.is_connect() {
                unreached(&error)
            } else {
                Error::Interrupted("the connection broke")
            }
        })?;
        read(response).await
    }
}

/// Why no connection came about. Nothing was sent.
fn unreached(error: &reqwest::Error) -> Error {
    Error::NotSent(match error {
        error if error.is_dns() => "its name could not be resolved",
        error if error.is_timeout() => "connecting took too long",
        _ => "the connection or its TLS handshake failed",
    })
}

async fn read(mut response: Response) -> Result<Answer<Map<String, Value>>, Error> {
    let headers = response.headers();
    let rate_limit = rate_limit(headers);
    let location = text(headers, &LOCATION).map(response::clean);
    let mut reply = Reply {
        status: response.status().as_u16(),
        content_type: text(headers, &CONTENT_TYPE).unwrap_or_default().to_owned(),
        wait: text(headers, &RETRY_AFTER).and_then(wait),
        clock_ahead: text(headers, &DATE).and_then(clock_ahead),
        body: Vec::new(),
    };
    loop {
        let chunk = tokio::time::timeout(SILENCE, response.chunk())
            .await
            .map_err(|_| Error::Interrupted("it fell silent"))?
            .map_err(|_| Error::Interrupted("the connection broke"))?;
        let Some(chunk) = chunk else { break };
        if reply.body.len() + chunk.len() > MAX_BODY {
            return Err(Error::Unreadable(format!(
                "it is larger than {} MiB",
                MAX_BODY >> 20
            )));
        }
        reply.body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        document: response::read(&reply)?,
        location,
        rate_limit,
    })
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
