//! What a token is signed with.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use super::{ACCEPTED, Gate, headed, token};
use crate::support::tokens::{
    Authority, ED25519, OTHER_RSA, P256, P384, RSA, RSA_PUBLIC, der, good, joined, now, published,
    signed, signed_text, with, with_signature,
};

/// The header of most tokens.
const HEADER: &str = r#"{"alg":"RS256","kid":"k1"}"#;
const NO_JWT: &str = "not a signed JWT";
const ALL: &str = "RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,EdDSA";

/// Algorithms, each with a key of its kind.
const KINDS: [(Algorithm, &str, &str); 9] = [
    (Algorithm::RS256, "RS256", RSA),
    (Algorithm::RS384, "RS384", RSA),
    (Algorithm::RS512, "RS512", RSA),
    (Algorithm::PS256, "PS256", RSA),
    (Algorithm::PS384, "PS384", RSA),
    (Algorithm::PS512, "PS512", RSA),
    (Algorithm::ES256, "ES256", P256),
    (Algorithm::ES384, "ES384", P384),
    (Algorithm::EdDSA, "EdDSA", ED25519),
];

/// A key that says no more than what it is.
fn bare(algorithm: Algorithm, kid: &str, pem: &str) -> Value {
    let jwk = published(algorithm, kid, pem);
    with(jwk, &json!({"alg": null, "use": null}))
}

fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

#[tokio::test]
async fn a_good_token_of_each_algorithm_is_accepted() {
    for (algorithm, name, pem) in KINDS {
        let gate = Gate::accepting(name, &[published(algorithm, "k1", pem)]).await;
        let header = json!({"alg": name, "kid": "k1", "typ": "at+jwt"});
        gate.expect(name, &signed(&header, &good(), pem), ACCEPTED)
            .await;
    }
}

#[tokio::test]
async fn one_set_serves_keys_of_all_kinds() {
    let keys = KINDS.map(|(algorithm, name, pem)| published(algorithm, name, pem));
    let gate = Gate::accepting(ALL, &keys).await;
    for (_, name, pem) in KINDS {
        let header = json!({"alg": name, "kid": name});
        gate.expect(name, &signed(&header, &good(), pem), ACCEPTED)
            .await;
    }
    assert_eq!(gate.authority.fetches(), 1);
}

#[tokio::test]
async fn another_algorithm_is_refused_though_its_key_is_published() {
    let keys = [
        bare(Algorithm::RS256, "rsa", RSA),
        bare(Algorithm::ES256, "p256", P256),
        bare(Algorithm::EdDSA, "ed", ED25519),
    ];
    let gate = Gate::accepting("RS256", &keys).await;
    for (kid, name, pem) in [
        ("rsa", "RS384", RSA),
        ("rsa", "PS256", RSA),
        ("p256", "ES256", P256),
        ("ed", "EdDSA", ED25519),
    ] {
        let token = signed(&json!({"alg": name, "kid": kid}), &good(), pem);
        gate.expect(name, &token, "algorithm").await;
    }
    assert_eq!(gate.authority.upstream.connections(), 0);
}

#[tokio::test]
async fn a_token_without_a_signature_is_refused() {
    let gate = Gate::start().await;
    let payload = good().to_string();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let message = joined(&json!({"alg": alg, "kid": "k1"}).to_string(), &payload);
        for signature in ["", "AAAA"] {
            gate.expect(alg, &format!("{message}.{signature}"), NO_JWT)
                .await;
        }
    }
    for header in [
        json!({"kid": "k1"}),
        json!({"alg": null}),
        json!({"alg": 5}),
    ] {
        let token = format!("{}.", joined(&header.to_string(), &payload));
        gate.expect("no alg", &token, NO_JWT).await;
    }
    assert_eq!(gate.authority.upstream.connections(), 0);
    let empty = format!("{}.", joined(HEADER, &payload));
    gate.expect("an empty signature", &empty, "signature").await;
}

#[tokio::test]
async fn the_public_key_is_no_shared_secret() {
    let jwk = bare(Algorithm::RS256, "k1", RSA);
    let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let secrets: [(&str, Vec<u8>); 6] = [
        ("PEM", RSA_PUBLIC.trim_end().into()),
        ("PEM with a line end", RSA_PUBLIC.into()),
        ("DER", der(RSA_PUBLIC)),
        ("modulus", modulus),
        ("JWK", jwk.to_string().into()),
        ("nothing", Vec::new()),
    ];
    let gate = Gate::accepting("RS256,PS256,ES256,EdDSA", &[jwk]).await;
    for (form, secret) in secrets {
        let key = EncodingKey::from_secret(&secret);
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let header = json!({"alg": algorithm, "kid": "k1"}).to_string();
            let hmac = with_signature(&header, &good().to_string(), &key, algorithm);
            gate.expect(form, &hmac, "algorithm").await;
            // The same bytes under the algorithm that the key is for.
            let hmac = with_signature(HEADER, &good().to_string(), &key, algorithm);
            gate.expect(form, &hmac, "signature").await;
        }
    }
    assert_eq!(gate.authority.fetches(), 1);
}

#[tokio::test]
async fn a_key_checks_only_what_it_is_for() {
    const NO: &str = "";
    let rsa = |patch: Value| with(bare(Algorithm::RS256, "k1", RSA), &patch);
    let p256 = |patch: Value| with(bare(Algorithm::ES256, "k1", P256), &patch);
    let octets = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode("secret"), "kid": "k1"});
    #[rustfmt::skip]
    let rows = [
        ("a key that names no algorithm", rsa(json!({})), "RS256", RSA, ACCEPTED),
        ("the same for another of its family", rsa(json!({})), "PS256", RSA, ACCEPTED),
        ("a key for this algorithm", rsa(json!({"alg": "RS256"})), "RS256", RSA, ACCEPTED),
        ("a key for another algorithm", rsa(json!({"alg": "RS512"})), "RS256", RSA, NO),
        ("a key for PSS", rsa(json!({"alg": "PS256"})), "RS256", RSA, NO),
        ("a key for HMAC, it says", rsa(json!({"alg": "HS256"})), "RS256", RSA, NO),
        ("a key for an unknown algorithm", rsa(json!({"alg": "XX256"})), "RS256", RSA, NO),
        ("a key for wrapping", rsa(json!({"alg": "RSA-OAEP"})), "RS256", RSA, NO),
        ("a key for signing", rsa(json!({"use": "sig"})), "RS256", RSA, ACCEPTED),
        ("a key for encrypting", rsa(json!({"use": "enc"})), "RS256", RSA, NO),
        ("a key for something else", rsa(json!({"use": "tls"})), "RS256", RSA, NO),
        ("an operation of verifying", rsa(json!({"key_ops": ["verify"]})), "RS256", RSA, ACCEPTED),
        ("an operation of encrypting", rsa(json!({"key_ops": ["encrypt"]})), "RS256", RSA, NO),
        ("unknown members", rsa(json!({"x5c": ["AAAA"], "issuer": "x", "nbf": 5, "x": {"y": []}})), "RS256", RSA, ACCEPTED),
        ("an RSA key for an elliptic curve", rsa(json!({})), "ES256", P256, NO),
        ("an elliptic curve for RSA", p256(json!({})), "RS256", RSA, NO),
        ("P-384 for ES256", bare(Algorithm::ES384, "k1", P384), "ES256", P256, NO),
        ("P-256 that says it is P-384", p256(json!({"crv": "P-384"})), "ES256", P256, NO),
        ("P-256 that says it is Ed25519", p256(json!({"kty": "OKP", "crv": "Ed25519", "y": null})), "EdDSA", ED25519, NO),
        ("Ed25519 under another curve's name", with(bare(Algorithm::EdDSA, "k1", ED25519), &json!({"crv": "X25519"})), "EdDSA", ED25519, NO),
        ("a modulus of 8 bits", rsa(json!({"n": "_w"})), "RS256", RSA, NO),
        ("a shared secret", octets, "RS256", RSA, NO),
    ];
    let gate = Gate::accepting("RS256,RS512,PS256,ES256,ES384,EdDSA", &[]).await;
    for (row, jwk, name, pem, expected) in rows {
        gate.republish(&[jwk]).await;
        for kid in [json!("k1"), Value::Null] {
            let token = signed(&json!({"alg": name, "kid": kid}), &good(), pem);
            gate.expect(&format!("{row}, kid {kid}"), &token, expected)
                .await;
        }
    }
}

#[tokio::test]
async fn keys_that_are_not_understood_do_not_spoil_the_set() {
    #[rustfmt::skip]
    let mut keys = vec![
        json!({"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA", "kid": "k9"}),
        json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "kid": "k8"}),
        json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "k1"}),
        json!({"kty": "OKP", "crv": "X448", "x": "AA", "kid": "k1"}),
        json!({"kty": "RSA", "n": "AA", "kid": "k1"}),
        json!({"kty": "RSA", "n": "no base64!", "e": "AQAB", "kid": "k1"}),
        json!({"kty": "RSA", "n": "AA", "e": "AQAB", "kid": "k1"}),
        json!({"kty": "oct", "k": "AA", "kid": "k1"}),
        with(bare(Algorithm::RS256, "k1", OTHER_RSA), &json!({"use": "enc"})),
        json!({"kid": 5, "kty": "RSA", "use": [], "alg": {}}),
        json!({}),
        Value::Null,
        json!("RSA"),
        json!([1, [2]]),
    ];
    keys.push(published(Algorithm::RS256, "k1", RSA));
    let gate = Gate::accepting("RS256", &keys).await;
    gate.expect("by its name", &token(&json!({})), ACCEPTED)
        .await;
    gate.expect("without a name", &headed(&json!({"kid": null})), ACCEPTED)
        .await;
    assert_eq!(gate.authority.fetches(), 1);
}

#[tokio::test]
async fn a_token_that_names_no_key_is_accepted_if_only_one_fits() {
    let rsa = published(Algorithm::RS256, "k1", RSA);
    let p256 = published(Algorithm::ES256, "k2", P256);
    let other = published(Algorithm::RS256, "k3", OTHER_RSA);
    let unnamed = with(rsa.clone(), &json!({"kid": null}));
    let by_kind = vec![
        bare(Algorithm::ES256, "k2", P256),
        bare(Algorithm::RS256, "k1", RSA),
    ];
    #[rustfmt::skip]
    let rows = [
        ("the only key", vec![rsa.clone()], ACCEPTED),
        ("the only key, without a name", vec![unnamed], ACCEPTED),
        ("the only one of its kind", vec![p256.clone(), rsa.clone()], ACCEPTED),
        ("the only one of its kind, by its kind alone", by_kind, ACCEPTED),
        ("another of its kind", vec![rsa.clone(), other.clone()], "more than one"),
        ("another key alone", vec![other], "signature"),
        ("no key of its kind", vec![p256], "does not publish"),
    ];
    let gate = Gate::accepting("RS256,ES256", &[]).await;
    for (row, keys, expected) in rows {
        gate.republish(&keys).await;
        let nameless = headed(&json!({"kid": null}));
        gate.expect(row, &nameless, expected).await;
    }
}

#[tokio::test]
async fn each_of_the_keys_of_one_name_may_have_signed() {
    let keys = [
        published(Algorithm::RS256, "k1", OTHER_RSA),
        published(Algorithm::RS256, "k1", RSA),
        published(Algorithm::RS256, "k2", RSA),
    ];
    let gate = Gate::accepting("RS256", &keys).await;
    let second = token(&json!({}));
    gate.expect("the second", &second, ACCEPTED).await;
    let expired = token(&json!({"exp": now() - 60}));
    gate.expect("expired", &expired, "expired").await;
    // The name is of another key than the one that has signed.
    let other = signed(&json!({"alg": "RS256", "kid": "k2"}), &good(), OTHER_RSA);
    gate.expect("another's name", &other, "signature").await;
}

#[tokio::test]
async fn keys_and_addresses_that_a_token_brings_are_not_used() {
    let jwk = published(Algorithm::RS256, "evil", OTHER_RSA);
    let canary = Authority::with(std::slice::from_ref(&jwk)).await;
    let gate = Gate::start().await;
    let address = canary.url("/keys");
    #[rustfmt::skip]
    let rows = [
        ("jku", json!({"jku": address, "kid": null})),
        ("jku and a kid", json!({"jku": address, "kid": "evil"})),
        ("x5u", json!({"x5u": address})),
        ("jwk", json!({"jwk": jwk, "kid": "evil"})),
        ("jwk under a known name", json!({"jwk": jwk})),
        ("jwk without a name", json!({"jwk": jwk, "kid": null})),
        ("x5c", json!({"x5c": ["MIIB"]})),
        ("a kid that is an address", json!({"kid": address, "url": address, "iss": address})),
    ];
    for (row, extra) in rows {
        let header = with(json!({"alg": "RS256", "kid": "k1"}), &extra);
        gate.expect(row, &signed(&header, &good(), OTHER_RSA), "")
            .await;
        // Nor do they hurt a token that is signed as it should be.
        let header = with(header, &json!({"kid": "k1"}));
        gate.expect(row, &signed(&header, &good(), RSA), ACCEPTED)
            .await;
    }
    assert_eq!(canary.upstream.connections(), 0);
    assert_eq!(gate.authority.fetches(), 1);
}

#[tokio::test]
async fn a_critical_header_is_refused() {
    let gate = Gate::start().await;
    for crit in [
        json!(["b64"]),
        json!(["exp"]),
        json!([]),
        json!("b64"),
        json!([1]),
    ] {
        let token = headed(&json!({"crit": crit, "b64": true}));
        gate.expect(&crit.to_string(), &token, "").await;
    }
    assert_eq!(gate.authority.upstream.connections(), 0);
}

#[tokio::test]
async fn what_is_changed_after_signing_is_refused() {
    let gate = Gate::start().await;
    let good = token(&json!({}));
    let [header, payload, signature] = parts(&good);
    let other = token(&json!({"sub": "user-2"}));
    let [_, other_payload, other_signature] = parts(&other);
    let longer = format!("{signature}AAAA");
    let start = if signature.starts_with('A') { "B" } else { "A" };
    let flipped = format!("{start}{}", &signature[1..]);
    // Under PS256 the bytes of a PKCS #1 v1.5 signature are none.
    let pss = URL_SAFE_NO_PAD.encode(r#"{"alg":"PS256","kid":"k1"}"#);
    let respelt = URL_SAFE_NO_PAD.encode(r#"{"kid":"k1","alg":"RS256"}"#);
    #[rustfmt::skip]
    let rows: [(&str, [&str; 3]); 9] = [
        ("another payload", [header, other_payload, signature]),
        ("another signature", [header, payload, other_signature]),
        ("a changed signature", [header, payload, &flipped]),
        ("a longer signature", [header, payload, &longer]),
        ("a shorter signature", [header, payload, &signature[4..]]),
        ("no signature", [header, payload, ""]),
        ("another algorithm", [&pss, payload, signature]),
        ("another spelling of the header", [&respelt, payload, signature]),
        ("an empty payload", [header, "", signature]),
    ];
    for (row, parts) in rows {
        gate.expect(row, &parts.join("."), "").await;
    }
    gate.expect("unchanged", &good, ACCEPTED).await;
    // Every single byte counts, and each part has one spelling.
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'B' { b'C' } else { b'B' };
        let changed = String::from_utf8(bytes).unwrap();
        gate.expect(&format!("byte {at}"), &changed, "").await;
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused_without_asking_for_keys() {
    let gate = Gate::start().await;
    let good = token(&json!({}));
    let [header, payload, signature] = parts(&good);
    let under = |header: &str| format!("{}.{payload}.{signature}", URL_SAFE_NO_PAD.encode(header));
    for row in [
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "not a token".to_owned(),
        "a.b.c".to_owned(),
        "Bearer x.y.z".to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}=.{payload}.{signature}"),
        under("[]"),
        under("{"),
        under(&"[".repeat(5000)),
        format!(
            "{}.{payload}.{signature}",
            STANDARD.encode(r#"{"alg":"RS256","kid":"???"}"#)
        ),
        // An encrypted token has five parts: RFC 7516 §3.1.
        format!("{header}.AAAA.AAAA.AAAA.AAAA"),
    ] {
        gate.expect(&row, &row, NO_JWT).await;
    }
    let odd = HeaderValue::from_bytes("Bearer 😀.\u{202e}.\u{feff}".as_bytes()).unwrap();
    let request = gate.world.http.post(&gate.world.url);
    let reply = request.header("authorization", odd).send().await.unwrap();
    assert_eq!(reply.status(), 401);
    assert_eq!(gate.authority.upstream.connections(), 0);
    // What is signed and yet no claims.
    #[rustfmt::skip]
    let rows = [
        "", "[]", "5", "null", "{", "\"text\"", "{\"exp\":4102444800}",
    ];
    for payload in rows {
        gate.expect(payload, &signed_text(HEADER, payload, RSA), "")
            .await;
    }
}

#[tokio::test]
async fn a_token_longer_than_8_kib_is_refused_before_it_is_read() {
    const MAX: usize = 8 << 10;
    let gate = Gate::start().await;
    let padded = |header: usize, payload: usize| {
        let header = format!("{HEADER}{}", " ".repeat(header));
        signed_text(&header, &format!("{}{}", good(), " ".repeat(payload)), RSA)
    };
    // Three bytes are four characters, so two paddings reach every length.
    let start = (MAX - padded(0, 0).len()) * 3 / 4 - 12;
    let of_length = |length: usize| {
        let paddings =
            (0..3).flat_map(|header| (start..start + 24).map(move |more| (header, more)));
        let mut tokens = paddings.map(|(header, payload)| padded(header, payload));
        tokens.find(|token| token.len() == length).unwrap()
    };
    gate.expect("a byte more", &of_length(MAX + 1), "8 KiB")
        .await;
    assert_eq!(gate.authority.upstream.connections(), 0);
    gate.expect("the longest", &of_length(MAX), ACCEPTED).await;
}
