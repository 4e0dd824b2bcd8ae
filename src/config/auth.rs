//! The settings of an OAuth authorization server, which belong together, and addresses of the web.

use url::{Host, Url};

use super::settings::Config;

/// Signature algorithms that may be set, all of public keys: an HMAC's key would have to be secret, and published keys are not.
const ALGORITHMS: &str = "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA";

/// The settings of an authorization server belong together.
pub(super) fn check(config: &Config) -> Result<(), String> {
    let settings = [
        ("auth_issuer", &config.auth_issuer),
        ("auth_audience", &config.auth_audience),
        ("auth_jwks_uri", &config.auth_jwks_uri),
    ];
    if settings.iter().all(|(_, value)| value.is_none()) {
        return Ok(());
    }
    for (key, value) in settings {
        let problem = match value {
            Some(value) if is_web_address(value) => continue,
            Some(_) => {
                "is not an https URL, or an http URL of a loopback address, without a user and a fragment"
            }
            None => {
                "is missing: `auth_issuer`, `auth_audience` and `auth_jwks_uri` belong together"
            }
        };
        return Err(format!("`{key}` {problem}"));
    }
    let is_known = |name: &str| ALGORITHMS.split(", ").any(|known| known == name);
    let mut algorithms = config.auth_algorithms.iter();
    if let Some(name) = algorithms.find(|name| !is_known(name)) {
        return Err(format!(
            "`auth_algorithms`: `{name}` is not one of {ALGORITHMS}"
        ));
    }
    if config.auth_algorithms.is_empty() {
        return Err("`auth_algorithms` is empty, so no access token could be accepted".into());
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
    let Ok(url) = Url::parse(value) else {
        return false;
    };
    let is_loopback = url.host().is_some_and(|host| match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    });
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback);
    is_safe && url.fragment().is_none() && has_no_user(&url)
}
