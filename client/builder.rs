//! The builder of a client: all settings have defaults but the API's root.

use std::sync::Arc;

use crate::base_uri::BaseUri;
use crate::circuit_breaker::CircuitBreaker;
use crate::client::Client;
use crate::connection::{Opener, platform_tls};
use crate::credentials::Credentials;
use crate::large::LargeAnswers;
use crate::limits::Limits;
use crate::pools::Pools;
use crate::retry_budget::RetryBudget;
use crate::signing::Placement;

impl Client {
    /// A builder of a client for this root of the API.
    ///
    /// ```
    /// use sevendigital::{Client, Consumer, Credentials};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::builder("https://api.7digital.com/1.2".parse()?)
    ///     .credentials(Credentials {
    ///         consumer: Some(Consumer { key: "YOUR_KEY".into(), secret: Some("YOUR_SECRET".into()) }),
    ///         country: Some("GB".to_owned()),
    ///         ..Credentials::default()
    ///     })
    ///     .user_agent("my-shop/1.0")
    ///     .build()?;
    /// assert!(!client.base_uri().is_loopback());
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(base_uri: BaseUri) -> ClientBuilder {
        ClientBuilder {
            base_uri,
            placement: Placement::default(),
            credentials: Credentials::default(),
            user_agent: concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")).to_owned(),
            limits: Limits::default(),
        }
    }
}

/// What [`Client::builder`] gives.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing before `build`"]
pub struct ClientBuilder {
    base_uri: BaseUri,
    placement: Placement,
    credentials: Credentials,
    user_agent: String,
    limits: Limits,
}

impl ClientBuilder {
    /// The keys and tokens that calls are made with. Without a consumer key nothing is sent.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// Where the OAuth parameters stand; [`Placement::Auto`] unless set.
    pub fn placement(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// The program's name and version, as the `User-Agent` header has them; this crate's unless set.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// What bounds each call; [`Limits::default`] unless set.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The client. Opens no connection yet.
    ///
    /// Fails where the platform's TLS roots can't be loaded, or where the user agent can't be a header.
    pub fn build(self) -> Result<Client, BuildError> {
        let mut tls = platform_tls().map_err(BuildError::Tls)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let opener = Opener {
            user_agent: self.user_agent,
            connect_timeout: self.limits.connect_timeout,
            is_loopback: self.base_uri.is_loopback(),
            tls,
        };
        Ok(Client {
            unpooled: opener.open(0)?,
            pools: Arc::new(Pools::new(opener, &self.credentials)?),
            retry_budget: Arc::new(RetryBudget::new(self.limits.retry_budget_percent)),
            circuit_breaker: Arc::new(CircuitBreaker::new(self.limits)),
            large_answers: Arc::new(LargeAnswers::new(&self.limits)),
            base_uri: self.base_uri,
            placement: self.placement,
            credentials: Arc::new(self.credentials),
            limits: self.limits,
            traceparent: None,
            is_dry: false,
            clock_ahead: Arc::default(),
        })
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The platform's trust in certificates can't be loaded.
    #[error("TLS can't be set up: {0}")]
    Tls(rustls::Error),
    /// The user agent can't be a header.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
}
