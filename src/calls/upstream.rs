//! The client that calls 7digital as the settings say.

use sevendigital::Client;

use crate::config::{Config, ConfigError};

/// A client of these settings. Fails where the platform's TLS roots can't be loaded. Opens no connection.
pub fn client(config: &Config) -> Result<Client, ConfigError> {
    let program = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
    Client::builder(config.base_uri.clone())
        .placement(config.oauth_placement)
        .credentials(config.credentials())
        .user_agent(program)
        .limits(config.limits.upstream())
        .build()
        .map_err(|error| ConfigError(format!("the HTTPS client can't be started: {error}")))
}
