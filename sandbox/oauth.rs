//! Checks OAuth 1.0a signatures (RFC 5849, HMAC-SHA1) with code that is not the client's signer.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha1::Sha1;

use crate::demo;
use crate::refusal::DENIED;
use crate::request::{Pairs, Request, find};

/// How far a timestamp may be from the clock, in seconds.
const WINDOW: u64 = 300;
const MOST_NONCES: usize = 500_000;

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
    /// The signature was refused, for this reason.
    Refused(String),
}

/// The nonces seen within the window, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Nonces(BTreeSet<(u64, String)>);

/// Checks a request at `now`, in Unix seconds; `secret_of` gives the secret of a token that may sign it.
pub(crate) fn verify(
    request: &Request,
    now: u64,
    nonces: &mut Nonces,
    secret_of: impl Fn(&str) -> Option<String>,
) -> Signature {
    let parameters = parameters(request);
    if find(&parameters, "oauth_signature").is_none() {
        return match find(&parameters, "oauth_consumer_key") {
            Some(key) if key != demo::CONSUMER_KEY => Signature::Refused(DENIED.to_owned()),
            _ => Signature::Unsigned,
        };
    }
    match check(&parameters, request, now, nonces, secret_of) {
        Ok(token) => Signature::Verified { token },
        Err(reason) => Signature::Refused(reason),
    }
}

/// Every `oauth_` parameter in header, query and form, duplicates included.
pub(crate) fn oauth_parameters(headers: &Pairs, query: &Pairs, form: &Pairs) -> Pairs {
    let mut pairs = header_parameters(headers);
    pairs.extend(query.iter().chain(form).cloned());
    pairs.retain(|(name, _)| name.starts_with("oauth_"));
    pairs
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

/// Whether the signature is right. `secrets` are the consumer's and the token's.
fn signature_matches(base: &str, secrets: (&str, &str), signature: &str) -> bool {
    let key = format!("{}&{}", encode(secrets.0), encode(secrets.1));
    let Ok(signature) = STANDARD.decode(signature) else {
        return false;
    };
    Hmac::<Sha1>::new_from_slice(key.as_bytes())
        .is_ok_and(|mac| mac.chain_update(base).verify_slice(&signature).is_ok())
}

/// The token that signed, or the reason for refusing the signature.
fn check(
    parameters: &Pairs,
    request: &Request,
    now: u64,
    nonces: &mut Nonces,
    secret_of: impl Fn(&str) -> Option<String>,
) -> Result<Option<String>, String> {
    refuse_duplicates(parameters)?;
    let required =
        |name: &str| find(parameters, name).ok_or_else(|| format!("Missing parameter {name}"));
    let key = required("oauth_consumer_key")?;
    if key != demo::CONSUMER_KEY {
        return Err(DENIED.to_owned());
    }
    if required("oauth_signature_method")? != "HMAC-SHA1" {
        return Err("Signature method not supported".to_owned());
    }
    if find(parameters, "oauth_version").is_some_and(|version| version != "1.0") {
        return Err("Version not supported".to_owned());
    }
    let timestamp: u64 = required("oauth_timestamp")?
        .parse()
        .map_err(|_| "Invalid timestamp")?;
    if timestamp.abs_diff(now) > WINDOW {
        return Err("Invalid timestamp".to_owned());
    }
    let nonce = required("oauth_nonce")?;
    let token = find(parameters, "oauth_token").filter(|token| !token.is_empty());
    let token_secret = match token {
        Some(token) => secret_of(token).ok_or(DENIED)?,
        None => String::new(),
    };
    let host = find(&request.headers, "host").unwrap_or_default();
    let host = host.to_ascii_lowercase();
    let uri = format!("http://{}{}", host.trim_end_matches(":80"), request.path);
    let base = base_string(&request.method, &uri, parameters);
    let secrets = (demo::CONSUMER_SECRET, token_secret.as_str());
    if !signature_matches(&base, secrets, required("oauth_signature")?) {
        return Err("Invalid signature".to_owned());
    }
    nonces.spend(timestamp, &[key, token.unwrap_or_default(), nonce], now)?;
    Ok(token.map(str::to_owned))
}

fn refuse_duplicates(parameters: &Pairs) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    let mut names = parameters.iter().map(|(name, _)| name);
    match names.find(|name| name.starts_with("oauth_") && !seen.insert(*name)) {
        Some(name) => Err(format!("Parameter {name} given more than once")),
        None => Ok(()),
    }
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
    let mut pairs = header_parameters(&request.headers);
    pairs.retain(|(name, _)| name != "realm");
    pairs.extend(request.query.iter().chain(&request.form).cloned());
    pairs
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
    const SIGNUP: &str =
        "country=GB&emailAddress=joe%2Btest%40example.com&password=p%26ss+w%25rd%3D%C3%A9~*";
    const LOCKER: &str =
        "oauth_token=ABC1XYZ&country=GB&page=2&pageSize=50&sort=purchaseDate%20desc";
    const TOKEN_SECRET: &str = "oGBr7s1xQ0OBk6L1fddTCQ==";

    #[test]
    #[rustfmt::skip]
    fn published_and_computed_vectors_verify() {
        let rows = [
            ("POST", "oauth/requesttoken", "", "", "qX5UNhYyuqZVx+ZOXHQbWMpuKvE=", true),
            ("GET", "oauth/requesttoken", "", "", "WyCV9QnEOmgs7ju4SKT54H+d51s=", true),
            ("GET", "user/locker", LOCKER, TOKEN_SECRET, "sLC4BsnG1XjM43Gy11FCIb/v0x8=", true),
            ("POST", "user/signup", SIGNUP, "", "/WGYVnnquz9F7nmS4jPsUWckGkE=", true),
            ("POST", "user/signup", SIGNUP, "x", "/WGYVnnquz9F7nmS4jPsUWckGkE=", false),
        ];
        for (method, path, more, secret, signature, matches) in rows {
            let uri = format!("https://api.7digital.com/1.2/{path}");
            let base = base_string(method, &uri, &decode_form(&format!("{V1}&{more}")));
            let found = signature_matches(&base, ("YOUR_SECRET_HERE", secret), signature);
            assert_eq!(found, matches, "{method} {path}");
        }
    }

    #[test]
    fn the_base_string_of_the_rfc_is_reproduced() {
        let pairs = decode_form(
            "b5=%3D%253D&a3=a&c%40=&a2=r%20b&c2&a3=2+q&oauth_consumer_key=9djdj82h48djs9d2&oauth_token=kkk9d7dh3k39sjv7&oauth_signature_method=HMAC-SHA1&oauth_timestamp=137131201&oauth_nonce=7d8f3e4a",
        );
        let base = base_string("post", "http://example.com/request", &pairs);
        let expected = "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7";
        assert_eq!(base, expected);
        let secrets = ("j49sk3j29djd", "dh893hdasih9");
        assert!(signature_matches(
            &base,
            secrets,
            "r6/TJjbCOr97/+UU0NsvSne7s5g="
        ));
    }

    #[test]
    fn nonces_are_spent_once_and_forgotten_after_the_window() {
        let mut nonces = Nonces::default();
        let mut spend = |time, token| nonces.spend(time, &["key", token, "n"], time).is_ok();
        assert!(spend(1000, ""));
        assert!(!spend(1000, ""));
        assert!(spend(1000, "token"));
        assert!(spend(1500, ""));
        assert_eq!(nonces.0.len(), 1);
    }
}
