//! Where the API is: its root, and what such a root may be.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::{Host, Url};

/// The root of the API, such as `https://api.7digital.com/1.2`.
///
/// `https` everywhere, or `http` to a loopback address; without user, query or fragment.
///
/// ```
/// use sevendigital::{BaseUri, BaseUriError};
///
/// let base: BaseUri = "https://api.7digital.com/1.2/".parse()?;
/// assert_eq!(base.to_string(), "https://api.7digital.com/1.2");
/// assert!("http://api.7digital.com/1.2".parse::<BaseUri>().is_err());
/// # Ok::<(), BaseUriError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUri(Url);

impl BaseUri {
    /// The root as a URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Whether the host is this machine, as for a stub of the API.
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
    type Err = BaseUriError;

    fn from_str(text: &str) -> Result<Self, BaseUriError> {
        // Text that is rejected before its user and query are known to be absent is not shown: it may hold a password.
        let url = Url::parse(text).map_err(BaseUriError::Url)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUriError::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUriError::QueryOrFragment);
        }
        let base = Self(url);
        match base.0.scheme() {
            "https" => Ok(base),
            "http" if base.is_loopback() => Ok(base),
            "http" => Err(BaseUriError::PlainHttp(text.to_owned())),
            _ => Err(BaseUriError::Scheme {
                scheme: base.0.scheme().to_owned(),
                uri: text.to_owned(),
            }),
        }
    }
}

impl fmt::Display for BaseUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// Why a text is not the root of an API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseUriError {
    /// No absolute URL.
    #[error("it is not a URL: {0}")]
    Url(url::ParseError),
    /// A user or password, which would be printed with the URL.
    #[error("a user or password in the URL is not accepted")]
    UserInfo,
    /// Each call has a query of its own.
    #[error("a query or fragment in the URL is not accepted")]
    QueryOrFragment,
    /// Calls carry passwords, so they are encrypted.
    #[error("`{0}`: http is accepted for loopback only, use https")]
    PlainHttp(String),
    /// Neither `https` nor `http`.
    #[error("`{uri}`: `{scheme}` is not a scheme to call an API with, use https")]
    Scheme {
        /// The scheme found.
        scheme: String,
        /// The text.
        uri: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

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
