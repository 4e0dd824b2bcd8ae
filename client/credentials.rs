//! As whom and where to: keys, tokens, defaults and the base URI.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::{Host, Url};

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

/// All that is known before a call: who signs, for whom, and in which shop.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// The partner; without it nothing is sent.
    pub consumer: Option<Consumer>,
    /// The user's token; it makes calls that need a user three-legged.
    pub token: Option<Token>,
    /// The managed user whom calls without a token are for.
    pub user_id: Option<String>,
    /// ISO 3166-1 alpha-2 country sent where a call names neither country nor shop.
    pub country: Option<String>,
    /// Shop id, 7digital's older alternative to `country`.
    pub shop_id: Option<String>,
}

/// Where the OAuth parameters of a signed request stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// In the query for GET, in the `Authorization` header for POST.
    #[default]
    Auto,
    /// Always in the query.
    Query,
    /// Always in the `Authorization` header.
    Header,
}

/// The root of the API, such as `https://api.7digital.com/1.2`.
///
/// `https` everywhere, or `http` to a loopback address; without user, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUri(Url);

impl BaseUri {
    /// The root as a URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Whether the host is this machine: the sandbox, or a stub.
    pub fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
            None => false,
        }
    }

    /// The URL of a path below the root. `path` is already encoded and starts with `/`.
    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        let root = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{root}{path}"));
        url
    }
}

impl FromStr for BaseUri {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // What can't be taken apart is not shown: it may hold a password, and so may a query.
        let url = Url::parse(text).map_err(|error| format!("it is not a URL: {error}"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a user or password in the URL is not accepted".into());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("a query or fragment in the URL is not accepted".into());
        }
        let base = Self(url);
        match base.0.scheme() {
            "https" => Ok(base),
            "http" if base.is_loopback() => Ok(base),
            "http" => Err(format!(
                "`{text}`: http is accepted for loopback only, use https"
            )),
            other => Err(format!(
                "`{text}`: `{other}` is not a scheme to call an API with, use https"
            )),
        }
    }
}

impl fmt::Display for BaseUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
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

    #[test]
    fn plain_http_is_for_loopback_only() {
        for accepted in [
            "https://api.7digital.com/1.2",
            "https://api.7digital.com/1.2/",
            "http://127.0.0.1:9070/1.2",
            "http://localhost:9070",
            "http://[::1]:9070/1.2",
        ] {
            assert!(accepted.parse::<BaseUri>().is_ok(), "{accepted}");
        }
        for refused in [
            "http://api.7digital.com/1.2",
            "http://localhost.evil.example/1.2",
            "http://127.0.0.1.evil.example",
            "https://user:pass@api.7digital.com",
            "https://api.7digital.com/1.2?x=y",
            "https://api.7digital.com/#x",
            "ftp://127.0.0.1/",
            "api.7digital.com",
        ] {
            assert!(refused.parse::<BaseUri>().is_err(), "{refused}");
        }
    }

    #[test]
    fn a_base_uri_with_a_closing_slash_means_the_same() {
        let base: BaseUri = "https://api.7digital.com/1.2/".parse().unwrap();
        assert_eq!(base.to_string(), "https://api.7digital.com/1.2");
        assert_eq!(
            base.join("/user/locker").as_str(),
            "https://api.7digital.com/1.2/user/locker"
        );
    }
}
