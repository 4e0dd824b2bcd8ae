//! The settings of an OAuth authorization server, which belong together, and addresses of the web.

use url::{Host, Url};

use super::{Config, ConfigError};
use crate::identity::access_token::{self, Trust};
use crate::identity::protected_resource::Resource;

impl Config {
    /// The authorization server whose access tokens are taken, if there is one.
    pub fn trust(&self) -> Option<Trust> {
        let algorithms = self.auth_algorithms.iter();
        Some(Trust {
            issuer: self.auth_issuer.clone()?,
            audience: self.auth_audience.clone()?,
            jwks_uri: Url::parse(self.auth_jwks_uri.as_ref()?).ok()?,
            algorithms: algorithms
                .filter_map(|name| access_token::algorithm(name))
                .collect(),
        })
    }

    /// This server as clients of that authorization server know it.
    pub fn resource(&self) -> Option<Resource> {
        let name = self.auth_audience.clone()?;
        Some(Resource {
            uri: Url::parse(&name).ok()?,
            name,
            issuer: self.auth_issuer.clone()?,
        })
    }

    /// The settings of an authorization server belong together.
    pub(super) fn check_auth(&self) -> Result<(), ConfigError> {
        let settings = [
            ("auth_issuer", &self.auth_issuer),
            ("auth_audience", &self.auth_audience),
            ("auth_jwks_uri", &self.auth_jwks_uri),
        ];
        if settings.iter().all(|(_, value)| value.is_none()) {
            return Ok(());
        }
        for (key, value) in settings {
            let Some(value) = value else {
                return Err(ConfigError(format!(
                    "`{key}` is missing: `auth_issuer`, `auth_audience` and `auth_jwks_uri` belong together"
                )));
            };
            if !is_web_address(value) {
                return Err(ConfigError(format!(
                    "`{key}` is not an https URL, or an http URL of a loopback address, without a user and a fragment"
                )));
            }
        }
        match self
            .auth_algorithms
            .iter()
            .find(|name| access_token::algorithm(name).is_none())
        {
            Some(name) => Err(ConfigError(format!(
                "`auth_algorithms`: `{name}` is not one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA"
            ))),
            None if self.auth_algorithms.is_empty() => Err(ConfigError(
                "`auth_algorithms` is empty, so no access token could be taken".into(),
            )),
            None => Ok(()),
        }
    }
}

/// An origin of the web (scheme, host and perhaps a port) as browsers write it: in small letters, and without the scheme's own port.
pub(super) fn origin(value: &str) -> Option<String> {
    let url = Url::parse(value).ok()?;
    let is_origin = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && !value.ends_with('/')
        && url.query().is_none()
        && url.fragment().is_none()
        && has_no_user(&url);
    is_origin.then(|| url.origin().ascii_serialization())
}

fn has_no_user(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

/// Whether it is an address that nobody on the way can change: https, or http on this machine.
fn is_web_address(value: &str) -> bool {
    Url::parse(value).is_ok_and(|url| {
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        (url.scheme() == "https" || (url.scheme() == "http" && is_loopback))
            && url.fragment().is_none()
            && has_no_user(&url)
    })
}
