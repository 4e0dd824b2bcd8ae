//! OAuth 1.0a with HMAC-SHA1, after RFC 5849. Everything here is a pure function of its arguments.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use sha1::Sha1;
use url::{Position, Url};

use crate::credentials::{Consumer, Secret, Token};

/// RFC 5849 §3.6: all but `A-Z a-z 0-9 - . _ ~` is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A parameter's name and value, not encoded.
pub type Parameter = (String, String);

/// What makes each request unique: a time and a number that is used once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Seconds since 1970.
    pub timestamp: u64,
    /// At least 128 random bits, as text.
    pub nonce: String,
}

impl Stamp {
    /// The present time and a new random nonce of 128 bits.
    pub fn now() -> Self {
        let timestamp = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        Self {
            timestamp,
            nonce: format!("{:032x}", rand::random::<u128>()),
        }
    }
}

/// The OAuth parameters that sign a request, the signature among them.
///
/// `url` may carry a query; it is signed with `parameters`, which are those of the query still to come or of the form body.
///
/// ```
/// use sevendigital::{Consumer, oauth};
///
/// let url = "https://api.7digital.com/1.2/user/locker".parse()?;
/// let page = [("page".to_owned(), "1".to_owned())];
/// let consumer = Consumer { key: "key".into(), secret: None };
/// let oauth = oauth::sign("GET", &url, &page, &consumer, &"secret".into(), None, &oauth::Stamp::now());
/// assert!(oauth::authorization(&oauth).starts_with("OAuth oauth_consumer_key=\"key\", "));
/// # Ok::<(), url::ParseError>(())
/// ```
pub fn sign(
    method: &str,
    url: &Url,
    parameters: &[Parameter],
    consumer: &Consumer,
    consumer_secret: &Secret,
    token: Option<&Token>,
    stamp: &Stamp,
) -> Vec<Parameter> {
    let mut oauth = vec![
        (
            "oauth_consumer_key".to_owned(),
            consumer.key.expose().to_owned(),
        ),
        ("oauth_nonce".to_owned(), stamp.nonce.clone()),
        ("oauth_signature_method".to_owned(), "HMAC-SHA1".to_owned()),
        ("oauth_timestamp".to_owned(), stamp.timestamp.to_string()),
        ("oauth_version".to_owned(), "1.0".to_owned()),
    ];
    if let Some(token) = token {
        oauth.push(("oauth_token".to_owned(), token.token.expose().to_owned()));
    }
    let base = base_string(method, url, parameters.iter().chain(&oauth));
    let token_secret = token.map_or("", |token| token.secret.expose());
    oauth.push((
        "oauth_signature".to_owned(),
        signature(&base, consumer_secret.expose(), token_secret),
    ));
    oauth
}

/// The signature base string of RFC 5849 §3.4.1: method, URL without query, and all parameters, sorted.
pub fn base_string<'a>(
    method: &str,
    url: &Url,
    parameters: impl IntoIterator<Item = &'a Parameter>,
) -> String {
    let mut encoded: Vec<(String, String)> = parameters
        .into_iter()
        .map(|(name, value)| (encode(name), encode(value)))
        .chain(
            url.query_pairs()
                .map(|(name, value)| (encode(&name), encode(&value))),
        )
        .collect();
    encoded.sort();
    let mut normalised = String::new();
    for (name, value) in &encoded {
        let separator = if normalised.is_empty() { "" } else { "&" };
        normalised.extend([separator, name, "=", value]);
    }
    let address = encode(&url[..Position::AfterPath]);
    format!("{method}&{address}&{}", encode(&normalised))
}

/// HMAC-SHA1 of a base string, in base64. The `&` between the secrets stays when there is no token.
pub fn signature(base_string: &str, consumer_secret: &str, token_secret: &str) -> String {
    let key = format!("{}&{}", encode(consumer_secret), encode(token_secret));
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
    mac.update(base_string.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Percent-encoding as OAuth wants it: UTF-8, upper-case hex, only unreserved characters left as they are.
pub fn encode(text: &str) -> String {
    percent_encoded(text).collect()
}

fn percent_encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

/// Parameters as `name=value&name=value`, encoded the way they are signed: right for a query and for a form body.
pub fn encode_form(parameters: &[Parameter]) -> String {
    let mut form = String::new();
    for (name, value) in parameters {
        form.push_str(if form.is_empty() { "" } else { "&" });
        form.extend(percent_encoded(name));
        form.push('=');
        form.extend(percent_encoded(value));
    }
    form
}

/// The value of an `Authorization` header that carries these OAuth parameters.
pub fn authorization(oauth: &[Parameter]) -> String {
    let pairs: Vec<String> = oauth
        .iter()
        .map(|(name, value)| format!("{}=\"{}\"", encode(name), encode(value)))
        .collect();
    format!("OAuth {}", pairs.join(", "))
}

#[cfg(test)]
mod second_opinion;
#[cfg(test)]
mod tests;
