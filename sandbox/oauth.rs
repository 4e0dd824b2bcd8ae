//! Checks OAuth 1.0a signatures (RFC 5849, HMAC-SHA1) with code that is not the client's signer.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha1::Sha1;

use crate::demo;
use crate::request::{Pairs, Request};

/// How far a timestamp may be from the clock, in seconds.
const WINDOW: u64 = 300;
const MOST_NONCES: usize = 500_000;

pub(crate) const DENIED: &str = "Access to resource denied";
pub(crate) const NO_CREDENTIALS: &str = "Not authorised - no user credentials provided";
pub(crate) const NEEDS_TOKEN: &str = "Resource requires access token";
pub(crate) const NOT_FOUND: &str = "Resource not found";

/// Everything but RFC 3986's unreserved characters is written with percent signs.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What the sandbox found when it checked a request's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// The signature is right; with a token the call is three-legged.
    Verified {
        /// The access token (or request token) that signed, if any.
        token: Option<String>,
    },
    /// The request carries no signature.
    Unsigned,
    /// The signature was refused, and why.
    Refused(String),
}

/// The nonces seen within the window, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Nonces(BTreeSet<(u64, String)>);

/// Checks a request; `secret_of` knows the secrets of the tokens that are good for it.
pub(crate) fn verify(
    request: &Request,
    host: &str,
    now: u64,
    nonces: &mut Nonces,
    secret_of: impl Fn(&str) -> Option<String>,
) -> Signature {
    let parameters = parameters(request);
    if !parameters.iter().any(|(name, _)| name == "oauth_signature") {
        let key = parameters
            .iter()
            .find(|(name, _)| name == "oauth_consumer_key");
        return match key {
            Some((_, key)) if key != demo::CONSUMER_KEY => Signature::Refused(DENIED.to_owned()),
            _ => Signature::Unsigned,
        };
    }
    match check(&parameters, request, host, now, nonces, secret_of) {
        Ok(token) => Signature::Verified { token },
        Err(reason) => Signature::Refused(reason),
    }
}

/// Every `oauth_` parameter in header, query and form, duplicates included.
pub(crate) fn oauth_parameters(headers: &Pairs, query: &Pairs, form: &Pairs) -> Pairs {
    let pairs = header_parameters(headers)
        .into_iter()
        .chain(query.clone())
        .chain(form.clone());
    pairs
        .filter(|(name, _)| name.starts_with("oauth_"))
        .collect()
}

/// The signature base string of RFC 5849 section 3.4.1.
fn base_string(method: &str, uri: &str, parameters: &Pairs) -> String {
    let mut pairs: Vec<(String, String)> = parameters
        .iter()
        .filter(|(name, _)| name != "oauth_signature")
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!(
        "{}&{}&{}",
        method.to_ascii_uppercase(),
        encode(uri),
        encode(&pairs.join("&"))
    )
}

fn signature_matches(
    base: &str,
    consumer_secret: &str,
    token_secret: &str,
    signature: &str,
) -> bool {
    let key = format!("{}&{}", encode(consumer_secret), encode(token_secret));
    let Ok(signature) = STANDARD.decode(signature) else {
        return false;
    };
    Hmac::<Sha1>::new_from_slice(key.as_bytes())
        .is_ok_and(|mac| mac.chain_update(base).verify_slice(&signature).is_ok())
}

fn check(
    parameters: &Pairs,
    request: &Request,
    host: &str,
    now: u64,
    nonces: &mut Nonces,
    secret_of: impl Fn(&str) -> Option<String>,
) -> Result<Option<String>, String> {
    refuse_duplicates(parameters)?;
    let value = |name: &str| {
        parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let required = |name: &str| value(name).ok_or_else(|| format!("Missing parameter {name}"));
    let key = required("oauth_consumer_key")?;
    if key != demo::CONSUMER_KEY {
        return Err(DENIED.to_owned());
    }
    if required("oauth_signature_method")? != "HMAC-SHA1" {
        return Err("Signature method not supported".to_owned());
    }
    if value("oauth_version").is_some_and(|version| version != "1.0") {
        return Err("Version not supported".to_owned());
    }
    let timestamp: u64 = required("oauth_timestamp")?
        .parse()
        .map_err(|_| "Invalid timestamp")?;
    if timestamp.abs_diff(now) > WINDOW {
        return Err("Invalid timestamp".to_owned());
    }
    let nonce = required("oauth_nonce")?;
    let token = value("oauth_token").filter(|token| !token.is_empty());
    let token_secret = match token {
        Some(token) => secret_of(token).ok_or(DENIED)?,
        None => String::new(),
    };
    let uri = format!(
        "http://{}{}",
        host.to_ascii_lowercase().trim_end_matches(":80"),
        request.path
    );
    let base = base_string(&request.method, &uri, parameters);
    if !signature_matches(
        &base,
        demo::CONSUMER_SECRET,
        &token_secret,
        required("oauth_signature")?,
    ) {
        return Err("Invalid signature".to_owned());
    }
    nonces.spend(timestamp, &[key, token.unwrap_or_default(), nonce], now)?;
    Ok(token.map(str::to_owned))
}

fn refuse_duplicates(parameters: &Pairs) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for (name, _) in parameters
        .iter()
        .filter(|(name, _)| name.starts_with("oauth_"))
    {
        if !seen.insert(name) {
            return Err(format!("Parameter {name} given more than once"));
        }
    }
    Ok(())
}

impl Nonces {
    /// Remembers a nonce, or refuses it when it was used before with the same key, token and time.
    fn spend(&mut self, timestamp: u64, parts: &[&str], now: u64) -> Result<(), String> {
        self.0 = self
            .0
            .split_off(&(now.saturating_sub(WINDOW), String::new()));
        if self.0.len() >= MOST_NONCES {
            self.0.pop_first();
        }
        let fresh = self.0.insert((timestamp, parts.join("\n")));
        if fresh {
            Ok(())
        } else {
            Err("Nonce already used".to_owned())
        }
    }
}

/// Every parameter that a signature covers, from the header, the query and a form body.
fn parameters(request: &Request) -> Pairs {
    let header = header_parameters(&request.headers)
        .into_iter()
        .filter(|(name, _)| name != "realm");
    header
        .chain(request.query.clone())
        .chain(request.form.clone())
        .collect()
}

/// The parameters of every `Authorization: OAuth ...` header.
fn header_parameters(headers: &Pairs) -> Pairs {
    let schemes = headers
        .iter()
        .filter(|(name, _)| name == "authorization")
        .filter_map(|(_, value)| {
            let (scheme, parameters) = value.trim().split_once(' ')?;
            scheme.eq_ignore_ascii_case("OAuth").then_some(parameters)
        });
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = schemes
        .flat_map(|parameters| parameters.split(','))
        .filter_map(|part| {
            let (name, value) = part.trim().split_once('=')?;
            Some((decode(name.trim()), decode(value.trim().trim_matches('"'))))
        });
    pairs.collect()
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::decode_form;

    const V1: &str = "oauth_consumer_key=YOUR_KEY_HERE&oauth_nonce=950262835&oauth_signature_method=HMAC-SHA1&oauth_timestamp=1426071532&oauth_version=1.0";
    const TOKEN_SECRET: &str = "oGBr7s1xQ0OBk6L1fddTCQ==";

    fn check(method: &str, uri: &str, more: &str, token_secret: &str, signature: &str) -> bool {
        let base = base_string(method, uri, &decode_form(&format!("{V1}&{more}")));
        signature_matches(&base, "YOUR_SECRET_HERE", token_secret, signature)
    }

    #[test]
    fn published_and_computed_vectors_verify() {
        let signup =
            "country=GB&emailAddress=joe%2Btest%40example.com&password=p%26ss+w%25rd%3D%C3%A9~*";
        let locker = "oauth_token=ABC1XYZ&country=GB&page=2&pageSize=50&sort=purchaseDate%20desc";
        let base = "https://api.7digital.com/1.2";
        let rows = [
            (
                "POST",
                "/oauth/requesttoken",
                "",
                "",
                "qX5UNhYyuqZVx+ZOXHQbWMpuKvE=",
            ),
            (
                "GET",
                "/oauth/requesttoken",
                "",
                "",
                "WyCV9QnEOmgs7ju4SKT54H+d51s=",
            ),
            (
                "GET",
                "/user/locker",
                locker,
                TOKEN_SECRET,
                "sLC4BsnG1XjM43Gy11FCIb/v0x8=",
            ),
            (
                "POST",
                "/user/signup",
                signup,
                "",
                "/WGYVnnquz9F7nmS4jPsUWckGkE=",
            ),
        ];
        for (method, path, more, secret, signature) in rows {
            assert!(
                check(method, &format!("{base}{path}"), more, secret, signature),
                "{method} {path}"
            );
        }
        assert!(!check(
            "POST",
            &format!("{base}/user/signup"),
            signup,
            "x",
            "/WGYVnnquz9F7nmS4jPsUWckGkE="
        ));
    }

    #[test]
    fn the_base_string_of_the_rfc_is_reproduced() {
        let pairs = decode_form(
            "b5=%3D%253D&a3=a&c%40=&a2=r%20b&c2&a3=2+q&oauth_consumer_key=9djdj82h48djs9d2&oauth_token=kkk9d7dh3k39sjv7&oauth_signature_method=HMAC-SHA1&oauth_timestamp=137131201&oauth_nonce=7d8f3e4a",
        );
        let base = base_string("post", "http://example.com/request", &pairs);
        assert_eq!(
            base,
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        );
        assert!(signature_matches(
            &base,
            "j49sk3j29djd",
            "dh893hdasih9",
            "r6/TJjbCOr97/+UU0NsvSne7s5g="
        ));
    }

    #[test]
    fn nonces_are_spent_once_and_forgotten_after_the_window() {
        let mut nonces = Nonces::default();
        assert!(nonces.spend(1000, &["key", "", "n"], 1000).is_ok());
        assert!(nonces.spend(1000, &["key", "", "n"], 1001).is_err());
        assert!(nonces.spend(1000, &["key", "token", "n"], 1001).is_ok());
        assert!(nonces.spend(1500, &["key", "", "n"], 1500).is_ok());
        assert_eq!(nonces.0.len(), 1);
    }
}
