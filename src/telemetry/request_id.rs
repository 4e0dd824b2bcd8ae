//! A name for each request, which its log lines and its errors hold: what a user quotes, an operator finds.

use std::fmt;
use std::sync::Arc;

/// Sixteen hexadecimal digits, new for each request. Clients don't choose it, so it can't be forged in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for RequestId {
    /// A new one.
    fn default() -> Self {
        Self(format!("{:016x}", rand::random::<u64>()).into())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
