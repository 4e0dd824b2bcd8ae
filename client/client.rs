//! The client: serializes, signs, transmits and reads a call, and retries it if it only reads.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use parking_lot::Mutex;
use reqwest::header::HeaderValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::answer::Answer;
use crate::base_uri::BaseUri;
use crate::circuit_breaker::{CircuitBreaker, Outcome};
use crate::connection;
use crate::credentials::Credentials;
use crate::endpoint::Endpoint;
use crate::error::{Draft, Error, Interruption, Unreadable};
use crate::large::LargeAnswers;
use crate::limits::Limits;
use crate::oauth::{Parameter, Stamp};
use crate::parameters;
use crate::pools::Pools;
use crate::reply::Reply;
use crate::response;
use crate::retry::{self, Retryable};
use crate::retry_budget::RetryBudget;
use crate::signing::{self, Placement, SignedRequest};

/// A client of 7digital's API: cheap to clone, and to be shared by all tasks.
///
/// Clones share connections, retry budget and circuit breaker. [`Client::builder`] makes one.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) base_uri: BaseUri,
    pub(crate) placement: Placement,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) limits: Limits,
    /// Kept-alive connections, for reads.
    pub(crate) pools: Arc<Pools>,
    /// A new connection for each change: without a pool there is no silent re-send on a connection that was closed.
    pub(crate) unpooled: reqwest::Client,
    pub(crate) retry_budget: Arc<RetryBudget>,
    pub(crate) circuit_breaker: Arc<CircuitBreaker>,
    pub(crate) large_answers: Arc<LargeAnswers>,
    pub(crate) traceparent: Option<HeaderValue>,
    /// Whether calls end before they are signed.
    pub(crate) is_dry: bool,
    /// What the last answer said of our clock.
    pub(crate) clock_ahead: Arc<Mutex<Option<i64>>>,
}

/// An answer whose document has no type yet.
type Raw = Answer<Map<String, Value>>;

impl Client {
    /// The API root that is called.
    pub fn base_uri(&self) -> &BaseUri {
        &self.base_uri
    }

    /// The keys and tokens that calls are made with.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Seconds by which this machine's clock is ahead of 7digital's, by the `Date` header of the last answer that had one.
    pub fn clock_ahead(&self) -> Option<i64> {
        *self.clock_ahead.lock()
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

    /// The same client, whose calls end with [`Error::DryRun`] before anything is signed or sent.
    #[must_use]
    pub fn dry(&self) -> Self {
        Self {
            is_dry: true,
            ..self.clone()
        }
    }

    /// Calls an operation and reads its document.
    ///
    /// `input` is a flat object of parameters. [`Error::delivery`] says whether a call that failed may have taken effect.
    /// A call that reads is retried within [`Limits`]; one that writes or charges is sent once.
    /// Dropping the future abandons the call wherever it is.
    pub async fn send<T: DeserializeOwned>(
        &self,
        endpoint: &Endpoint,
        input: &(impl Serialize + Sync),
    ) -> Result<Answer<T>, Error> {
        let answer = self.call(endpoint, input).await?;
        answer.try_map(|document| {
            serde_json::from_value(Value::Object(document))
                // Not serde's own words, which quote the answer.
                .map_err(|_| Error::Unreadable(Unreadable::Shape))
        })
    }

    /// Calls an operation as [`send`](Self::send) does; its document stays as 7digital sent it.
    pub async fn call(
        &self,
        endpoint: &Endpoint,
        input: &(impl Serialize + Sync),
    ) -> Result<Answer<Map<String, Value>>, Error> {
        if self.credentials.consumer.is_none() {
            return Err(Error::NoConsumerKey);
        }
        let parameters = parameters::serialize(endpoint, input, &self.credentials)?;
        if self.is_dry {
            return Err(Error::DryRun(Box::new(Draft::new(endpoint, parameters))));
        }
        match Retryable::new(endpoint) {
            Some(read) => self.read(read, parameters).await,
            None => self.change(endpoint, parameters).await,
        }
    }

    /// Sends a change or a charge, once.
    async fn change(&self, endpoint: &Endpoint, parameters: Vec<Parameter>) -> Result<Raw, Error> {
        let request = self.sign(endpoint, parameters)?;
        let reply = self.transmit_once(request).await?;
        read(reply, endpoint)
    }

    /// Sends a read, and retries it while circuit breaker, retry budget and deadline allow it.
    async fn read(&self, call: Retryable<'_>, parameters: Vec<Parameter>) -> Result<Raw, Error> {
        let deadline = Instant::now() + self.limits.read_deadline;
        let auth = call.endpoint().auth;
        let pool = self.pools.of(auth, &self.credentials, &parameters);
        let http = pool.unwrap_or_else(|_| self.unpooled.clone());
        let mut failure = None;
        for attempt in 1.. {
            let permit = match self.circuit_breaker.acquire() {
                Ok(permit) => permit,
                Err(wait) => return Err(failure.unwrap_or(circuit_open(wait))),
            };
            let request = self.sign(call.endpoint(), parameters.clone())?;
            if attempt == 1 {
                self.retry_budget.deposit();
            } else {
                counter!("sevendigital_upstream_retries_total", "operation" => request.operation)
                    .increment(1);
            }
            let large = Some(&*self.large_answers);
            let reply = self.transmit(&http, request, large, deadline).await;
            let ended = reply.and_then(|reply| read(reply, call.endpoint()));
            permit.record(Outcome::from_result(&ended));
            let error = match ended {
                Ok(answer) => return Ok(answer),
                // The failure of an earlier attempt says more than that the time was up.
                Err(Error::Interrupted(Interruption::DeadlineExceeded)) if failure.is_some() => {
                    break;
                }
                Err(error) => error,
            };
            let pause =
                retry::backoff(attempt, &error).filter(|pause| Instant::now() + *pause < deadline);
            match pause {
                Some(pause)
                    if attempt < self.limits.max_attempts
                        && self.circuit_breaker.is_closed()
                        && self.retry_budget.withdraw() =>
                {
                    tracing::debug!("retry in {} ms: {error}", pause.as_millis());
                    failure = Some(error);
                    tokio::time::sleep(pause).await;
                }
                _ => return Err(error),
            }
        }
        Err(failure.unwrap_or(Error::Interrupted(Interruption::DeadlineExceeded)))
    }

    /// A request with a nonce and a timestamp of its own.
    fn sign(
        &self,
        endpoint: &Endpoint,
        parameters: Vec<Parameter>,
    ) -> Result<SignedRequest, Error> {
        signing::sign(
            endpoint,
            parameters,
            &self.base_uri,
            &self.credentials,
            self.placement,
            &Stamp::now(),
        )
    }

    /// Transmits a request that is never repeated, over a connection of its own.
    pub(crate) async fn transmit_once(
        &self,
        request: SignedRequest,
    ) -> Result<Answer<Reply>, Error> {
        let deadline = Instant::now() + self.limits.change_deadline;
        // Its answer is received whatever it holds: it says what was bought.
        self.transmit(&self.unpooled, request, None, deadline).await
    }

    async fn transmit(
        &self,
        http: &reqwest::Client,
        request: SignedRequest,
        large: Option<&LargeAnswers>,
        deadline: Instant,
    ) -> Result<Answer<Reply>, Error> {
        let traceparent = self.traceparent.as_ref();
        let reply =
            connection::transmit(http, request, traceparent, (&self.limits, large), deadline)
                .await?;
        if let Some(ahead) = reply.document.clock_ahead {
            *self.clock_ahead.lock() = Some(ahead);
        }
        Ok(reply)
    }
}

/// The document in a reply, and what the headers around it said.
fn read(reply: Answer<Reply>, endpoint: &Endpoint) -> Result<Raw, Error> {
    reply.try_map(|reply| response::read(&reply, endpoint))
}

/// The wait in whole seconds, as `Retry-After` has it.
fn circuit_open(wait: Duration) -> Error {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Error::CircuitOpen {
        retry_after: Duration::from_secs(seconds.max(1)),
    }
}

#[cfg(test)]
mod tests;
