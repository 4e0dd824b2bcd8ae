//! What can go wrong with a client or its file.

/// What is wrong: what it is, where, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConnectError(pub String);

pub(super) type Result<T> = std::result::Result<T, ConnectError>;
