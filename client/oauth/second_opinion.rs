//! Any request at all, signed by this crate and by the crate oauth1-request.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::num::NonZeroU64;

use oauth1_request::signature_method::{Sign as _, SignatureMethod as _};
use oauth1_request::{Builder, Credentials, HMAC_SHA1, ParameterList};
use proptest::prelude::*;
use proptest::{collection, option, sample};

use super::*;

/// A request to be signed.
#[derive(Debug, Clone)]
struct Request {
    method: &'static str,
    address: String,
    query: Vec<Parameter>,
    form: Vec<Parameter>,
    consumer: (String, String),
    token: Option<(String, String)>,
    stamp: Stamp,
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

fn address() -> impl Strategy<Value = String> {
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
    address.prop_map(|(scheme, host, port, path)| {
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        format!("{scheme}://{host}{port}/{}", path.join("/"))
    })
}

fn request(name: &BoxedStrategy<String>) -> impl Strategy<Value = Request> + use<> {
    let pairs = || collection::vec((name.clone(), word()), 0..5);
    let stamp = ("[A-Za-z0-9]{1,40}", 1..u64::from(u32::MAX) * 4);
    let request = (
        sample::select(vec!["GET", "POST"]),
        address(),
        (pairs(), pairs()),
        (word(), word()),
        option::of((word(), word())),
        stamp.prop_map(|(nonce, timestamp)| Stamp { timestamp, nonce }),
    );
    request.prop_map(
        |(method, address, (query, form), consumer, token, stamp)| Request {
            method,
            address,
            query,
            form,
            consumer,
            token,
            stamp,
        },
    )
}

impl Request {
    fn bare_url(&self) -> Url {
        Url::parse(&self.address).unwrap()
    }

    /// The OAuth parameters as this crate makes them, without the signature, and the signature.
    fn signed(&self) -> (Vec<Parameter>, String) {
        let mut url = self.bare_url();
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let (key, secret) = &self.consumer;
        let secret = Secret::from(secret.as_str());
        let consumer = Consumer {
            key: key.as_str().into(),
            secret: None,
        };
        let token = self.token.as_ref().map(|(token, secret)| Token {
            token: token.as_str().into(),
            secret: secret.as_str().into(),
        });
        let (method, token) = (self.method, token.as_ref());
        let mut signed = sign(
            method,
            &url,
            &self.form,
            &consumer,
            &secret,
            token,
            &self.stamp,
        );
        let (name, signature) = signed.pop().unwrap();
        assert_eq!(name, "oauth_signature");
        (signed, signature)
    }

    /// The other crate's signature of the whole request.
    fn signed_elsewhere(&self) -> String {
        let (key, secret) = &self.consumer;
        let client = Credentials::new(key.as_str(), secret.as_str());
        let mut builder = Builder::<_, _, &str>::new(client, HMAC_SHA1);
        if let Some((token, secret)) = &self.token {
            builder.token(Credentials::new(token.as_str(), secret.as_str()));
        }
        builder
            .nonce(self.stamp.nonce.as_str())
            .timestamp(NonZeroU64::new(self.stamp.timestamp).unwrap())
            .version(true);
        let parameters = self.query.iter().chain(&self.form);
        let parameters: Vec<(&str, &str)> = parameters
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let parameters = ParameterList::new(parameters);
        let header = builder.authorize(self.method, self.bare_url().as_str(), &parameters);
        let (_, rest) = header.split_once("oauth_signature=\"").unwrap();
        decoded(rest.split('"').next().unwrap())
    }

    /// The signature by the other crate's HMAC, over parameters that are sorted after they are encoded (RFC 5849 §3.4.1.3.2).
    ///
    /// That crate itself sorts before it encodes, which is another order where a name holds a character that is encoded.
    fn signed_by_their_hmac(&self, oauth: &[Parameter]) -> String {
        let token_secret = self.token.as_ref().map(|(_, secret)| secret.as_str());
        let mut sign = HMAC_SHA1.sign_with(&self.consumer.1, token_secret);
        sign.request_method(self.method);
        sign.uri(encoded(self.bare_url().as_str()));
        let parameters = self.query.iter().chain(&self.form).chain(oauth);
        let mut parameters: Vec<Parameter> = parameters
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
}

fn decoded(encoded: &str) -> String {
    percent_encoding::percent_decode_str(encoded)
        .decode_utf8()
        .unwrap()
        .into_owned()
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

/// Requests whose names are sorted alike before and after they are encoded, each of them once.
fn plainly_named() -> impl Strategy<Value = Request> {
    let name = "[A-Za-z0-9._~-]{1,8}".boxed();
    request(&name).prop_filter("each once", |request| {
        let names = request.query.iter().chain(&request.form);
        let names: Vec<&String> = names.map(|(name, _)| name).collect();
        names.iter().collect::<BTreeSet<_>>().len() == names.len()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn another_hmac_over_sorted_parameters_signs_every_request_alike(request in request(&word())) {
        let (oauth, signature) = request.signed();
        prop_assert_eq!(oauth.len(), 5 + usize::from(request.token.is_some()));
        prop_assert_eq!(signature, request.signed_by_their_hmac(&oauth));
    }

    #[test]
    fn another_implementation_signs_a_whole_request_alike(request in plainly_named()) {
        prop_assert_eq!(request.signed().1, request.signed_elsewhere());
    }
}
