//! Signatures: where they may be, and how bad ones are refused in 7digital's words.

use super::harness::{CONSUMER, USER, get, post, send};
use crate::{Sandbox, Signature, demo};

const GB: &[(&str, &str)] = &[("country", "GB")];

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_signature_is_refused_in_plain_text() {
    let sandbox = Sandbox::start().await.unwrap();
    let locker = || get(USER, "/user/locker", GB);
    let mut wrong_secret = locker();
    wrong_secret.token_secret = "wrong".to_owned();
    let mut twice = locker();
    twice.oauth.push(("oauth_nonce".into(), "again".into()));
    let other_user = [("country", "GB"), ("userId", demo::SECOND_USER_ID)];
    let other_user = get(USER, "/user/locker", &other_user);
    let with = |name, value| locker().with_oauth(name, value);
    #[rustfmt::skip]
    let rows = [
        (wrong_secret, "Invalid signature"),
        (twice, "Parameter oauth_nonce given more than once"),
        (with("oauth_consumer_key", "other"), "Access to resource denied"),
        (with("oauth_token", "other"), "Access to resource denied"),
        (with("oauth_timestamp", "1426071532"), "Invalid timestamp"),
        (with("oauth_version", "2.0"), "Version not supported"),
        (with("oauth_signature_method", "PLAINTEXT"), "Signature method not supported"),
        (get(CONSUMER, "/user/locker", GB), "Resource requires access token"),
        (other_user, "Access to resource denied"),
        (get(USER, "/user/nothing", GB), "Resource not found"),
    ];
    for (call, reason) in rows {
        let response = call.send(&sandbox);
        let expected = format!("OAuth authentication error: {reason}");
        assert_eq!((response.status, response.body), (401, expected));
        assert!(response.head.contains("text/plain"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_signature_is_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    for (key, reason) in [
        (
            "sandbox-key",
            "Not authorised - no user credentials provided",
        ),
        ("other", "Access to resource denied"),
    ] {
        let target = format!("/1.2/user/locker?oauth_consumer_key={key}");
        let response = send(&sandbox, "GET", &target, "", "");
        assert_eq!(
            response.body,
            format!("OAuth authentication error: {reason}")
        );
    }
    assert_eq!(sandbox.arrivals()[0].signature, Signature::Unsigned);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_request_is_accepted_once() {
    let sandbox = Sandbox::start().await.unwrap();
    let call = get(USER, "/user/locker", GB);
    assert_eq!(call.send(&sandbox).status, 200);
    let again = call.send(&sandbox).body;
    assert_eq!(again, "OAuth authentication error: Nonce already used");
}

#[tokio::test(flavor = "multi_thread")]
async fn oauth_parameters_may_be_in_header_query_or_body() {
    let sandbox = Sandbox::start().await.unwrap();
    let sorted = [("country", "GB"), ("sort", "artistName asc")];
    let login = [("emailAddress", demo::EMAIL), ("password", "é +&=*~")];
    for in_header in [true, false] {
        let mut locker = get(USER, "/user/locker", &sorted);
        locker.in_header = in_header;
        assert_eq!(locker.send(&sandbox).status, 200);
        let mut login = post(CONSUMER, "/user/authenticate", &login);
        login.in_header = in_header;
        let response = login.send(&sandbox);
        assert_eq!(response.status, 401, "{response:?}");
        assert!(
            response.body.contains("emailAddress or password"),
            "{response:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_consumer_may_act_for_a_user_that_it_names() {
    let sandbox = Sandbox::start().await.unwrap();
    for (user_id, status, part) in [
        (demo::USER_ID, 200, "\"last4digits\":\"0485\""),
        (demo::SECOND_USER_ID, 200, "\"cards\":{\"card\":[]}"),
        ("missing", 404, "2001"),
    ] {
        let cards = get(CONSUMER, "/user/payment/card", &[("userId", user_id)]).send(&sandbox);
        assert_eq!(cards.status, status, "{cards:?}");
        assert!(cards.body.contains(part), "{cards:?}");
    }
}
