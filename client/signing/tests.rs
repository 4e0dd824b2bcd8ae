//! Where parameters and signatures stand in a request, and which requests are never made.

use serde_json::{Value, json};

use super::*;
use crate::credentials::{Consumer, Token};
use crate::endpoint::Effect;
use crate::parameters::serialize;

const LOCKER: Endpoint = Endpoint::get("/user/locker", Auth::User, Effect::Reads);
const SIGNUP: Endpoint = Endpoint::post("/user/signup", Auth::Consumer, Effect::Writes);
const REGISTRATION: Endpoint = Endpoint::get("/user/card/{id}", Auth::User, Effect::Reads);

fn credentials(secret: Option<&str>) -> Credentials {
    Credentials {
        consumer: Some(Consumer {
            key: "key".into(),
            secret: secret.map(Into::into),
        }),
        token: Some(Token {
            token: "token".into(),
            secret: "token-secret".into(),
        }),
        ..Credentials::default()
    }
}

fn try_signed(
    endpoint: &Endpoint,
    input: &Value,
    secret: Option<&str>,
    placement: Placement,
) -> Result<SignedRequest, Error> {
    let base = "https://api.7digital.com/1.2".parse().unwrap();
    let credentials = credentials(secret);
    let stamp = Stamp {
        timestamp: 1,
        nonce: "n".into(),
    };
    let parameters = serialize(endpoint, input, &credentials)?;
    sign(endpoint, parameters, &base, &credentials, placement, &stamp)
}

fn signed(endpoint: &Endpoint, input: &Value, placement: Placement) -> SignedRequest {
    try_signed(endpoint, input, Some("secret"), placement).unwrap()
}

#[test]
fn oauth_is_in_the_query_of_a_get_and_in_the_header_of_a_post() {
    let get = signed(&LOCKER, &json!({"page": 2}), Placement::Auto);
    let query = get.url.query().unwrap();
    assert!(query.starts_with("page=2&oauth_consumer_key=key&"));
    assert_eq!((get.authorization, get.form), (None, None));

    let post = signed(&SIGNUP, &json!({"emailAddress": "a@b.c"}), Placement::Auto);
    assert_eq!(
        post.url.as_str(),
        "https://api.7digital.com/1.2/user/signup"
    );
    assert_eq!(post.form.unwrap(), "emailAddress=a%40b.c");
    let header = post.authorization.unwrap();
    assert!(header.starts_with("OAuth oauth_consumer_key=\"key\", "));
}

#[test]
fn a_placement_can_be_forced() {
    let get = signed(&LOCKER, &json!({"page": 2}), Placement::Header);
    assert_eq!(get.url.query(), Some("page=2"));
    assert!(get.authorization.is_some());
    let post = signed(&SIGNUP, &json!({}), Placement::Query);
    assert!(post.url.query().unwrap().contains("oauth_signature="));
    assert_eq!(post.authorization, None);
}

#[test]
fn without_a_secret_only_the_key_is_sent() {
    for endpoint in [LOCKER, SIGNUP] {
        let sent = try_signed(&endpoint, &json!({}), None, Placement::Header).unwrap();
        assert_eq!(sent.url.query(), Some("oauth_consumer_key=key"));
        assert_eq!(sent.authorization, None);
    }
}

#[test]
fn a_user_token_signs_what_needs_a_user_and_nothing_else() {
    for (endpoint, three_legged) in [(LOCKER, true), (SIGNUP, false)] {
        let sent = signed(&endpoint, &json!({}), Placement::Query);
        let query = sent.url.query().unwrap();
        assert_eq!(query.contains("oauth_token=token"), three_legged, "{query}");
    }
}

#[test]
fn an_id_is_one_path_segment_or_nothing_is_signed() {
    let sent = signed(&REGISTRATION, &json!({"id": "a:b.c-d_e"}), Placement::Auto);
    assert_eq!(sent.url.path(), "/1.2/user/card/a%3Ab.c-d_e");
    let long = "x".repeat(129);
    let hostile = [
        "", ".", "..", "../x", "..%2f", "%2e%2e/", "a/b", "a?x=y", "a#b", "//evil/", "\\evil",
        "a;b", &long,
    ];
    for id in hostile {
        let ended = try_signed(
            &REGISTRATION,
            &json!({"id": id}),
            Some("s"),
            Placement::Auto,
        );
        assert!(
            matches!(ended, Err(Error::Input { name, .. }) if name == "id"),
            "{id}"
        );
    }
}

#[test]
fn debug_output_of_a_request_has_no_query_and_no_body() {
    let sent = signed(&SIGNUP, &json!({"password": "canary"}), Placement::Query);
    assert_eq!(
        format!("{sent:?}"),
        "SignedRequest { method: Post, path: \"/1.2/user/signup\", .. }"
    );
}
