//! Credentials: the partner's key, a user's token, and defaults.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// A text that is never printed: its `Debug` is `[redacted]`, and its memory is wiped when dropped.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(SecretString);

impl Secret {
    /// The text itself, for signing and comparing only.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The partner's key, and the secret without which calls are sent unsigned.
#[derive(Debug, Clone)]
pub struct Consumer {
    /// OAuth consumer key.
    pub key: Secret,
    /// OAuth consumer secret; without it only `?oauth_consumer_key=KEY` is sent.
    pub secret: Option<Secret>,
}

/// A user's access token and its secret.
#[derive(Debug, Clone)]
pub struct Token {
    /// `oauth_token`.
    pub token: Secret,
    /// The token's secret, half of the signing key.
    pub secret: Secret,
}

/// All that is known before a call: keys, user and shop.
///
/// All fields are public and the struct is exhaustive; `..Credentials::default()` fills the rest.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// The partner; without it nothing is sent.
    pub consumer: Option<Consumer>,
    /// The user's token; it makes calls that need a user three-legged.
    pub token: Option<Token>,
    /// The managed user of calls without a token.
    pub user_id: Option<String>,
    /// ISO 3166-1 alpha-2 country sent where a call names neither country nor shop.
    pub country: Option<String>,
    /// Shop id, 7digital's older alternative to `country`.
    pub shop_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_print_as_redacted() {
        let consumer = Consumer {
            key: "canary".into(),
            secret: Some("canary".into()),
        };
        assert_eq!(
            format!("{consumer:?}"),
            "Consumer { key: [redacted], secret: Some([redacted]) }"
        );
    }
}
