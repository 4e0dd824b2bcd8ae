//! Access tokens that are JWTs: which are taken, and how the keys to check them with are had.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, AlgorithmFamily, EncodingKey};
use serde_json::{Value, json};
use sevendigital_mcp::identity::access_token;
use sevendigital_mcp::identity::access_token::{
    Checker, Claims, FETCH, FRESH, KEPT, MAX_KEY_SET, MAX_SUBJECT, MAX_TOKEN, PAUSE, RETRY,
    Refusal, Trust,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

pub(crate) const ISSUER: &str = "https://login.example.com/tenant";
pub(crate) const AUDIENCE: &str = "https://mcp.example.com/mcp";

// What is taken.

#[tokio::test]
async fn a_good_token_of_each_algorithm_is_taken() {
    let names = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
    ];
    for name in names {
        let algorithm = access_token::algorithm(name).unwrap();
        let (_authority, checker) = world(
            &[algorithm],
            vec![published(algorithm, "k1", main(algorithm))],
        )
        .await;
        let token = signed(
            &json!({"alg": name, "kid": "k1", "typ": "at+jwt"}),
            &good(),
            main(algorithm),
        );
        let claims = checker.check(&token).await;
        let expected = Claims {
            subject: "user-1".into(),
            scopes: vec!["locker:read".into(), "purchase".into()],
        };
        assert_eq!(claims, Ok(expected), "{name}");
    }
}

#[tokio::test]
async fn one_set_serves_keys_of_all_kinds() {
    let all = [
        Algorithm::RS256,
        Algorithm::PS512,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
    ];
    let keys =
        all.map(|algorithm| published(algorithm, &format!("{algorithm:?}"), main(algorithm)));
    let (authority, checker) = world(&all, keys.to_vec()).await;
    for algorithm in all {
        let header = json!({"alg": algorithm, "kid": format!("{algorithm:?}")});
        let outcome = check(&checker, &signed(&header, &good(), main(algorithm))).await;
        assert!(outcome.is_ok(), "{algorithm:?}: {outcome:?}");
    }
    assert_eq!(authority.requests().len(), 1);
}

#[tokio::test]
async fn scopes_are_read_from_scope_or_scp() {
    let (_authority, checker) = plain().await;
    #[rustfmt::skip]
    let rows: [(&str, Value, Option<&[&str]>); 14] = [
        ("text", json!({"scope": "a b"}), Some(&["a", "b"])),
        ("text with more blanks", json!({"scope": " a  b "}), Some(&["a", "b"])),
        ("empty text", json!({"scope": ""}), Some(&[])),
        ("none at all", json!({"scope": null}), Some(&[])),
        ("other white space separates nothing", json!({"scope": "a\tb\u{a0}c"}), Some(&["a\tb\u{a0}c"])),
        ("Okta's list", json!({"scope": null, "scp": ["a", "b"]}), Some(&["a", "b"])),
        ("Entra's text", json!({"scope": null, "scp": "a b"}), Some(&["a", "b"])),
        ("both: the standard's counts", json!({"scope": "a", "scp": ["b"]}), Some(&["a"])),
        ("both, and the standard's is empty", json!({"scope": "", "scp": ["b"]}), Some(&[])),
        ("a list of the older Duende servers", json!({"scope": ["a", "b"]}), Some(&["a", "b"])),
        ("a list with a number", json!({"scope": null, "scp": ["a", 1]}), None),
        ("a number", json!({"scope": 1}), None),
        ("an object", json!({"scope": {"a": true}}), None),
        ("a truth", json!({"scope": null, "scp": true}), None),
    ];
    for (row, patch, expected) in rows {
        let outcome = check(&checker, &token(&patch)).await;
        match expected {
            Some(scopes) => assert_eq!(outcome.expect(row).scopes, scopes, "{row}"),
            None => refused(row, &outcome, "scopes"),
        }
    }
}

#[tokio::test]
async fn a_token_is_taken_under_either_name_of_its_type_and_refused_under_another() {
    let (_authority, checker) = plain().await;
    for typ in [
        json!("at+jwt"),
        json!("AT+JWT"),
        json!("application/at+jwt"),
        json!("JWT"),
        json!("jwt"),
        Value::Null,
    ] {
        let header = json!({"alg": "RS256", "kid": "k1", "typ": typ});
        let outcome = check(&checker, &signed(&header, &good(), RSA)).await;
        assert!(outcome.is_ok(), "{typ}: {outcome:?}");
    }
    for typ in [
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "JWE",
        "",
        "at+jwt ",
    ] {
        let header = json!({"alg": "RS256", "kid": "k1", "typ": typ});
        let outcome = check(&checker, &signed(&header, &good(), RSA)).await;
        refused(typ, &outcome, "`typ`");
    }
}

// What a token claims.

#[tokio::test]
async fn a_token_for_somebody_else_is_refused() {
    let (_authority, checker) = plain().await;
    #[rustfmt::skip]
    let rows: [(&str, Value, bool); 18] = [
        ("ours", json!(AUDIENCE), true),
        ("a list of ours alone", json!([AUDIENCE]), true),
        ("a list with ours", json!(["https://other.example", AUDIENCE]), true),
        ("another", json!("https://other.example"), false),
        ("a prefix of ours", json!("https://mcp.example.com"), false),
        ("ours and a suffix", json!(format!("{AUDIENCE}.evil.example")), false),
        ("ours and a slash", json!(format!("{AUDIENCE}/")), false),
        ("ours behind a prefix", json!(format!("x{AUDIENCE}")), false),
        ("ours in capitals", json!(AUDIENCE.to_uppercase()), false),
        ("ours and a blank", json!(format!("{AUDIENCE} ")), false),
        ("ours among words of one text", json!(format!("https://other.example {AUDIENCE}")), false),
        ("a list of twins", json!([format!("{AUDIENCE}/"), format!("{AUDIENCE}x")]), false),
        ("an empty text", json!(""), false),
        ("an empty list", json!([]), false),
        ("a list with a number", json!([AUDIENCE, 1]), false),
        ("a list in a list", json!([[AUDIENCE]]), false),
        ("an object", json!({"aud": AUDIENCE}), false),
        ("none", Value::Null, false),
    ];
    for (row, aud, taken) in rows {
        let outcome = check(&checker, &token(&json!({"aud": aud}))).await;
        assert_eq!(outcome.is_ok(), taken, "{row}: {outcome:?}");
    }
    let outcome = check(&checker, &token(&json!({"aud": "x"}))).await;
    refused("the text names it", &outcome, "another audience");
}

#[tokio::test]
async fn a_token_from_somebody_else_is_refused() {
    let (_authority, checker) = plain().await;
    #[rustfmt::skip]
    let rows: [(&str, Value, bool); 11] = [
        ("ours", json!(ISSUER), true),
        ("another", json!("https://evil.example"), false),
        ("a slash more", json!(format!("{ISSUER}/")), false),
        ("a prefix", json!("https://login.example.com"), false),
        ("a suffix", json!(format!("{ISSUER}x")), false),
        ("capitals", json!("https://LOGIN.example.com/tenant"), false),
        ("the default port", json!("https://login.example.com:443/tenant"), false),
        ("a list of ours", json!([ISSUER]), false),
        ("a list with ours", json!(["https://evil.example", ISSUER]), false),
        ("an empty text", json!(""), false),
        ("none", Value::Null, false),
    ];
    for (row, iss, taken) in rows {
        let outcome = check(&checker, &token(&json!({"iss": iss}))).await;
        assert_eq!(outcome.is_ok(), taken, "{row}: {outcome:?}");
    }
    let outcome = check(&checker, &token(&json!({"iss": "x"}))).await;
    refused("the text names it", &outcome, "another issuer");
}

#[tokio::test]
async fn a_token_is_taken_from_its_first_moment_to_its_last_with_thirty_seconds_of_leeway() {
    let (_authority, checker) = plain().await;
    let rows: [(&str, i64, Option<&str>); 12] = [
        ("exp", 300, None),
        ("exp", 0, None),
        ("exp", -30, None),
        ("exp", -31, Some("expired")),
        ("exp", -3600, Some("expired")),
        ("nbf", -300, None),
        ("nbf", 0, None),
        ("nbf", 30, None),
        ("nbf", 31, Some("not valid yet")),
        ("nbf", 3600, Some("not valid yet")),
        ("iat", 3600, None),
        ("exp", 10 * 365 * 86_400, None),
    ];
    for (claim, offset, expected) in rows {
        let row = format!("{claim} {offset:+} s");
        // Again, if a second has begun in between.
        let outcome = loop {
            let begun = now();
            let outcome = check(&checker, &token(&json!({claim: begun + offset}))).await;
            if now() == begun {
                break outcome;
            }
        };
        match expected {
            None => assert!(outcome.is_ok(), "{row}: {outcome:?}"),
            Some(words) => refused(&row, &outcome, words),
        }
    }
}

#[tokio::test]
async fn times_that_are_no_times_are_refused() {
    let (_authority, checker) = plain().await;
    #[rustfmt::skip]
    let rows: [(&str, Value); 9] = [
        ("no exp", json!({"exp": null})),
        ("exp as text", json!({"exp": (now() + 300).to_string()})),
        ("a negative exp", json!({"exp": -1})),
        ("exp beyond numbers", json!({"exp": 1e300})),
        ("exp as a list", json!({"exp": [now() + 300]})),
        ("exp as a truth", json!({"exp": true})),
        ("exp of zero", json!({"exp": 0})),
        ("nbf as text", json!({"nbf": "0"})),
        ("a negative nbf", json!({"nbf": -1})),
    ];
    for (row, patch) in rows {
        refused(row, &check(&checker, &token(&patch)).await, "");
    }
    // RFC 7519 §2: a NumericDate may have a fraction.
    let outcome = check(&checker, &token(&json!({"exp": 4_102_444_800.5_f64}))).await;
    assert!(outcome.is_ok(), "{outcome:?}");
    let payload = format!(
        r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","sub":"user-1","exp":1,"exp":4102444800}}"#
    );
    let twice = signed_text(r#"{"alg":"RS256","kid":"k1"}"#, &payload, RSA);
    refused(
        "two exps",
        &check(&checker, &twice).await,
        "not a signed JWT",
    );
}

#[tokio::test]
async fn a_token_needs_a_subject_of_1_to_255_characters() {
    let (_authority, checker) = plain().await;
    #[rustfmt::skip]
    let rows: [(&str, Value, bool); 9] = [
        ("one character", json!("u"), true),
        ("the longest", json!("u".repeat(MAX_SUBJECT)), true),
        ("the longest, of two bytes each", json!("ü".repeat(MAX_SUBJECT)), true),
        ("one more", json!("u".repeat(MAX_SUBJECT + 1)), false),
        ("empty", json!(""), false),
        ("none", Value::Null, false),
        ("a number", json!(17), false),
        ("a list", json!(["user-1"]), false),
        ("an object", json!({"id": "user-1"}), false),
    ];
    for (row, sub, taken) in rows {
        let outcome = check(&checker, &token(&json!({"sub": sub}))).await;
        assert_eq!(outcome.is_ok(), taken, "{row}: {outcome:?}");
        if let Ok(claims) = outcome {
            assert_eq!(json!(claims.subject), sub, "{row}");
        }
    }
}

// What a token is signed with.

#[tokio::test]
async fn an_algorithm_outside_the_list_is_refused_though_its_key_is_published() {
    let keys = vec![
        bare(Algorithm::RS256, "rsa", RSA),
        bare(Algorithm::ES256, "p256", P256),
        bare(Algorithm::EdDSA, "ed", ED25519),
    ];
    let (authority, checker) = world(&[Algorithm::RS256], keys).await;
    for (kid, name, pem) in [
        ("rsa", "RS384", RSA),
        ("rsa", "PS256", RSA),
        ("p256", "ES256", P256),
        ("ed", "EdDSA", ED25519),
    ] {
        let token = signed(&json!({"alg": name, "kid": kid}), &good(), pem);
        refused(name, &check(&checker, &token).await, "algorithm");
    }
    assert_eq!(authority.connections(), 0);
}

#[tokio::test]
async fn a_token_without_a_signature_is_refused() {
    let (authority, checker) = plain().await;
    let payload = good().to_string();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let message = joined(&json!({"alg": alg, "kid": "k1"}).to_string(), &payload);
        for signature in ["", "AAAA"] {
            let token = format!("{message}.{signature}");
            refused(alg, &check(&checker, &token).await, "not a signed JWT");
        }
    }
    for header in [
        json!({"kid": "k1"}),
        json!({"alg": null}),
        json!({"alg": 5}),
    ] {
        let token = format!("{}.", joined(&header.to_string(), &payload));
        refused("no alg", &check(&checker, &token).await, "not a signed JWT");
    }
    assert_eq!(authority.connections(), 0);
    let message = joined(r#"{"alg":"RS256","kid":"k1"}"#, &payload);
    let outcome = check(&checker, &format!("{message}.")).await;
    refused("an empty signature", &outcome, "signature");
}

#[tokio::test]
async fn the_public_key_is_no_shared_secret() {
    let all = [
        Algorithm::RS256,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::EdDSA,
    ];
    let jwk = bare(Algorithm::RS256, "k1", RSA);
    let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let secrets: [(&str, Vec<u8>); 6] = [
        ("PEM", RSA_PUBLIC.into()),
        ("PEM with a line end", format!("{RSA_PUBLIC}\n").into()),
        ("DER", der(RSA_PUBLIC)),
        ("modulus", modulus),
        ("JWK", jwk.to_string().into()),
        ("nothing", Vec::new()),
    ];
    let (authority, checker) = world(&all, vec![jwk]).await;
    for (form, secret) in secrets {
        for (name, algorithm) in [
            ("HS256", Algorithm::HS256),
            ("HS384", Algorithm::HS384),
            ("HS512", Algorithm::HS512),
        ] {
            let message = joined(
                &json!({"alg": name, "kid": "k1"}).to_string(),
                &good().to_string(),
            );
            let key = EncodingKey::from_secret(&secret);
            let mac = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
            let outcome = check(&checker, &format!("{message}.{mac}")).await;
            refused(form, &outcome, "algorithm");
            // The same bytes under the algorithm that the key is for.
            let message = joined(r#"{"alg":"RS256","kid":"k1"}"#, &good().to_string());
            let mac = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
            let outcome = check(&checker, &format!("{message}.{mac}")).await;
            refused(form, &outcome, "signature");
        }
    }
    assert_eq!(authority.requests().len(), 1);
}

#[tokio::test]
async fn a_key_checks_only_what_it_is_for() {
    let all = [
        Algorithm::RS256,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
    ];
    let rsa = || bare(Algorithm::RS256, "k1", RSA);
    let octets = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode("secret"), "kid": "k1"});
    #[rustfmt::skip]
    let rows: [(&str, Value, &str, &str, bool); 22] = [
        ("a key that names no algorithm", rsa(), "RS256", RSA, true),
        ("the same for another of its family", rsa(), "PS256", RSA, true),
        ("a key for this algorithm", with(rsa(), &json!({"alg": "RS256"})), "RS256", RSA, true),
        ("a key for another algorithm", with(rsa(), &json!({"alg": "RS512"})), "RS256", RSA, false),
        ("a key for PSS", with(rsa(), &json!({"alg": "PS256"})), "RS256", RSA, false),
        ("a key for HMAC, it says", with(rsa(), &json!({"alg": "HS256"})), "RS256", RSA, false),
        ("a key for an algorithm nobody knows", with(rsa(), &json!({"alg": "XX256"})), "RS256", RSA, false),
        ("a key for wrapping", with(rsa(), &json!({"alg": "RSA-OAEP"})), "RS256", RSA, false),
        ("a key for signing", with(rsa(), &json!({"use": "sig"})), "RS256", RSA, true),
        ("a key for encrypting", with(rsa(), &json!({"use": "enc"})), "RS256", RSA, false),
        ("a key for something else", with(rsa(), &json!({"use": "tls"})), "RS256", RSA, false),
        ("an operation of verifying", with(rsa(), &json!({"key_ops": ["verify"]})), "RS256", RSA, true),
        ("an operation of encrypting", with(rsa(), &json!({"key_ops": ["encrypt"]})), "RS256", RSA, false),
        ("members nobody knows", with(rsa(), &json!({"x5c": ["AAAA"], "issuer": "x", "nbf": 5, "x": {"y": []}})), "RS256", RSA, true),
        ("an RSA key for an elliptic curve", rsa(), "ES256", P256, false),
        ("an elliptic curve for RSA", bare(Algorithm::ES256, "k1", P256), "RS256", RSA, false),
        ("P-384 for ES256", bare(Algorithm::ES384, "k1", P384), "ES256", P256, false),
        ("P-256 that says it is P-384", with(bare(Algorithm::ES256, "k1", P256), &json!({"crv": "P-384"})), "ES256", P256, false),
        ("P-256 that says it is Ed25519", with(bare(Algorithm::ES256, "k1", P256), &json!({"kty": "OKP", "crv": "Ed25519", "y": null})), "EdDSA", ED25519, false),
        ("Ed25519 under another curve's name", with(bare(Algorithm::EdDSA, "k1", ED25519), &json!({"crv": "X25519"})), "EdDSA", ED25519, false),
        ("a modulus of 8 bits", with(rsa(), &json!({"n": "_w"})), "RS256", RSA, false),
        ("a shared secret", octets, "RS256", RSA, false),
    ];
    for (row, jwk, name, pem, taken) in rows {
        let (_authority, checker) = world(&all, vec![jwk]).await;
        for kid in [json!("k1"), Value::Null] {
            let token = signed(&json!({"alg": name, "kid": kid}), &good(), pem);
            let outcome = check(&checker, &token).await;
            assert_eq!(outcome.is_ok(), taken, "{row}, kid {kid}: {outcome:?}");
            if !taken {
                refused(row, &outcome, "");
            }
        }
    }
}

#[tokio::test]
async fn keys_that_are_not_understood_do_not_spoil_the_set() {
    let odd = [
        json!({"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA", "kid": "k9"}),
        json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "kid": "k8"}),
        json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "k1"}),
        json!({"kty": "OKP", "crv": "X448", "x": "AA", "kid": "k1"}),
        json!({"kty": "RSA", "n": "AA", "kid": "k1"}),
        json!({"kty": "RSA", "n": "no base64!", "e": "AQAB", "kid": "k1"}),
        json!({"kty": "RSA", "n": "AA", "e": "AQAB", "kid": "k1"}),
        json!({"kty": "oct", "k": "AA", "kid": "k1"}),
        with(
            bare(Algorithm::RS256, "k1", OTHER_RSA),
            &json!({"use": "enc"}),
        ),
        json!({"kid": 5, "kty": "RSA", "use": [], "alg": {}}),
        json!({}),
        Value::Null,
        json!("RSA"),
        json!([1, [2]]),
    ];
    let mut keys = odd.to_vec();
    keys.push(published(Algorithm::RS256, "k1", RSA));
    let (authority, checker) = world(&[Algorithm::RS256], keys).await;
    for header in [
        json!({"alg": "RS256", "kid": "k1"}),
        json!({"alg": "RS256"}),
    ] {
        let outcome = check(&checker, &signed(&header, &good(), RSA)).await;
        assert!(outcome.is_ok(), "{header}: {outcome:?}");
    }
    assert_eq!(authority.requests().len(), 1);
}

#[tokio::test]
async fn a_token_that_names_no_key_is_taken_if_only_one_fits() {
    let both = [Algorithm::RS256, Algorithm::ES256];
    let rsa = published(Algorithm::RS256, "k1", RSA);
    let p256 = published(Algorithm::ES256, "k2", P256);
    let other = published(Algorithm::RS256, "k3", OTHER_RSA);
    let nameless = with(rsa.clone(), &json!({"kid": null}));
    #[rustfmt::skip]
    let rows: [(&str, Vec<Value>, &str); 7] = [
        ("the only key", vec![rsa.clone()], ""),
        ("the only key, without a name", vec![nameless], ""),
        ("the only one of its kind", vec![p256.clone(), rsa.clone()], ""),
        ("the only one of its kind, by its kind alone", vec![bare(Algorithm::ES256, "k2", P256), bare(Algorithm::RS256, "k1", RSA)], ""),
        ("another of its kind", vec![rsa.clone(), other.clone()], "more than one"),
        ("another key alone", vec![other], "signature"),
        ("no key of its kind", vec![p256], "does not publish"),
    ];
    let token = signed(&json!({"alg": "RS256"}), &good(), RSA);
    for (row, keys, expected) in rows {
        let (_authority, checker) = world(&both, keys).await;
        let outcome = check(&checker, &token).await;
        if expected.is_empty() {
            assert!(outcome.is_ok(), "{row}: {outcome:?}");
        } else {
            refused(row, &outcome, expected);
        }
    }
}

#[tokio::test]
async fn each_of_the_keys_that_bear_one_name_may_have_signed() {
    let keys = vec![
        published(Algorithm::RS256, "k1", OTHER_RSA),
        published(Algorithm::RS256, "k1", RSA),
        published(Algorithm::RS256, "k2", RSA),
    ];
    let (_authority, checker) = world(&[Algorithm::RS256], keys).await;
    assert!(check(&checker, &token(&json!({}))).await.is_ok());
    let expired = token(&json!({"exp": now() - 60}));
    refused("expired", &check(&checker, &expired).await, "expired");
    // The name is of another key than the one that has signed.
    let header = json!({"alg": "RS256", "kid": "k2"});
    let outcome = check(&checker, &signed(&header, &good(), OTHER_RSA)).await;
    refused("another's name", &outcome, "signature");
}

#[tokio::test]
async fn keys_that_a_token_brings_along_are_not_used_and_addresses_not_followed() {
    let canary = Authority::start(Reply::Keys(vec![published(
        Algorithm::RS256,
        "evil",
        OTHER_RSA,
    )]))
    .await;
    let (authority, checker) = plain().await;
    let address = canary.url("/keys");
    let jwk = published(Algorithm::RS256, "evil", OTHER_RSA);
    #[rustfmt::skip]
    let rows: [(&str, Value); 8] = [
        ("jku", json!({"jku": address})),
        ("jku and a kid", json!({"jku": address, "kid": "evil"})),
        ("x5u", json!({"x5u": address, "kid": "k1"})),
        ("jwk", json!({"jwk": jwk, "kid": "evil"})),
        ("jwk under a known name", json!({"jwk": jwk, "kid": "k1"})),
        ("jwk without a name", json!({"jwk": jwk})),
        ("x5c", json!({"x5c": ["MIIB"], "kid": "k1"})),
        ("a kid that is an address", json!({"kid": address, "url": address, "iss": address})),
    ];
    for (row, extra) in rows {
        let header = with(json!({"alg": "RS256"}), &extra);
        let outcome = check(&checker, &signed(&header, &good(), OTHER_RSA)).await;
        refused(row, &outcome, "");
        // Nor do they hurt a token that is signed as it should be.
        let header = with(header, &json!({"kid": "k1"}));
        let outcome = check(&checker, &signed(&header, &good(), RSA)).await;
        assert!(outcome.is_ok(), "{row}: {outcome:?}");
    }
    assert_eq!(canary.connections(), 0);
    assert_eq!(authority.requests().len(), 1);
}

#[tokio::test]
async fn a_critical_header_is_refused() {
    let (authority, checker) = plain().await;
    for crit in [
        json!(["b64"]),
        json!(["exp"]),
        json!([]),
        json!("b64"),
        json!([1]),
    ] {
        let header = json!({"alg": "RS256", "kid": "k1", "crit": crit, "b64": true});
        let outcome = check(&checker, &signed(&header, &good(), RSA)).await;
        refused(&crit.to_string(), &outcome, "");
    }
    assert_eq!(authority.connections(), 0);
}

#[tokio::test]
async fn what_is_changed_after_signing_is_refused() {
    let (_authority, checker) = plain().await;
    let good = token(&json!({}));
    let [header, payload, signature] = parts(&good);
    let other = token(&json!({"sub": "user-2"}));
    let [_, other_payload, other_signature] = parts(&other);
    let longer = format!("{signature}AAAA");
    let flipped = format!(
        "{}{}",
        if signature.starts_with('A') { "B" } else { "A" },
        &signature[1..]
    );
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
        refused(row, &check(&checker, &parts.join(".")).await, "");
    }
    assert!(check(&checker, &good).await.is_ok());
    // Every single byte counts, and each part has one spelling.
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'B' { b'C' } else { b'B' };
        let changed = String::from_utf8(bytes).unwrap();
        refused(&format!("byte {at}"), &check(&checker, &changed).await, "");
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused_without_asking_anybody() {
    let (authority, checker) = plain().await;
    let good = token(&json!({}));
    let [header, payload, signature] = parts(&good);
    let rows: Vec<String> = vec![
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        "not a token".into(),
        "a.b.c".into(),
        "Bearer x.y.z".into(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!(".{payload}.{signature}"),
        format!(" {good}"),
        format!("{header}=.{payload}.{signature}"),
        format!("{}.{payload}.{signature}", URL_SAFE_NO_PAD.encode("[]")),
        format!("{}.{payload}.{signature}", URL_SAFE_NO_PAD.encode("{")),
        format!(
            "{}.{payload}.{signature}",
            URL_SAFE_NO_PAD.encode("[".repeat(5000))
        ),
        format!(
            "{}.{payload}.{signature}",
            STANDARD.encode(r#"{"alg":"RS256","kid":"???"}"#)
        ),
        "\0\u{202e}\u{feff}".into(),
        "😀.😀.😀".into(),
        // An encrypted token has five parts: RFC 7516 §3.1.
        format!("{header}.AAAA.AAAA.AAAA.AAAA"),
    ];
    for row in rows {
        refused(&row, &check(&checker, &row).await, "not a signed JWT");
    }
    assert_eq!(authority.connections(), 0);
    // What is signed and yet no claims.
    for payload in [
        "",
        "[]",
        "5",
        "null",
        "{",
        "\"text\"",
        "{\"exp\":4102444800}",
    ] {
        let token = signed_text(r#"{"alg":"RS256","kid":"k1"}"#, payload, RSA);
        refused(payload, &check(&checker, &token).await, "");
    }
}

#[tokio::test]
async fn a_token_longer_than_8_kib_is_refused_before_it_is_read() {
    let (authority, checker) = plain().await;
    // Sound in all but its length.
    let huge = token(&json!({"padding": "x".repeat(1 << 20)}));
    assert!(huge.len() > 1 << 20);
    refused("1 MB", &check(&checker, &huge).await, "8 KiB");
    let base64 = |bytes: usize| (bytes * 4).div_ceil(3);
    let [longest, longer] = [MAX_TOKEN, MAX_TOKEN + 1].map(|length| {
        let written = |header: usize, payload: usize| {
            let header = format!(r#"{{"alg":"RS256","kid":"k1"{}}}"#, " ".repeat(header));
            let payload = format!("{}{}", good(), " ".repeat(payload));
            (header, payload)
        };
        let (header, payload) = written(0, 0);
        // Two dots, and a signature of 256 bytes.
        let size = |more_header: usize, more_payload: usize| {
            base64(header.len() + more_header) + base64(payload.len() + more_payload) + 2 + 342
        };
        let (header, payload) = (0..9)
            .flat_map(|header| (0..6000).map(move |payload| (header, payload)))
            .find(|(header, payload)| size(*header, *payload) == length)
            .map(|(header, payload)| written(header, payload))
            .unwrap();
        signed_text(&header, &payload, RSA)
    });
    assert_eq!((longest.len(), longer.len()), (MAX_TOKEN, MAX_TOKEN + 1));
    refused("a byte more", &check(&checker, &longer).await, "8 KiB");
    assert_eq!(authority.connections(), 0);
    assert!(check(&checker, &longest).await.is_ok());
}

// How keys are had.

#[tokio::test]
async fn nothing_is_fetched_before_a_token_comes_and_then_once_for_ten_minutes() {
    let (authority, checker) = plain().await;
    // Nothing happening is seen only by waiting for it.
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(authority.connections(), 0);
    let good = token(&json!({}));
    for _ in 0..20 {
        assert!(check(&checker, &good).await.is_ok());
    }
    assert_eq!(authority.requests().len(), 1);
    pass(FRESH.checked_sub(Duration::from_secs(60)).unwrap()).await;
    assert!(check(&checker, &good).await.is_ok());
    assert_eq!(authority.requests().len(), 1);
    pass(Duration::from_secs(60)).await;
    assert!(check(&checker, &good).await.is_ok());
    assert_eq!(authority.requests().len(), 2);
}

#[tokio::test]
async fn the_request_for_keys_says_nothing_of_the_token() {
    let (authority, checker) = plain().await;
    let good = token(&json!({}));
    assert!(check(&checker, &good).await.is_ok());
    let request = authority.requests().remove(0).to_ascii_lowercase();
    assert!(
        request.starts_with("get /keys?tenant=1 http/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains("user-agent: sevendigital-mcp/"),
        "{request}"
    );
    for word in ["referer", "authorization", "cookie", "bearer", "range"] {
        assert!(!request.contains(word), "{request}");
    }
    for part in parts(&good) {
        assert!(!request.contains(&part.to_ascii_lowercase()), "{request}");
    }
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_one_fetch_in_30_seconds() {
    let (authority, checker) = plain().await;
    let known = token(&json!({}));
    let forged = |number: usize| {
        let header = json!({"alg": "RS256", "kid": format!("forged-{number}")});
        signed(&header, &good(), OTHER_RSA)
    };
    assert!(check(&checker, &known).await.is_ok());
    for round in 1..4 {
        for number in 0..50 {
            let outcome = check(&checker, &forged(number)).await;
            refused("forged", &outcome, "does not publish");
        }
        assert_eq!(authority.requests().len(), round);
        assert!(check(&checker, &known).await.is_ok());
        pass(PAUSE.checked_sub(Duration::from_secs(10)).unwrap()).await;
        refused(
            "20 s",
            &check(&checker, &forged(0)).await,
            "does not publish",
        );
        assert_eq!(authority.requests().len(), round);
        pass(Duration::from_secs(10)).await;
    }
}

#[tokio::test]
async fn a_first_token_with_an_unknown_key_is_one_fetch_too() {
    let (authority, checker) = plain().await;
    let header = json!({"alg": "RS256", "kid": "forged"});
    let outcome = check(&checker, &signed(&header, &good(), OTHER_RSA)).await;
    refused("forged", &outcome, "does not publish");
    assert_eq!(authority.requests().len(), 1);
}

#[tokio::test]
async fn a_new_key_is_picked_up_and_an_old_one_dropped() {
    let (authority, checker) = plain().await;
    let old = token(&json!({}));
    let new = signed(&json!({"alg": "RS256", "kid": "k2"}), &good(), OTHER_RSA);
    assert!(check(&checker, &old).await.is_ok());
    authority.reply(Reply::Keys(vec![published(
        Algorithm::RS256,
        "k2",
        OTHER_RSA,
    )]));
    refused(
        "too early",
        &check(&checker, &new).await,
        "does not publish",
    );
    pass(PAUSE).await;
    assert!(check(&checker, &new).await.is_ok());
    assert_eq!(authority.requests().len(), 2);
    refused(
        "withdrawn",
        &check(&checker, &old).await,
        "does not publish",
    );

    // Without a token that names an unknown key, the new keys come after ten minutes.
    authority.reply(Reply::Keys(vec![]));
    assert!(check(&checker, &new).await.is_ok());
    pass(FRESH).await;
    refused(
        "none is left",
        &check(&checker, &new).await,
        "does not publish",
    );
    assert_eq!(authority.requests().len(), 3);
}

#[tokio::test]
async fn fifty_callers_share_one_fetch() {
    let (authority, checker) = plain().await;
    shared_by_fifty(&authority, checker).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_callers_on_four_threads_share_one_fetch() {
    let (authority, checker) = plain().await;
    shared_by_fifty(&authority, checker).await;
}

async fn shared_by_fifty(authority: &Authority, checker: Checker) {
    let checker = Arc::new(checker);
    authority.hold();
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let checker = Arc::clone(&checker);
        let good = token(&json!({}));
        callers.spawn(async move { checker.check(&good).await });
    }
    until(|| authority.requests().len() == 1).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    authority.release();
    for outcome in callers.join_all().await {
        assert!(outcome.is_ok(), "{outcome:?}");
    }
    assert_eq!(authority.connections(), 1);
}

#[tokio::test]
async fn a_caller_that_hangs_up_neither_ends_the_fetch_nor_starts_another() {
    let (authority, checker) = plain().await;
    let checker = Arc::new(checker);
    let good = token(&json!({}));
    authority.hold();
    for round in 0..20 {
        let mut caller = tokio::spawn({
            let (checker, good) = (Arc::clone(&checker), good.clone());
            async move { checker.check(&good).await }
        });
        if round == 0 {
            until(|| authority.requests().len() == 1).await;
        } else {
            let waiting = tokio::time::timeout(Duration::from_millis(2), &mut caller).await;
            assert!(waiting.is_err());
        }
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
    }
    let next = tokio::spawn({
        let (checker, good) = (Arc::clone(&checker), good.clone());
        async move { checker.check(&good).await }
    });
    authority.release();
    let outcome = next.await.unwrap();
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(authority.connections(), 1);
}

#[tokio::test]
async fn a_known_key_serves_while_another_is_looked_for() {
    let (authority, checker) = plain().await;
    let checker = Arc::new(checker);
    let known = token(&json!({}));
    assert!(check(&checker, &known).await.is_ok());
    pass(PAUSE).await;
    authority.hold();
    let unknown = tokio::spawn({
        let checker = Arc::clone(&checker);
        let header = json!({"alg": "RS256", "kid": "k2"});
        let new = signed(&header, &good(), OTHER_RSA);
        async move { checker.check(&new).await }
    });
    until(|| authority.requests().len() == 2).await;
    assert!(check(&checker, &known).await.is_ok());
    assert!(!unknown.is_finished());
    authority.reply(Reply::Keys(vec![published(
        Algorithm::RS256,
        "k2",
        OTHER_RSA,
    )]));
    authority.release();
    let outcome = unknown.await.unwrap();
    assert!(outcome.is_ok(), "{outcome:?}");
}

// When they can't be had.

#[tokio::test]
async fn without_keys_at_first_nothing_is_known_until_they_come() {
    let (authority, checker) = plain().await;
    let good = token(&json!({}));
    authority.reply(Reply::HangUp);
    for _ in 0..20 {
        unavailable("hung up", &check(&checker, &good).await, "");
    }
    assert_eq!(authority.requests().len(), 1);
    pass(RETRY.checked_sub(Duration::from_secs(2)).unwrap()).await;
    unavailable("3 s", &check(&checker, &good).await, "");
    assert_eq!(authority.requests().len(), 1);
    authority.reply(Reply::Keys(vec![published(Algorithm::RS256, "k1", RSA)]));
    unavailable("still 3 s", &check(&checker, &good).await, "");
    pass(Duration::from_secs(2)).await;
    assert!(check(&checker, &good).await.is_ok());
    assert_eq!(authority.requests().len(), 2);
    // What is wrong with the token itself is said all the same.
    refused("no token", &check(&checker, "x").await, "not a signed JWT");
}

#[tokio::test]
async fn nobody_listens() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let checker = Checker::new(trust(
        &[Algorithm::RS256],
        &format!("http://{address}/keys"),
    ))
    .unwrap();
    let outcome = check(&checker, &token(&json!({}))).await;
    unavailable("closed", &outcome, "can't be reached");
}

#[tokio::test]
async fn old_keys_serve_for_an_hour_while_no_new_ones_come() {
    let (authority, checker) = plain().await;
    let good = token(&json!({}));
    assert!(check(&checker, &good).await.is_ok());
    authority.reply(Reply::status(503, "down"));
    pass(FRESH).await;
    assert!(check(&checker, &good).await.is_ok());
    assert_eq!(authority.requests().len(), 2);
    for _ in 0..20 {
        assert!(check(&checker, &good).await.is_ok());
    }
    assert_eq!(authority.requests().len(), 2);
    // Which key a new name is of, nobody knows now.
    let header = json!({"alg": "RS256", "kid": "k2"});
    let new = signed(&header, &self::good(), OTHER_RSA);
    unavailable(
        "a new name",
        &check(&checker, &new).await,
        "refused its keys",
    );
    let expired = token(&json!({"exp": now() - 60}));
    refused("expired", &check(&checker, &expired).await, "expired");

    pass(KEPT.checked_sub(FRESH + Duration::from_secs(60)).unwrap()).await;
    assert!(check(&checker, &good).await.is_ok());
    until(|| authority.requests().len() == 3).await;
    pass(Duration::from_secs(60)).await;
    unavailable("an hour", &check(&checker, &good).await, "refused its keys");

    authority.reply(Reply::Keys(vec![published(Algorithm::RS256, "k1", RSA)]));
    pass(RETRY).await;
    assert!(check(&checker, &good).await.is_ok());
}

#[tokio::test]
async fn while_fetches_fail_a_caller_with_a_known_key_does_not_wait_for_them() {
    let (authority, checker) = plain().await;
    let good = token(&json!({}));
    assert!(check(&checker, &good).await.is_ok());
    authority.reply(Reply::Silence);
    pass(FRESH).await;
    // The first waits, since the keys are old and better ones may be had.
    let checker = Arc::new(checker);
    let first = tokio::spawn({
        let (checker, good) = (Arc::clone(&checker), good.clone());
        async move { checker.check(&good).await }
    });
    until(|| authority.requests().len() == 2).await;
    assert!(!first.is_finished());
    pass(FETCH).await;
    assert!(first.await.unwrap().is_ok());
    // Those behind it don't.
    for round in 3..6 {
        pass(RETRY).await;
        for _ in 0..5 {
            let begun = Instant::now();
            assert!(check(&checker, &good).await.is_ok());
            assert!(begun.elapsed() < FETCH / 2);
        }
        until(|| authority.requests().len() == round).await;
        pass(FETCH).await;
        // The fetch needs a turn to find that its time is up.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(authority.connections(), 5);
}

#[tokio::test]
async fn a_fetch_for_a_forged_key_that_fails_takes_no_key_away() {
    let (authority, checker) = plain().await;
    let known = token(&json!({}));
    assert!(check(&checker, &known).await.is_ok());
    authority.reply(Reply::HangUp);
    pass(PAUSE).await;
    let header = json!({"alg": "RS256", "kid": "forged"});
    let forged = signed(&header, &good(), OTHER_RSA);
    for _ in 0..20 {
        unavailable("forged", &check(&checker, &forged).await, "");
        assert!(check(&checker, &known).await.is_ok());
    }
    assert_eq!(authority.requests().len(), 2);
    pass(RETRY).await;
    unavailable("forged", &check(&checker, &forged).await, "");
    assert_eq!(authority.requests().len(), 3);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let canary = Authority::start(Reply::Keys(vec![published(Algorithm::RS256, "k1", RSA)])).await;
    for status in [301, 302, 303, 307, 308] {
        let (authority, checker) = plain().await;
        authority.reply(Reply::Answer {
            head: format!(
                "HTTP/1.1 {status} Elsewhere\r\nlocation: {}\r\n",
                canary.url("/keys")
            ),
            body: Vec::new(),
        });
        let outcome = check(&checker, &token(&json!({}))).await;
        unavailable("redirect", &outcome, "redirects elsewhere");
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn only_a_key_set_with_status_200_is_taken() {
    let set = key_set(&[published(Algorithm::RS256, "k1", RSA)]);
    let mut rows: Vec<(String, Reply)> = [201, 203, 204, 206, 304, 400, 401, 404, 429, 500, 503]
        .map(|status| (format!("{status}"), Reply::status(status, &set)))
        .into();
    for body in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        "<html>",
        "{\"keys\":[",
    ] {
        rows.push((body.to_owned(), Reply::status(200, body)));
    }
    rows.push((
        "deep".into(),
        Reply::status(200, &format!("{{\"keys\":{}", "[".repeat(100_000))),
    ));
    rows.push((
        "cut".into(),
        Reply::Answer {
            head: format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", set.len() + 1),
            body: set.clone().into_bytes(),
        },
    ));
    rows.push((
        "no HTTP".into(),
        Reply::Answer {
            head: "SSH-2.0-x\r\n".into(),
            body: Vec::new(),
        },
    ));
    for (row, reply) in rows {
        let (authority, checker) = plain().await;
        authority.reply(reply);
        unavailable(&row, &check(&checker, &token(&json!({}))).await, "");
    }
    // The type of the content says nothing that counts.
    let (authority, checker) = plain().await;
    authority.reply(Reply::Answer {
        head: "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n".into(),
        body: set.into_bytes(),
    });
    assert!(check(&checker, &token(&json!({}))).await.is_ok());
}

#[tokio::test]
async fn a_key_set_of_1_mib_is_read_and_a_larger_one_is_not() {
    let set = key_set(&[published(Algorithm::RS256, "k1", RSA)]);
    let padded = |length: usize| format!("{set}{}", " ".repeat(length - set.len()));
    for (length, taken) in [
        (MAX_KEY_SET, true),
        (MAX_KEY_SET + 1, false),
        (2 * MAX_KEY_SET, false),
    ] {
        for framing in ["content-length", "until the end"] {
            let body = padded(length);
            let head = match framing {
                "content-length" => format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n"),
                _ => "HTTP/1.1 200 OK\r\n".into(),
            };
            let (authority, checker) = plain().await;
            authority.reply(Reply::Answer {
                head,
                body: body.into_bytes(),
            });
            let outcome = check(&checker, &token(&json!({}))).await;
            if taken {
                assert!(outcome.is_ok(), "{length}, {framing}: {outcome:?}");
            } else {
                unavailable(framing, &outcome, "larger than 1 MiB");
            }
        }
    }
    // An endless one is left as soon as it is too large, long before the time is up.
    let (authority, checker) = plain().await;
    authority.reply(Reply::Endless);
    let begun = Instant::now();
    unavailable(
        "endless",
        &check(&checker, &token(&json!({}))).await,
        "1 MiB",
    );
    assert!(begun.elapsed() < FETCH);
}

#[tokio::test]
async fn a_fetch_ends_after_5_seconds_in_all() {
    for reply in [Reply::Silence, Reply::Drip(Duration::from_millis(900))] {
        let (authority, checker) = plain().await;
        authority.reply(reply);
        let checker = Arc::new(checker);
        let caller = tokio::spawn({
            let checker = Arc::clone(&checker);
            async move { checker.check(&token(&json!({}))).await }
        });
        until(|| authority.requests().len() == 1).await;
        let begun = Instant::now();
        tokio::time::pause();
        let outcome = caller.await.unwrap();
        unavailable("slow", &outcome, "too long");
        assert!(begun.elapsed() <= FETCH + Duration::from_millis(10));
        assert!(begun.elapsed() >= FETCH.checked_sub(Duration::from_secs(1)).unwrap());
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_proxy_has_no_part_in_a_fetch_from_this_machine() {
    let canary = Authority::start(Reply::HangUp).await;
    // This very program with another environment, for which a test must not change its own.
    let output = tokio::process::Command::new(std::env::current_exe().unwrap())
        .arg("a_good_token_of_each_algorithm_is_taken")
        .envs(
            [
                "HTTP_PROXY",
                "http_proxy",
                "HTTPS_PROXY",
                "ALL_PROXY",
                "all_proxy",
            ]
            .map(|name| (name, canary.url("/"))),
        )
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
    assert_eq!(canary.connections(), 0);
}

// What the operator may configure, and what is shown.

#[test]
fn only_algorithms_with_public_keys_can_be_configured() {
    let named = [
        ("RS256", Algorithm::RS256),
        ("RS384", Algorithm::RS384),
        ("RS512", Algorithm::RS512),
        ("PS256", Algorithm::PS256),
        ("PS384", Algorithm::PS384),
        ("PS512", Algorithm::PS512),
        ("ES256", Algorithm::ES256),
        ("ES384", Algorithm::ES384),
        ("EdDSA", Algorithm::EdDSA),
    ];
    for (name, expected) in named {
        assert_eq!(access_token::algorithm(name), Some(expected), "{name}");
    }
    for name in [
        "HS256", "HS384", "HS512", "none", "None", "", "rs256", "RS256 ", "ES512", "EDDSA",
        "Ed25519", "ES256K", "RSA-OAEP", "RS1",
    ] {
        assert_eq!(access_token::algorithm(name), None, "{name}");
    }
}

#[test]
fn what_can_not_work_or_is_not_safe_is_refused_at_the_start() {
    let rs256 = [Algorithm::RS256];
    let good = "https://login.example.com/keys";
    for address in [
        good,
        "https://login.example.com/keys?policy=1",
        "https://localhost/keys",
        "http://127.0.0.1:9/keys",
        "http://127.9.9.9/keys",
        "http://[::1]:9/keys",
        "http://localhost:9/keys",
    ] {
        assert!(Checker::new(trust(&rs256, address)).is_ok(), "{address}");
    }
    for (address, named) in [
        (
            "http://login.example.com/keys",
            "http://login.example.com/keys",
        ),
        (
            "http://localhost.evil.example/keys",
            "http://localhost.evil.example/keys",
        ),
        (
            "http://127.0.0.1.evil.example/keys",
            "http://127.0.0.1.evil.example/keys",
        ),
        ("http://0.0.0.0/keys", "http://0.0.0.0/keys"),
        ("http://10.0.0.1/keys", "http://10.0.0.1/keys"),
        ("http://[::ffff:10.0.0.1]/keys", "loopback"),
        ("ftp://127.0.0.1/keys", "`ftp`"),
        ("file:///etc/keys", "file:///etc/keys"),
        ("data:application/json,{}", "`data`"),
        ("https://user@login.example.com/keys", "user or password"),
        (
            "https://user:pass-canary@login.example.com/keys",
            "user or password",
        ),
    ] {
        let error = Checker::new(trust(&rs256, address)).unwrap_err();
        assert!(error.contains(named), "{address}: {error}");
        assert!(!error.contains("canary"), "{error}");
    }
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        let both = trust(&[Algorithm::RS256, algorithm], good);
        let error = Checker::new(both).unwrap_err();
        assert!(error.contains(&format!("`{algorithm:?}`")), "{error}");
    }
    assert!(
        Checker::new(trust(&[], good))
            .unwrap_err()
            .contains("algorithm")
    );
    let issuer = Trust {
        issuer: String::new(),
        ..trust(&rs256, good)
    };
    assert!(Checker::new(issuer).unwrap_err().contains("issuer"));
    let audience = Trust {
        audience: String::new(),
        ..trust(&rs256, good)
    };
    assert!(Checker::new(audience).unwrap_err().contains("audience"));
}

#[tokio::test]
async fn debug_output_shows_neither_token_nor_key() {
    let (_authority, checker) = plain().await;
    let good = token(&json!({}));
    let claims = check(&checker, &good).await;
    let refusal = check(&checker, &token(&json!({"sub": ""}))).await;
    let jwk = published(Algorithm::RS256, "k1", RSA);
    let shown = format!("{checker:?} {checker:#?} {claims:?} {refusal:?}");
    let modulus = jwk["n"].as_str().unwrap();
    for secret in parts(&good)
        .into_iter()
        .chain([modulus, "k1", "DecodingKey"])
    {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains(ISSUER), "{shown}");
}

// Helpers.

/// Says what comes of a token, and sees to it that a refusal can be put into a header and shows nothing of the token.
async fn check(checker: &Checker, token: &str) -> Result<Claims, Refusal> {
    let outcome = checker.check(token).await;
    if let Err(Refusal::Invalid(text) | Refusal::Unavailable(text)) = outcome {
        let fits = |c: char| (' '..='~').contains(&c) && c != '"' && c != '\\';
        assert!(text.chars().all(fits), "{text}");
        let pieces = token.split('.').filter(|piece| piece.len() > 8);
        assert!(
            pieces.into_iter().all(|piece| !text.contains(piece)),
            "{text}"
        );
    }
    outcome
}

#[track_caller]
fn refused(row: &str, outcome: &Result<Claims, Refusal>, words: &str) {
    match outcome {
        Err(Refusal::Invalid(text)) => assert!(text.contains(words), "{row}: {text}"),
        other => panic!("{row}: {other:?}"),
    }
}

#[track_caller]
fn unavailable(row: &str, outcome: &Result<Claims, Refusal>, words: &str) {
    match outcome {
        Err(Refusal::Unavailable(text)) => assert!(text.contains(words), "{row}: {text}"),
        other => panic!("{row}: {other:?}"),
    }
}

/// A checker of RS256 tokens, and its authority with the key `k1`.
async fn plain() -> (Authority, Checker) {
    world(
        &[Algorithm::RS256],
        vec![published(Algorithm::RS256, "k1", RSA)],
    )
    .await
}

async fn world(algorithms: &[Algorithm], keys: Vec<Value>) -> (Authority, Checker) {
    let authority = Authority::start(Reply::Keys(keys)).await;
    let trust = trust(algorithms, &authority.url("/keys?tenant=1"));
    let checker = Checker::new(trust).unwrap();
    (authority, checker)
}

fn trust(algorithms: &[Algorithm], address: &str) -> Trust {
    Trust {
        issuer: ISSUER.into(),
        audience: AUDIENCE.into(),
        jwks_uri: address.parse().unwrap(),
        algorithms: algorithms.to_vec(),
    }
}

pub(crate) fn now() -> i64 {
    i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap()
}

/// Claims of a token that is taken.
pub(crate) fn good() -> Value {
    json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "user-1",
        "iat": now(),
        "exp": now() + 300,
        "client_id": "agent",
        "jti": "1",
        "scope": "locker:read purchase",
    })
}

/// The good token with some claims changed; null takes one away.
fn token(patch: &Value) -> String {
    let header = json!({"alg": "RS256", "kid": "k1"});
    signed(&header, &with(good(), patch), RSA)
}

/// A JSON object with some members changed; null takes one away.
pub(crate) fn with(mut object: Value, patch: &Value) -> Value {
    let members = object.as_object_mut().unwrap();
    for (name, value) in patch.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    object
}

pub(crate) fn signed(header: &Value, claims: &Value, pem: &str) -> String {
    let header = with(json!({}), header);
    signed_text(&header.to_string(), &claims.to_string(), pem)
}

/// A token of any text at all. Its header says which algorithm it is signed with.
fn signed_text(header: &str, payload: &str, pem: &str) -> String {
    let named: Value = serde_json::from_str(header).unwrap();
    let algorithm = named["alg"].as_str().unwrap().parse().unwrap();
    let message = joined(header, payload);
    let key = encoding_key(pem);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
    format!("{message}.{signature}")
}

pub(crate) fn joined(header: &str, payload: &str) -> String {
    format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    )
}

fn parts(token: &str) -> [&str; 3] {
    let parts: Vec<_> = token.split('.').collect();
    parts.try_into().unwrap()
}

/// The key of a kind that tokens are signed with.
fn main(algorithm: Algorithm) -> &'static str {
    match (algorithm.family(), algorithm) {
        (AlgorithmFamily::Rsa, _) => RSA,
        (AlgorithmFamily::Ed, _) => ED25519,
        (_, Algorithm::ES256) => P256,
        _ => P384,
    }
}

fn encoding_key(pem: &str) -> EncodingKey {
    let der = der(pem);
    match pem {
        RSA | OTHER_RSA => EncodingKey::from_rsa_der(&der),
        P256 | P384 => EncodingKey::from_ec_der(&der),
        _ => EncodingKey::from_ed_der(&der),
    }
}

fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

/// A key as most servers publish it.
pub(crate) fn published(algorithm: Algorithm, kid: &str, pem: &str) -> Value {
    let jwk = Jwk::from_encoding_key(&encoding_key(pem), algorithm).unwrap();
    let jwk = serde_json::to_value(jwk).unwrap();
    with(jwk, &json!({"kid": kid, "use": "sig"}))
}

/// A key that says no more than what it is.
fn bare(algorithm: Algorithm, kid: &str, pem: &str) -> Value {
    let jwk = published(algorithm, kid, pem);
    with(jwk, &json!({"alg": null, "use": null}))
}

fn key_set(keys: &[Value]) -> String {
    json!({"keys": keys, "issued": 5}).to_string()
}

/// Lets time pass for all who measure it with tokio, and go on as usual then.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Waits, in real time, for something to be so.
async fn until(condition: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !condition() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "it never came to be"
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// What is done with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers with a set of these keys.
    Keys(Vec<Value>),
    /// Says these bytes, head and body, and closes.
    Answer { head: String, body: Vec<u8> },
    /// Closes.
    HangUp,
    /// Says nothing, and keeps the connection.
    Silence,
    /// Begins an answer, and says one blank in each interval, for ever.
    Drip(Duration),
    /// Says blanks as fast as they are taken, for ever.
    Endless,
}

impl Reply {
    fn status(status: u16, body: &str) -> Self {
        let bodiless = matches!(status, 204 | 304);
        Self::Answer {
            head: format!("HTTP/1.1 {status} Status\r\n"),
            body: if bodiless { Vec::new() } else { body.into() },
        }
    }
}

/// An authorization server, as far as keys go, in raw TCP on a free port; it ends when dropped.
pub(crate) struct Authority {
    address: SocketAddr,
    inner: Arc<Inner>,
    task: AbortHandle,
}

struct Inner {
    requests: Mutex<Vec<String>>,
    connections: AtomicUsize,
    reply: Mutex<Reply>,
    open: watch::Sender<bool>,
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Authority {
    pub(crate) async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            reply: Mutex::new(reply),
            open: watch::Sender::new(true),
        });
        let serving = Arc::clone(&inner);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::SeqCst);
                connections.spawn(Arc::clone(&serving).serve(stream));
            }
        });
        Self {
            address,
            inner,
            task: task.abort_handle(),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn reply(&self, reply: Reply) {
        *self.inner.reply.lock().unwrap() = reply;
    }

    /// Keeps answers back.
    fn hold(&self) {
        self.inner.open.send_replace(false);
    }

    /// Lets answers go.
    fn release(&self) {
        self.inner.open.send_replace(true);
    }

    fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::SeqCst)
    }

    /// The heads of the requests that arrived.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.inner.requests.lock().unwrap().clone()
    }
}

impl Inner {
    /// Serves one request. What goes wrong is the other side's affair.
    async fn serve(self: Arc<Self>, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        self.requests.lock().unwrap().push(head);
        let mut open = self.open.subscribe();
        open.wait_for(|open| *open).await.unwrap();
        let reply = self.reply.lock().unwrap().clone();
        let ok = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
        match reply {
            Reply::Keys(keys) => {
                stream.write_all(ok).await?;
                stream.write_all(key_set(&keys).as_bytes()).await?;
            }
            Reply::Answer { head, body } => {
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(b"connection: close\r\n\r\n").await?;
                stream.write_all(&body).await?;
            }
            Reply::HangUp => {}
            Reply::Silence => std::future::pending().await,
            Reply::Drip(interval) => {
                stream.write_all(ok).await?;
                loop {
                    stream.write_all(b" ").await?;
                    tokio::time::sleep(interval).await;
                }
            }
            Reply::Endless => {
                stream.write_all(ok).await?;
                loop {
                    stream.write_all(&[b' '; 4096]).await?;
                }
            }
        }
        stream.shutdown().await
    }
}

// Test keys. They were made for these tests, are published with them, and guard nothing:
//
//     openssl genrsa -traditional 2048                                  RSA, OTHER_RSA
//     openssl rsa -in rsa.pem -pubout                                   RSA_PUBLIC
//     openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256    P256, and P384 likewise
//     openssl genpkey -algorithm ED25519                                ED25519

pub(crate) const RSA: &str = "-----BEGIN RSA PRIVATE KEY-----
MIIEpAIBAAKCAQEAvNI1Qk4dj4uSz4+v30WkQqWPcAFTdi1lEgW//5trFIMebxdL
FyFMQyRK/+LoU5MJizuNvQcZwcbyRaqppdCIyxkjvklFWIWTxiRVxMueQFxUISvt
UaK/J6Rs5rZo8mWaVkQEFInzlfB3oKQUKWYvhH0mrly9dxZU1uLC4d3HNJMrvwIX
Bds7eNb28H5235LvDks39vdCHDdjmjnNgOGEgyR11Dq5j4cjkrzwZIi99+080GVf
ND6Iz2s+ixGzEu1rGTFBOXl6I77L2/Api1H5Zu+cDuI5aqSY8xk3IwYVSaHFQstC
QT5o9LOOjXSZbDLwCS+X7L/kt/G2Xfs1882wCwIDAQABAoIBAAZBRGhk5A/MRNnB
XcccrHtUtrK0KIqiqFV3gUu7X0m3qjtt3xvuC3Ox8RYW8zFJjqhhGanoYU8NAxuR
srr+dHmd5JQ6IyTyj9mhfIHfaOei51qN9PeeV4y9oqnl4wYcnYc8C5KOm1YdOClH
Ji/U5cAS0UQ3aENYpwjTTDdlPGMeamDA3D1aZWncocv+bO4l5ET2qyGNoj2unsD5
YSKg2mjpkJrN+PQbNw77QYarwGOUZL5kQQDlXA8O/k5yp2IHl8lvQce5cWw6rxkn
j78UHaMfVr5tyrgC7OdslRtOHNE84cFjK2LeI/cqR6XvMeZjmEQnvicaMtKmBHfC
4789rbECgYEA5gFMaSMS+htFj7cAsFONl8ces7P3dvuAgODsyZL4zuqqhDXCPt4L
uPhYooW7xnTNKwe61s/HuL+hF7R/2zOEfRR4/Dn/5Mp9WW1lmbgtoWoQYUHHFpvc
awX/gvK7kGScW5Y//7gWLp6aa9BxDjmK/XK6hXW32qRwGgqPIYCr8bMCgYEA0ilX
Ok0RvuryQRAxnAdiVDquka2f80zzNVB0vaY3Wy4eBlQ7bR+Y/pEoOVx38N6nwUVs
dhj0Kjg6uGo1Lf17WLsiQKMealjjqd9PnU9TbS9X/lYudQUQ8d1cJaOWzDGV3PdQ
F33GYCbm7LTlYFMkoKoH1/7zDwv6doASKppZLEkCgYAIBr2S4a102uTHihxVCuVj
CYjRvpMBLO+kD7VTp3RVTC0dJf8cUIVaNBhru3z9BPBv8vobKu8OTGmjuSHJFXgn
IULDkoaShlpvd3jXL20wN9JQgoofCNtdRL1Q5YWUGV63d3vOQa9Mey5qWsDHPUzT
YWCO7be3wotC7WFnSuU1LwKBgQC39/pkjbyADLjd3agftpMLuoa//WXsHCs2O2TF
8y+4AInF7oxKvQM3rKeydtCDqNTeqcAFLVjncGturYI57Q/Bn6afQGtKmt9H/7R4
t00HYg88FAL86t9naefVBvvlaW6PjGqu9anm14cEJGI6TO3eOpk9Ke9o94pbm0bL
xmtTCQKBgQDMT/NdZ7Ier3tCxqhb3ev36yvyw7ycaxp37VMmKePOtSwVJLcCrVGz
xNJoq+N/88nYV3UCmJqBjTM4VvDKJQkcNCBr2hQTkkhweb62kestO4gckYeQneND
c1SPANZNKlECOTzsq5q0hf/FPUSABjymRIdARiP5OF+bNS47NFR7iQ==
-----END RSA PRIVATE KEY-----";

pub(crate) const RSA_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvNI1Qk4dj4uSz4+v30Wk
QqWPcAFTdi1lEgW//5trFIMebxdLFyFMQyRK/+LoU5MJizuNvQcZwcbyRaqppdCI
yxkjvklFWIWTxiRVxMueQFxUISvtUaK/J6Rs5rZo8mWaVkQEFInzlfB3oKQUKWYv
hH0mrly9dxZU1uLC4d3HNJMrvwIXBds7eNb28H5235LvDks39vdCHDdjmjnNgOGE
gyR11Dq5j4cjkrzwZIi99+080GVfND6Iz2s+ixGzEu1rGTFBOXl6I77L2/Api1H5
Zu+cDuI5aqSY8xk3IwYVSaHFQstCQT5o9LOOjXSZbDLwCS+X7L/kt/G2Xfs1882w
CwIDAQAB
-----END PUBLIC KEY-----";

pub(crate) const OTHER_RSA: &str = "-----BEGIN RSA PRIVATE KEY-----
MIIEogIBAAKCAQEAufzuBaLUkJqU5fzqE5g4sGHXSaOMklAivBHMWdUcl0sVwfLJ
JF0bjnNnjPDns4qn8I5nk+lzO6gJBHs54aUefQ/cn0Z9H4xXkKOmL/b0celLYztA
yvSpJleNJ8pw72WaxdaaSp4cJYlNRMxJiAnX/5+PnhF3ygkrJGjAOwnXU4BahuSr
ZxPyJemaZtCutcimz4IJuIifYmJaT/5RrZD0dkZtU0Df5P5962W4KezsKMfphpDW
efqkClWCIdqMrZeLZMUpRAQD5v2erFLNwyrNErjQD9d0ZVfQ8hHbuXADSf7dZIJf
FwE/kxnQfAOYfs/CdoFGZIuAzR5kfdcektrTpwIDAQABAoIBAECRbpDGVsVc5RRz
GVB0KDoTvYnzHXouF+DyzN7i/WoIxyTuBKZ7LHXn2qszdzz9hhAdYBgZk8fCLl8/
6HhNuqfwOceR0R6CumOcbLV6JqLlOybYC0Zqac7F1ltaDJsPywuj1SzSdzMQ16Jq
yZxQzowP+OwHZG7ff/rD4vicEgUKktzIEwck0Jo6fosyy+5ffgyfzribW0+YD6a0
IecAifaJ9R1kRnuDJNXfktJCN+jZiZBKeazoYuLylFVvOeFRfSjhY1EoPFCrFyUG
1jV8BWYeFa6iaCRt2/+jizCxMvcAMUc+fv7GOGfA8l5MpboTle6DxeCe3CvdaLLA
zqyFwgECgYEA3YxhBYIV48hsY7f2SpVKmblq4xkHQxq2d3hoYVfXrF0egB09lZOe
nUMQocP+ww/IMMJB8VRcKMlSI5Iaeu1x0uEsgeah1/l4NUs9I2BZUpOjCKwjXiup
8/jD+nALTy3Wo98y3CDaY4Mtf0JJVXX54MWroXABSlYI2ALVv3L8li8CgYEA1ujt
r84KZBHAoB2OKLRY01dI5BkXR6IwCQWhXSBocCo26vfMKHmXrrA0OXuoMfl6SzL6
4829/RtTZmSA4x3+feNjOmtLsk8DV+pJ7WXaiZg/8+SxT2W38KAD8ld5592m3xAd
ZL9dU82/YFs5UQBE9XhgZYkwmEehBOrgOvgINAkCgYA++NvK+QLHz/wfC/cRlAW0
VCOxkTejN0CODMd+g71l3MICoE0U6vS2to1PraoIP8AjO9QKiHP5k9+pBKpKLpuf
2SkRc0ClZt9oJo6mM4iwFA7PND6JUdfo5NivopFUXC8aPSLzttLcXjjcZzb496Oi
5Ay4wmFbg8DXxVaEKGbrOQKBgEFu9j+a6ksBpLabiRcXohvm7YiVoyLqXNnCXxkt
rt7H26S7Aewo6WgEukHuRo3Aud1/jigiEoCn+0Knwx5jmYLW4vV8ibWmnQv9h7jC
VEGkm4Q000+rVs/qyIjW3YUdVZuBGpH8Ofw0HtrFq7Pf8x8SIbeIh8U1ue73XIJX
1peRAoGAeTHDwXc12ZeoCGRE/Llo2GyKuPsh5nsuZjERQLqaBJTDYvaNrX2CoerQ
h+u/KqzaR+cSFb8UPP3bxmmqs550B/+d0bmi/8mqAwrdOSd1RL9rW4ayfWuZGu0G
30vcmMAtVHZxZ/8Jl2nniOGwP4v6FbGgAuhUrsl/BGdu6tpo5yo=
-----END RSA PRIVATE KEY-----";

const P256: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZCZ8lmajDslUIHU9
5y1yK3MEqGbxYudlb2dk6sjxb+yhRANCAAR/4cutJPlImXsyk8kU5I9pUe7yhGQ0
FqmlUi3z1RJeAP4l0o8pFdFVdh/J172syt5bP2u4jutuXWD/IjdVYprI
-----END PRIVATE KEY-----";

const P384: &str = "-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAX3M6gGqQ4K4cg1FBv
I6xLFBpwUU7oA2vFpR3d7SOn4mRXA4QCHiUKRH4wYeLo8LmhZANiAARaX1lhrVnX
FUpKpjyt6ybbZuR6BL52zwLlp9abAqn7T8ptjEbCEGVGHm3r8FIElpXx9CuQ6liQ
2xeSmJrx+3yAC+dxUWrRMtEBswLk+YUAX175j5lep0ISWzK36Tuv610=
-----END PRIVATE KEY-----";

const ED25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJTUWojobfIBCQSweIzxIvdYdIPLP5pewJNddVv22zFO
-----END PRIVATE KEY-----";
