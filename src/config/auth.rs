//! The settings of an OAuth authorization server, which belong together, and addresses of the web.

use url::{Host, Url};

use super::error::ConfigError;
use super::settings::Config;

/// Signature algorithms that may be set, all of public keys: an HMAC's key would have to be secret, and published keys are not.
const ALGORITHMS: [&str; 9] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
];

/// The settings of an authorization server belong together.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let fail = |problem: String| Err(ConfigError(problem));
    let settings = [
        ("auth_issuer", &config.auth_issuer),
        ("auth_audience", &config.auth_audience),
        ("auth_jwks_uri", &config.auth_jwks_uri),
    ];
    if settings.iter().all(|(_, value)| value.is_none()) {
        return Ok(());
    }
    for (key, value) in settings {
        let Some(value) = value else {
            return fail(format!(
                "`{key}` is missing: `auth_issuer`, `auth_audience` and `auth_jwks_uri` belong together"
            ));
        };
        if !is_web_address(value) {
            return fail(format!(
                "`{key}` is not an https URL, or an http URL of a loopback address, without a user and a fragment"
            ));
        }
    }
    let mut algorithms = config.auth_algorithms.iter();
    if let Some(name) = algorithms.find(|name| !ALGORITHMS.contains(&name.as_str())) {
        return fail(format!(
            "`auth_algorithms`: `{name}` is not one of {}",
            ALGORITHMS.join(", ")
        ));
    }
    if config.auth_algorithms.is_empty() {
        return fail("`auth_algorithms` is empty, so no access token could be accepted".into());
    }
    Ok(())
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

/// Whether nothing on the way can change what an address serves: https, or http on this machine.
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
