//! The client that calls 7digital, for each call's user and trace.

use sevendigital::{Client, Credentials};

use crate::config::{Config, ConfigError};
use crate::identity::User;
use crate::problem::Problem;
use crate::telemetry::trace_context::TraceContext;

/// The client that the settings describe.
pub fn client(config: &Config) -> Result<Client, ConfigError> {
    let program = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
    Client::builder(config.base_uri.clone())
        .placement(config.oauth_placement)
        .credentials(config.credentials())
        .user_agent(program)
        .limits(config.limits.upstream())
        .build()
        .map_err(|error| ConfigError::new(format!("the HTTPS client can't be started: {error}")))
}

/// The same client for one call. Fails where there is no consumer key: every request names it.
pub(super) fn for_call(
    client: &Client,
    user: Option<User>,
    trace: Option<TraceContext>,
) -> Result<Client, Problem> {
    let configured = client.credentials();
    if configured.consumer.is_none() {
        return Err(sevendigital::Error::NoConsumerKey.into());
    }
    let client = match trace {
        Some(trace) => client.with_traceparent(trace.header()),
        None => client.clone(),
    };
    let Some(user) = user else {
        return Ok(client);
    };
    let (token, user_id) = match user {
        User::Token(token) => (Some(token), None),
        User::Id(id) => (None, Some(id)),
    };
    let credentials = Credentials {
        token,
        user_id,
        ..configured.clone()
    };
    Ok(client.with_credentials(credentials))
}
