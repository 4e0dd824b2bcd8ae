//! Which layer each value came from, and what the operator should know of the layers.

use super::error::ConfigError;

/// How the source of what the file holds begins.
pub(super) const FILE: &str = "configuration file";
/// How the source of what an environment variable holds begins.
pub(super) const ENVIRONMENT: &str = "environment variable";
/// How the source of a flag begins.
pub(super) const FLAG: &str = "flag";

/// Where a setting has its value from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The setting's place in the file, such as `limits.body_bytes`.
    pub path: String,
    /// The layer, such as "flag `--bind`".
    pub source: String,
    /// The value, `[redacted]` if it is a secret; none for a placeholder such as `${SECRET}`, which counts as not set.
    pub value: Option<String>,
}

impl Origin {
    /// Whether an environment variable gives the value.
    pub fn is_environment(&self) -> bool {
        self.value.is_some() && self.source.starts_with(ENVIRONMENT)
    }
}

/// What reading the layers shows besides their values.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) warnings: Vec<ConfigError>,
    pub(super) origins: Vec<Origin>,
}

impl Notes {
    /// Where the setting at that place in the file has its value from.
    pub(super) fn add(&mut self, path: String, source: &str, value: Option<String>) {
        let source = source.to_owned();
        self.origins.push(Origin {
            path,
            source,
            value,
        });
    }
}
