//! What a token claims: its audience, its issuer, how long, and what it allows.

use serde_json::{Value, json};

use super::{ACCEPTED, Gate, Outcome, headed, token};
use crate::support::tokens::{AUDIENCE, ISSUER, RSA, now, signed_text};

/// Rows of what is special, the claims that are changed, and what the refusal says.
async fn check(rows: &[(&str, Value, &str)]) {
    let gate = Gate::start().await;
    for (row, patch, expected) in rows {
        gate.expect(row, &token(patch), expected).await;
    }
}

#[tokio::test]
async fn scopes_are_read_from_scope_or_scp() {
    const WRONG: Option<&str> = None;
    let gate = Gate::start().await;
    #[rustfmt::skip]
    let rows = [
        ("text", json!({"scope": "reads spend"}), Some("reads spend")),
        ("text with more blanks", json!({"scope": " reads  spend "}), Some("reads spend")),
        ("empty text", json!({"scope": ""}), Some("")),
        ("none at all", json!({"scope": null}), Some("")),
        ("other white space separates nothing", json!({"scope": "reads\tspend\u{a0}cards"}), Some("")),
        ("Okta's list", json!({"scope": null, "scp": ["reads", "spend"]}), Some("reads spend")),
        ("Entra's text", json!({"scope": null, "scp": "reads spend"}), Some("reads spend")),
        ("both: the standard's counts", json!({"scope": "reads", "scp": ["spend"]}), Some("reads")),
        ("both, and the standard's is empty", json!({"scope": "", "scp": ["spend"]}), Some("")),
        ("a list of the older Duende servers", json!({"scope": ["reads", "spend"]}), Some("reads spend")),
        ("a list with a number", json!({"scope": null, "scp": ["reads", 1]}), WRONG),
        ("a number", json!({"scope": 1}), WRONG),
        ("an object", json!({"scope": {"reads": true}}), WRONG),
        ("a boolean", json!({"scope": null, "scp": true}), WRONG),
    ];
    for (row, patch, expected) in rows {
        match (gate.check(&token(&patch)).await, expected) {
            (Outcome::Accepted(scopes), Some(expected)) => assert_eq!(scopes, expected, "{row}"),
            (Outcome::Refused(why), None) => assert!(why.contains("scopes"), "{row}: {why}"),
            (other, _) => panic!("{row}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_token_has_either_name_of_its_type_or_none() {
    let gate = Gate::start().await;
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "JWT", "jwt"] {
        gate.expect(typ, &headed(&json!({"typ": typ})), ACCEPTED)
            .await;
    }
    gate.expect("none", &headed(&json!({"typ": null})), ACCEPTED)
        .await;
    #[rustfmt::skip]
    let rows = [
        "logout+jwt", "dpop+jwt", "secevent+jwt", "JWE", "", "at+jwt ",
    ];
    for typ in rows {
        gate.expect(typ, &headed(&json!({"typ": typ})), "`typ`")
            .await;
    }
}

#[tokio::test]
async fn a_token_for_another_audience_is_refused() {
    const OTHER: &str = "another audience";
    const WRONG: &str = "";
    #[rustfmt::skip]
    let rows = [
        ("ours", json!(AUDIENCE), ACCEPTED),
        ("a list of ours alone", json!([AUDIENCE]), ACCEPTED),
        ("a list with ours", json!(["https://other.example", AUDIENCE]), ACCEPTED),
        ("another", json!("https://other.example"), OTHER),
        ("a prefix of ours", json!("https://mcp.example.com"), OTHER),
        ("ours and a suffix", json!(format!("{AUDIENCE}.evil.example")), OTHER),
        ("ours and a slash", json!(format!("{AUDIENCE}/")), OTHER),
        ("ours behind a prefix", json!(format!("x{AUDIENCE}")), OTHER),
        ("ours in capitals", json!(AUDIENCE.to_uppercase()), OTHER),
        ("ours and a blank", json!(format!("{AUDIENCE} ")), OTHER),
        ("ours among words of one text", json!(format!("https://other.example {AUDIENCE}")), OTHER),
        ("a list of twins", json!([format!("{AUDIENCE}/"), format!("{AUDIENCE}x")]), OTHER),
        ("an empty text", json!(""), WRONG),
        ("an empty list", json!([]), WRONG),
        ("a list with a number", json!([AUDIENCE, 1]), WRONG),
        ("a list in a list", json!([[AUDIENCE]]), WRONG),
        ("an object", json!({"aud": AUDIENCE}), WRONG),
        ("none", Value::Null, WRONG),
    ];
    check(&rows.map(|(row, aud, expected)| (row, json!({"aud": aud}), expected))).await;
}

#[tokio::test]
async fn a_token_from_another_issuer_is_refused() {
    const OTHER: &str = "another issuer";
    #[rustfmt::skip]
    let rows = [
        ("ours", json!(ISSUER), ACCEPTED),
        ("another", json!("https://evil.example"), OTHER),
        ("a slash more", json!(format!("{ISSUER}/")), OTHER),
        ("a prefix", json!("https://login.example.com"), OTHER),
        ("a suffix", json!(format!("{ISSUER}x")), OTHER),
        ("capitals", json!("https://LOGIN.example.com/tenant"), OTHER),
        ("the default port", json!("https://login.example.com:443/tenant"), OTHER),
        ("a list of ours", json!([ISSUER]), ""),
        ("a list with ours", json!(["https://evil.example", ISSUER]), ""),
        ("an empty text", json!(""), ""),
        ("none", Value::Null, ""),
    ];
    check(&rows.map(|(row, iss, expected)| (row, json!({"iss": iss}), expected))).await;
}

#[tokio::test]
async fn a_token_is_valid_from_nbf_to_exp_with_thirty_seconds_of_leeway() {
    const EXPIRED: &str = "expired";
    const EARLY: &str = "not valid yet";
    let gate = Gate::start().await;
    #[rustfmt::skip]
    let rows: [(&str, i64, &str); 12] = [
        ("exp", 300, ACCEPTED), ("exp", 0, ACCEPTED), ("exp", -30, ACCEPTED),
        ("exp", -31, EXPIRED), ("exp", -3600, EXPIRED),
        ("nbf", -300, ACCEPTED), ("nbf", 0, ACCEPTED), ("nbf", 30, ACCEPTED),
        ("nbf", 31, EARLY), ("nbf", 3600, EARLY),
        ("iat", 3600, ACCEPTED), ("exp", 10 * 365 * 86_400, ACCEPTED),
    ];
    for (claim, offset, expected) in rows {
        // Again, if a second has begun in between.
        let outcome = loop {
            let begun = now();
            let outcome = gate.check(&token(&json!({claim: begun + offset}))).await;
            if now() == begun {
                break outcome;
            }
        };
        let is_right = match &outcome {
            Outcome::Accepted(_) => expected == ACCEPTED,
            Outcome::Refused(why) => why.contains(expected),
            Outcome::Unavailable(_) => false,
        };
        assert!(is_right, "{claim} {offset:+} s: {outcome:?}");
    }
}

#[tokio::test]
async fn a_time_is_a_number_and_stands_there_once() {
    #[rustfmt::skip]
    check(&[
        ("no exp", json!({"exp": null}), ""),
        ("exp as text", json!({"exp": (now() + 300).to_string()}), ""),
        ("a negative exp", json!({"exp": -1}), ""),
        ("exp beyond numbers", json!({"exp": 1e300}), ""),
        ("exp as a list", json!({"exp": [now() + 300]}), ""),
        ("exp as a boolean", json!({"exp": true}), ""),
        ("exp of zero", json!({"exp": 0}), ""),
        ("nbf as text", json!({"nbf": "0"}), ""),
        ("a negative nbf", json!({"nbf": -1}), ""),
        // RFC 7519 §2: a NumericDate may have a fraction.
        ("exp with a fraction", json!({"exp": 4_102_444_800.5_f64}), ACCEPTED),
    ])
    .await;
    let payload = format!(
        r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","sub":"user-1","exp":1,"exp":4102444800}}"#
    );
    let twice = signed_text(r#"{"alg":"RS256","kid":"k1"}"#, &payload, RSA);
    Gate::start()
        .await
        .expect("two exps", &twice, "not a signed JWT")
        .await;
}

#[tokio::test]
async fn a_token_needs_a_subject_of_1_to_255_characters() {
    #[rustfmt::skip]
    let rows = [
        ("one character", json!("u"), ACCEPTED),
        ("the longest", json!("u".repeat(255)), ACCEPTED),
        ("the longest, of two bytes each", json!("ü".repeat(255)), ACCEPTED),
        ("one more", json!("u".repeat(256)), "`sub`"),
        ("empty", json!(""), ""),
        ("none", Value::Null, ""),
        ("a number", json!(17), ""),
        ("a list", json!(["user-1"]), ""),
        ("an object", json!({"id": "user-1"}), ""),
    ];
    check(&rows.map(|(row, sub, expected)| (row, json!({"sub": sub}), expected))).await;
}
