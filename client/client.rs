//! Sending: connections, which calls are repeated or held back, and what stands around an answer.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::breaker::{Breaker, Health};
use crate::credentials::{BaseUri, Credentials, Placement};
use crate::endpoint::{Endpoint, Method};
use crate::error::{Error, Interruption};
use crate::exchange::exchange;
use crate::limits::Limits;
use crate::oauth::{Parameter, Stamp};
use crate::request::{self, Outgoing};
use crate::response::{self, Reply};
use crate::retry::{self, Budget, Repeatable};

/// The shared 7digital client: cheap to clone, safe to use from many tasks.
#[derive(Debug, Clone)]
pub struct Client {
    base: BaseUri,
    placement: Placement,
    credentials: Arc<Credentials>,
    limits: Limits,
    /// Kept-alive connections, for reads.
    pooled: reqwest::Client,
    /// A new connection for each request, for all else: no pool, hence no silent re-send on a connection that has died.
    single: reqwest::Client,
    budget: Arc<Budget>,
    breaker: Arc<Breaker>,
    traceparent: Option<HeaderValue>,
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
        limits: Limits,
    ) -> Result<Self, String> {
        let build = |idle_connections: usize| {
            #[expect(clippy::disallowed_methods, reason = "the one client for 7digital")]
            let builder = reqwest::Client::builder()
                .user_agent(user_agent)
                .connect_timeout(limits.connect)
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
            limits,
            pooled,
            single,
            budget: Arc::new(Budget::new(limits.repeats_percent)),
            breaker: Arc::new(Breaker::new(limits)),
            traceparent: None,
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

    /// The same client, with its connections, whose requests all carry this `traceparent` header (W3C Trace Context).
    ///
    /// It is sent as it is given, is no part of any signature, and nothing else of a trace is sent.
    #[must_use]
    pub fn with_traceparent(&self, traceparent: HeaderValue) -> Self {
        Self {
            traceparent: Some(traceparent),
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

    /// Sends a read: again while it fails in ways that may pass, and not at all while the breaker is open.
    async fn read(&self, read: Repeatable<'_>, parameters: Vec<Parameter>) -> Result<Raw, Error> {
        let deadline = Instant::now() + self.limits.read;
        let mut failure = None;
        for attempt in 1.. {
            let pass = match self.breaker.admit() {
                Ok(pass) => pass,
                Err(wait) => return Err(failure.unwrap_or(held_back(wait))),
            };
            let outgoing = self.sign(read.endpoint(), parameters.clone())?;
            if attempt == 1 {
                self.budget.first();
            } else {
                counter!("sevendigital_upstream_retries_total", "operation" => outgoing.operation)
                    .increment(1);
            }
            let reply = self.exchange(&self.pooled, outgoing, deadline).await;
            let ended = reply.and_then(document);
            pass.end(Health::of(&ended));
            let error = match ended {
                Ok(answer) => return Ok(answer),
                // What an earlier attempt met says more than that the time was up.
                Err(Error::Interrupted(Interruption::TooLong)) if failure.is_some() => break,
                Err(error) => error,
            };
            let pause = retry::pause(attempt + 1, &error)
                .filter(|pause| Instant::now() + *pause < deadline);
            match pause {
                Some(pause)
                    if attempt < self.limits.attempts
                        && self.breaker.is_closed()
                        && self.budget.repeat() =>
                {
                    tracing::debug!("again in {} ms: {error}", pause.as_millis());
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
        self.alone(outgoing).await.and_then(document)
    }

    /// Sends a request that is never repeated, and hands the reply on as it came.
    pub(crate) async fn once(&self, outgoing: Outgoing) -> Result<Reply, Error> {
        Ok(self.alone(outgoing).await?.document)
    }

    /// Sends a request over a connection of its own.
    async fn alone(&self, outgoing: Outgoing) -> Result<Answer<Reply>, Error> {
        let deadline = Instant::now() + self.limits.change;
        self.exchange(&self.single, outgoing, deadline).await
    }

    async fn exchange(
        &self,
        connections: &reqwest::Client,
        outgoing: Outgoing,
        deadline: Instant,
    ) -> Result<Answer<Reply>, Error> {
        let mut request = match outgoing.method {
            Method::Get => connections.get(outgoing.url),
            Method::Post => connections.post(outgoing.url),
        };
        request = request.header(ACCEPT, "application/json, application/xml;q=0.5");
        if let Some(authorization) = outgoing.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(traceparent) = &self.traceparent {
            request = request.header("traceparent", traceparent);
        }
        if let Some(form) = outgoing.form {
            request = request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form);
        }
        exchange(outgoing.operation, request, &self.limits, deadline).await
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

/// The document in a reply, and what the headers around it said.
fn document(reply: Answer<Reply>) -> Result<Raw, Error> {
    let document = response::read(&reply.document)?;
    Ok(reply.map(|_| document))
}

/// The wait in the form in which `Retry-After` tells it.
fn held_back(wait: Duration) -> Error {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Error::HeldBack {
        wait: Duration::from_secs(seconds.max(1)),
    }
}

#[cfg(test)]
mod tests;
