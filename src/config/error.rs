//! What is wrong with the configuration.

/// What is wrong with the configuration: the key, the layer that it came from, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);
