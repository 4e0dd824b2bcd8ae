//! An authorization server, its keys, and the access tokens that it would issue.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::upstream::{Act, Upstream, ok};

pub(crate) const ISSUER: &str = "https://login.example.com/tenant";
pub(crate) const AUDIENCE: &str = "https://mcp.example.com/mcp";

// Test keys. They were made for these tests, are published with them, and guard nothing:
//
//     openssl genrsa -traditional 2048                                  rsa, other_rsa
//     openssl rsa -in rsa.pem -pubout                                   rsa_public
//     openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256    p256, and p384 likewise
//     openssl genpkey -algorithm ED25519                                ed25519
pub(crate) const RSA: &str = include_str!("keys/rsa.pem");
pub(crate) const RSA_PUBLIC: &str = include_str!("keys/rsa_public.pem");
pub(crate) const OTHER_RSA: &str = include_str!("keys/other_rsa.pem");
pub(crate) const P256: &str = include_str!("keys/p256.pem");
pub(crate) const P384: &str = include_str!("keys/p384.pem");
pub(crate) const ED25519: &str = include_str!("keys/ed25519.pem");

/// An authorization server, as far as keys go.
pub(crate) struct Authority {
    pub(crate) upstream: Upstream,
}

impl Authority {
    /// One that publishes these keys.
    pub(crate) async fn with(keys: &[Value]) -> Self {
        let upstream = Upstream::start().await;
        upstream.script("/keys", [published_set(keys)]);
        Self { upstream }
    }

    /// One that publishes the key `k1`, which is [`RSA`].
    pub(crate) async fn start() -> Self {
        Self::with(&[published(Algorithm::RS256, "k1", RSA)]).await
    }

    /// What becomes of requests for keys from now on.
    pub(crate) fn script(&self, act: Act) {
        self.upstream.script("/keys", [act]);
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.upstream.address)
    }

    /// How often keys were asked for.
    pub(crate) fn fetches(&self) -> usize {
        self.upstream.arrivals("/keys")
    }
}

pub(crate) fn key_set(keys: &[Value]) -> String {
    json!({"keys": keys, "issued": 5}).to_string()
}

/// An answer with these keys.
pub(crate) fn published_set(keys: &[Value]) -> Act {
    Act::Say(ok(&key_set(keys)))
}

/// A key as most servers publish it.
pub(crate) fn published(algorithm: Algorithm, kid: &str, pem: &str) -> Value {
    let jwk = Jwk::from_encoding_key(&encoding_key(pem), algorithm).unwrap();
    let jwk = serde_json::to_value(jwk).unwrap();
    with(jwk, &json!({"kid": kid, "use": "sig"}))
}

pub(crate) fn now() -> i64 {
    i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap()
}

/// Claims of a token that is accepted.
pub(crate) fn good() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "user-1", "iat": now(), "exp": now() + 86_400,
        "client_id": "agent", "jti": "1", "scope": "reads spend",
    })
}

/// A good access token of that subject with those scopes.
pub(crate) fn access_token(subject: &str, scope: &str) -> String {
    let claims = with(good(), &json!({"sub": subject, "scope": scope}));
    let header = json!({"alg": "RS256", "kid": "k1", "typ": "at+jwt"});
    signed(&header, &claims, RSA)
}

/// A JSON object with some members changed; null takes one away.
pub(crate) fn with(mut object: Value, patch: &Value) -> Value {
    let members = object.as_object_mut().unwrap();
    for (name, value) in patch.as_object().unwrap() {
        members.insert(name.clone(), value.clone());
    }
    members.retain(|_, value| !value.is_null());
    object
}

pub(crate) fn signed(header: &Value, claims: &Value, pem: &str) -> String {
    let header = with(json!({}), header);
    signed_text(&header.to_string(), &claims.to_string(), pem)
}

/// A token of any text at all. Its header says which algorithm it is signed with.
pub(crate) fn signed_text(header: &str, payload: &str, pem: &str) -> String {
    let named: Value = serde_json::from_str(header).unwrap();
    let algorithm = named["alg"].as_str().unwrap().parse().unwrap();
    with_signature(header, payload, &encoding_key(pem), algorithm)
}

/// A token that is signed with any key at all, whatever its header says.
pub(crate) fn with_signature(
    header: &str,
    payload: &str,
    key: &EncodingKey,
    algorithm: Algorithm,
) -> String {
    let message = joined(header, payload);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

pub(crate) fn joined(header: &str, payload: &str) -> String {
    [header, payload]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".")
}

fn encoding_key(pem: &str) -> EncodingKey {
    let der = der(pem);
    match pem {
        RSA | OTHER_RSA => EncodingKey::from_rsa_der(&der),
        P256 | P384 => EncodingKey::from_ec_der(&der),
        _ => EncodingKey::from_ed_der(&der),
    }
}

pub(crate) fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}
