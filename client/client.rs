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
use tokio::time::Instant;

use crate::credentials::{BaseUri, Credentials, Placement};
use crate::endpoint::{Endpoint, Method};
use crate::error::{Error, Interruption};
use crate::oauth::{Parameter, Stamp};
use crate::request::{self, Outgoing};
use crate::response::{self, Reply};
use crate::retry::{self, Budget, Repeatable};

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
    budget: Arc<Budget>,
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
            budget: Arc::default(),
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
        let answer = match Repeatable::of(endpoint) {
            Some(read) => self.read(read, parameters).await?,
            None => self.change(endpoint, parameters).await?,
        };
        let document = serde_json::from_value(Value::Object(answer.document))
            // No more than that: serde's own words show the answer's.
            .map_err(|_| Error::Unreadable("it is not of the documented shape".into()))?;
        Ok(Answer {
            document,
            location: answer.location,
            rate_limit: answer.rate_limit,
        })
    }

    /// Sends a read, up to three times while it fails in ways that may pass.
    async fn read(&self, read: Repeatable<'_>, parameters: Vec<Parameter>) -> Result<Raw, Error> {
        let deadline = Instant::now() + READ;
        let mut failure = None;
        self.budget.first();
        for next in 2.. {
            let outgoing = self.sign(read.endpoint(), parameters.clone())?;
            let attempt = tokio::time::timeout_at(deadline, exchange(&self.pooled, outgoing));
            let error = match attempt.await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                // What an earlier attempt met says more than that the time was up.
                Err(_) => return Err(failure.unwrap_or(Error::Interrupted(Interruption::TooLong))),
            };
            let pause =
                retry::pause(next, &error).filter(|pause| Instant::now() + *pause < deadline);
            match pause {
                Some(pause) if next <= retry::ATTEMPTS && self.budget.repeat() => {
                    tracing::debug!("attempt {next} in {} ms: {error}", pause.as_millis());
                    failure = Some(error);
                    tokio::time::sleep(pause).await;
                }
                _ => return Err(error),
            }
        }
        Err(failure.unwrap_or(Error::Interrupted(Interruption::TooLong)))
    }

    /// Sends a change or a charge, once.
    async fn change(&self, endpoint: &Endpoint, parameters: Vec<Parameter>) -> Result<Raw, Error> {
        let outgoing = self.sign(endpoint, parameters)?;
        tokio::time::timeout(CHANGE, exchange(&self.single, outgoing))
            .await
            .unwrap_or(Err(Error::Interrupted(Interruption::TooLong)))
    }

    /// Sends a request that is never repeated, and hands the reply on as it came.
    pub(crate) async fn once(&self, outgoing: Outgoing) -> Result<Reply, Error> {
        let answer = tokio::time::timeout(CHANGE, deliver(&self.single, outgoing))
            .await
            .unwrap_or(Err(Error::Interrupted(Interruption::TooLong)))?;
        Ok(answer.document)
    }

    /// A request with a nonce and a timestamp of its own.
    fn sign(&self, endpoint: &Endpoint, parameters: Vec<Parameter>) -> Result<Outgoing, Error> {
        let stamp = Stamp::now();
        request::prepare(
            endpoint,
            parameters,
            &self.base,
            &self.credentials,
            self.placement,
            &stamp,
        )
    }
}

/// An answer whose document has no type yet.
type Raw = Answer<Map<String, Value>>;

/// Sends one request and reads its answer.
async fn exchange(connections: &reqwest::Client, outgoing: Outgoing) -> Result<Raw, Error> {
    let answer = deliver(connections, outgoing).await?;
    let document = response::read(&answer.document)?;
    Ok(answer.map(|_| document))
}

/// Sends one request and receives its reply, whole or not at all.
async fn deliver(
    connections: &reqwest::Client,
    outgoing: Outgoing,
) -> Result<Answer<Reply>, Error> {
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
            Error::Interrupted(Interruption::Broke)
        }
    })?;
    whole(response).await
}

/// Why no connection came about. Nothing was sent.
fn unreached(error: &reqwest::Error) -> Error {
    Error::NotSent(match error {
        error if error.is_dns() => "its name could not be resolved",
        error if error.is_timeout() => "connecting took too long",
        _ => "the connection or its TLS handshake failed",
    })
}

async fn whole(mut response: Response) -> Result<Answer<Reply>, Error> {
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
    loop {
        let chunk = tokio::time::timeout(SILENCE, response.chunk())
            .await
            .map_err(|_| Error::Interrupted(Interruption::Silent))?
            .map_err(|_| Error::Interrupted(Interruption::Broke))?;
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
        document: reply,
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
