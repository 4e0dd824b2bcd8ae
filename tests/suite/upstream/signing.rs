//! What is signed: any request at all, held against a second implementation.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::num::NonZeroU64;

use oauth1_request::signature_method::{Sign as _, SignatureMethod as _};
use oauth1_request::{Builder, Credentials, HMAC_SHA1, ParameterList};
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::strategy::BoxedStrategy;
use proptest::{collection, option, sample};
use sevendigital::oauth::{self, Stamp};
use sevendigital::{Consumer, Secret, Token};
use url::Url;

use super::reader::{check, same};

/// A request to be signed.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) address: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) form: Vec<(String, String)>,
    pub(super) consumer: (String, String),
    pub(super) token: Option<(String, String)>,
    pub(super) nonce: String,
    pub(super) timestamp: u64,
}

/// A text with everything in it that is encoded in one way or another.
fn word() -> BoxedStrategy<String> {
    let pieces = sample::select(vec![
        "a", "b", "A", "z2", "0", " ", "+", "%", "%20", "%2B", "&", "=", "?", "#", "/", ";", ":",
        "@", "!", "'", "(", ")", "*", "~", "-", ".", "_", "é", "İ", "ß", "你", "🎵", "\u{202e}",
        "\n", "\0", "\"", "\\", "[", "]", "oauth_",
    ]);
    prop_oneof![
        4 => collection::vec(pieces, 0..5).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
    .boxed()
}

fn request(name: &BoxedStrategy<String>) -> impl Strategy<Value = Request> + use<> {
    let host = sample::select(vec![
        "api.7digital.com",
        "API.7digital.COM",
        "127.0.0.1",
        "[::1]",
        "localhost",
        "bücher.example",
    ]);
    let port = option::of(sample::select(vec![80_u16, 443, 8080, 1, 65_535]));
    let path = sample::select(vec![
        "1.2", "user", "locker", "a%20b", "a%2Fb", "~x", "ü", "A;b=c", "x:y@z", "*", "'", "",
    ]);
    let path = collection::vec(path, 0..4);
    let address = (sample::select(vec!["http", "https"]), host, port, path);
    let address = address.prop_map(|(scheme, host, port, path)| {
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        format!("{scheme}://{host}{port}/{}", path.join("/"))
    });
    let pairs = || collection::vec((name.clone(), word()), 0..5);
    let request = (
        sample::select(vec!["GET", "POST"]).prop_map(str::to_owned),
        address,
        (pairs(), pairs()),
        (word(), word()),
        option::of((word(), word())),
        "[A-Za-z0-9]{1,40}",
        1..u64::from(u32::MAX) * 4,
    );
    request.prop_map(
        |(method, address, (query, form), consumer, token, nonce, timestamp)| Request {
            method,
            address,
            query,
            form,
            consumer,
            token,
            nonce,
            timestamp,
        },
    )
}

impl Request {
    fn bare_url(&self) -> Url {
        Url::parse(&self.address).unwrap()
    }

    /// The OAuth parameters as our signer makes them, without the signature, and the signature.
    fn signed(&self) -> (Vec<(String, String)>, String) {
        let mut url = self.bare_url();
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let (key, secret) = &self.consumer;
        let secret = Secret::from(secret.as_str());
        let consumer = Consumer {
            key: Secret::from(key.as_str()),
            secret: Some(secret.clone()),
        };
        let token = self.token.as_ref().map(|(token, secret)| Token {
            token: Secret::from(token.as_str()),
            secret: Secret::from(secret.as_str()),
        });
        let stamp = Stamp {
            timestamp: self.timestamp,
            nonce: self.nonce.clone(),
        };
        let mut signed = oauth::sign(
            &self.method,
            &url,
            &self.form,
            &consumer,
            &secret,
            token.as_ref(),
            &stamp,
        );
        let (name, signature) = signed.pop().unwrap();
        assert_eq!(name, "oauth_signature");
        (signed, signature)
    }
}

fn decoded(encoded: &str) -> String {
    let pair = format!("s={encoded}");
    let (_, text) = url::form_urlencoded::parse(pair.as_bytes()).next().unwrap();
    text.into_owned()
}

/// The signature as the crate oauth1-request makes it of the whole request.
pub(super) fn whole_second_opinion(request: &Request) -> String {
    let (key, secret) = &request.consumer;
    let client = Credentials::new(key.as_str(), secret.as_str());
    let mut builder = Builder::<_, _, &str>::new(client, HMAC_SHA1);
    if let Some((token, secret)) = &request.token {
        builder.token(Credentials::new(token.as_str(), secret.as_str()));
    }
    builder
        .nonce(request.nonce.as_str())
        .timestamp(NonZeroU64::new(request.timestamp).unwrap())
        .version(true);
    let parameters = request.query.iter().chain(&request.form);
    let parameters: Vec<(&str, &str)> = parameters
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let address = request.bare_url();
    let parameters = ParameterList::new(parameters);
    let header = builder.authorize(&request.method, address.as_str(), &parameters);
    let (_, rest) = header.split_once("oauth_signature=\"").unwrap();
    decoded(rest.split('"').next().unwrap())
}

/// RFC 5849 §3.6, byte by byte.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").unwrap();
        }
    }
    encoded
}

/// The signature by the same crate's HMAC, over parameters that were sorted here after they were encoded (RFC 5849 §3.4.1.3.2).
///
/// The crate itself sorts before it encodes, which is another order where a name holds a character that is encoded.
fn second_opinion(request: &Request, oauth: &[(String, String)]) -> String {
    let token_secret = request.token.as_ref().map(|(_, secret)| secret.as_str());
    let mut sign = HMAC_SHA1.sign_with(&request.consumer.1, token_secret);
    sign.request_method(&request.method);
    sign.uri(encoded(request.bare_url().as_str()));
    let parameters = request.query.iter().chain(&request.form).chain(oauth);
    let mut parameters: Vec<(String, String)> = parameters
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    parameters.sort();
    for (number, (name, value)) in parameters.iter().enumerate() {
        if number > 0 {
            sign.delimiter();
        }
        sign.parameter(&encoded(name), encoded(value));
    }
    decoded(&sign.end().to_string())
}

#[test]
fn a_second_implementation_signs_every_request_alike() {
    check(&request(&word()), |request| {
        let (oauth, signature) = request.signed();
        same(&oauth.len(), &(5 + usize::from(request.token.is_some())))?;
        same(&signature, &second_opinion(request, &oauth))?;
        let sent = oauth::encode_form(&request.form);
        let received: Vec<(String, String)> = url::form_urlencoded::parse(sent.as_bytes())
            .into_owned()
            .collect();
        same(&received, &request.form)
    });
}

#[test]
fn a_second_implementation_signs_a_whole_request_alike() {
    // Names that are sorted alike before and after they are encoded, each once.
    let name = "[A-Za-z0-9._~-]{1,8}".boxed();
    let once = request(&name).prop_filter("each once", |request| {
        let names = request.query.iter().chain(&request.form);
        let names: Vec<&String> = names.map(|(name, _)| name).collect();
        names.iter().collect::<BTreeSet<_>>().len() == names.len()
    });
    check(&once, |request| {
        same(&request.signed().1, &whole_second_opinion(request))
    });
}
