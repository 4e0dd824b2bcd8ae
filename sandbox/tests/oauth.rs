//! Signatures refused in 7digital's words, and the ways to a token.

use super::harness::{Placement, ask, ask_two_legged, ask_with, percent, send};
use crate::{Sandbox, Signature, demo};

const GB: &[(&str, &str)] = &[("country", "GB")];

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_signature_is_refused_in_plain_text() {
    let sandbox = Sandbox::start().await.unwrap();
    let locker = || ask("GET", "/user/locker", GB);
    let mut wrong_secret = locker();
    wrong_secret.secrets.1 = "wrong".to_owned();
    let mut twice = locker();
    twice
        .oauth
        .push(("oauth_nonce".to_owned(), "again".to_owned()));
    let other_user = ask(
        "GET",
        "/user/locker",
        &[("country", "GB"), ("userId", demo::SECOND_USER_ID)],
    );
    let rows = [
        (wrong_secret, "Invalid signature"),
        (twice, "Parameter oauth_nonce given more than once"),
        (
            locker().with_oauth("oauth_consumer_key", "other"),
            "Access to resource denied",
        ),
        (
            locker().with_oauth("oauth_token", "other"),
            "Access to resource denied",
        ),
        (
            locker().with_oauth("oauth_timestamp", "1426071532"),
            "Invalid timestamp",
        ),
        (
            locker().with_oauth("oauth_version", "2.0"),
            "Version not supported",
        ),
        (
            locker().with_oauth("oauth_signature_method", "PLAINTEXT"),
            "Signature method not supported",
        ),
        (
            ask_two_legged("GET", "/user/locker", GB),
            "Resource requires access token",
        ),
        (other_user, "Access to resource denied"),
        (ask("GET", "/user/nothing", GB), "Resource not found"),
    ];
    for (ask, reason) in rows {
        let told = ask.send(&sandbox);
        assert_eq!(
            (told.status, told.body),
            (401, format!("OAuth authentication error: {reason}"))
        );
        assert!(told.head.contains("text/plain"));
    }
    let unsigned = send(
        &sandbox,
        "GET",
        "/1.2/user/locker?oauth_consumer_key=sandbox-key",
        "",
        "",
    );
    assert_eq!(
        unsigned.body,
        "OAuth authentication error: Not authorised - no user credentials provided"
    );
    assert_eq!(
        sandbox.arrivals().pop().unwrap().signature,
        Signature::Unsigned
    );
    let unknown = send(
        &sandbox,
        "GET",
        "/1.2/user/locker?oauth_consumer_key=other",
        "",
        "",
    );
    assert_eq!(
        unknown.body,
        "OAuth authentication error: Access to resource denied"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_counts_once() {
    let sandbox = Sandbox::start().await.unwrap();
    let ask = ask("GET", "/user/locker", GB);
    assert_eq!(ask.send(&sandbox).status, 200);
    assert_eq!(
        ask.send(&sandbox).body,
        "OAuth authentication error: Nonce already used"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_may_stand_in_header_query_or_body() {
    let sandbox = Sandbox::start().await.unwrap();
    for placement in [Placement::Header, Placement::Parameters] {
        let mut get = ask(
            "GET",
            "/user/locker",
            &[("country", "GB"), ("sort", "artistName asc")],
        );
        get.placement = placement;
        assert_eq!(get.send(&sandbox).status, 200);
        let mut post = ask_two_legged(
            "POST",
            "/user/authenticate",
            &[("emailAddress", demo::EMAIL), ("password", "é +&=*~")],
        );
        post.placement = placement;
        let told = post.send(&sandbox);
        assert!(
            told.status == 401 && told.body.contains("emailAddress or password"),
            "{told:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_consumer_may_act_for_a_user_it_names() {
    let sandbox = Sandbox::start().await.unwrap();
    let cards = |id| ask_two_legged("GET", "/user/payment/card", &[("userId", id)]).send(&sandbox);
    assert!(
        cards(demo::USER_ID)
            .body
            .contains("\"last4digits\":\"0485\"")
    );
    assert!(
        cards(demo::SECOND_USER_ID)
            .body
            .contains("\"cards\":{\"card\":[]}")
    );
    assert_eq!(cards("nobody").status, 404);
}

fn pair(body: &str) -> (String, String) {
    let pairs = crate::request::decode_form(body);
    (pairs[0].1.clone(), pairs[1].1.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_logs_in_headless_and_the_token_works() {
    let sandbox = Sandbox::start().await.unwrap();
    let (token, secret) = pair(
        &ask_two_legged("POST", "/oauth/requesttoken", &[])
            .send(&sandbox)
            .body,
    );
    let access =
        || ask_with("POST", "/oauth/accesstoken", GB, Some((&token, &secret))).send(&sandbox);
    let early = access();
    assert_eq!(
        (early.status, early.body.contains("2002")),
        (400, true),
        "{early:?}"
    );
    let authorise = |password| {
        let parameters = [
            ("username", demo::EMAIL),
            ("password", password),
            ("token", token.as_str()),
        ];
        ask_two_legged("GET", "/oauth/requestToken/authorise", &parameters)
            .send(&sandbox)
            .status
    };
    assert_eq!(authorise("wrong"), 401);
    assert_eq!(authorise(demo::PASSWORD), 200);
    let (token, secret) = pair(&access().body);
    let locker = ask_with("GET", "/user/locker", GB, Some((&token, &secret))).json(&sandbox);
    assert_eq!(locker["locker"]["lockerReleases"]["totalItems"], 13);
    let xml = ask_two_legged("GET", "/oauth/requesttoken", &[])
        .accepting("text/xml")
        .send(&sandbox);
    assert!(
        xml.body.contains("<oauth_request_token><oauth_token>"),
        "{xml:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_logs_in_on_the_page_or_denies() {
    let sandbox = Sandbox::start().await.unwrap();
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    for (action, status) in [("allow", "Authorised"), ("deny", "Denied")] {
        let (token, secret) = pair(
            &ask_two_legged("POST", "/oauth/requesttoken", &[])
                .send(&sandbox)
                .body,
        );
        let page = |callback: &str| {
            format!(
                "/sandbox-key/oauth/authorise?oauth_token={token}&oauth_callback={}",
                percent(callback)
            )
        };
        assert_eq!(
            send(&sandbox, "GET", &page("http://evil.example/"), "", "").status,
            400
        );
        let shown = send(
            &sandbox,
            "GET",
            &page("http://127.0.0.1:5/back?a=1"),
            "",
            "",
        );
        assert!(
            shown.status == 200 && shown.body.contains("<form method=\"post\""),
            "{shown:?}"
        );
        let fields = |password: &str| {
            format!(
                "oauth_token={token}&oauth_callback=http%3A%2F%2F127.0.0.1%3A5%2Fback%3Fa%3D1&email={}&password={password}&action={action}",
                demo::EMAIL
            )
        };
        if action == "allow" {
            assert_eq!(
                send(
                    &sandbox,
                    "POST",
                    "/sandbox-key/oauth/authorise",
                    form,
                    &fields("x")
                )
                .status,
                401
            );
        }
        let sent = send(
            &sandbox,
            "POST",
            "/sandbox-key/oauth/authorise",
            form,
            &fields(demo::PASSWORD),
        );
        let expected = format!("http://127.0.0.1:5/back?a=1&oauth_token={token}&status={status}");
        assert_eq!(
            (sent.status, sent.header("location")),
            (302, Some(expected.as_str()))
        );
        let access =
            ask_with("POST", "/oauth/accesstoken", &[], Some((&token, &secret))).send(&sandbox);
        assert_eq!(
            access.status,
            if action == "allow" { 200 } else { 401 },
            "{access:?}"
        );
    }
    assert!(
        sandbox
            .arrivals()
            .iter()
            .all(|arrival| !arrival.body.contains(demo::PASSWORD))
    );
}
