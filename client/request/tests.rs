//! What goes out for what comes in, and what must not.

use serde_json::json;

use super::*;
use crate::credentials::Consumer;
use crate::endpoint::Effect;

const LOCKER: Endpoint = Endpoint::get("/user/locker", Auth::User, Effect::Reads);
const SIGNUP: Endpoint = Endpoint::post("/user/signup", Auth::Consumer, Effect::Writes);
const REGISTRATION: Endpoint = Endpoint::get(
    "/user/payment/cardregistration/{id}",
    Auth::User,
    Effect::Reads,
);

fn credentials() -> Credentials {
    Credentials {
        consumer: Some(Consumer {
            key: "key".into(),
            secret: Some("secret".into()),
        }),
        token: Some(Token {
            token: "token".into(),
            secret: "token-secret".into(),
        }),
        ..Credentials::default()
    }
}

fn outgoing(
    endpoint: &Endpoint,
    input: &Value,
    credentials: &Credentials,
    placement: Placement,
) -> Result<Outgoing, Error> {
    let base = "https://api.7digital.com/1.2".parse().unwrap();
    let stamp = Stamp {
        timestamp: 1,
        nonce: "n".into(),
    };
    let parameters = parameters(endpoint, input, credentials)?;
    prepare(endpoint, parameters, &base, credentials, placement, &stamp)
}

#[test]
fn oauth_travels_in_the_query_of_a_get_and_in_the_header_of_a_post() {
    let get = outgoing(
        &LOCKER,
        &json!({"page": 2}),
        &credentials(),
        Placement::Auto,
    )
    .unwrap();
    assert!(
        get.url
            .query()
            .unwrap()
            .starts_with("page=2&oauth_consumer_key=key&")
    );
    assert_eq!((get.authorization, get.form), (None, None));

    let post = outgoing(
        &SIGNUP,
        &json!({"emailAddress": "a@b.c"}),
        &credentials(),
        Placement::Auto,
    )
    .unwrap();
    assert_eq!(
        post.url.as_str(),
        "https://api.7digital.com/1.2/user/signup"
    );
    assert_eq!(post.form.unwrap(), "emailAddress=a%40b.c");
    assert!(
        post.authorization
            .unwrap()
            .starts_with("OAuth oauth_consumer_key=\"key\", ")
    );
}

#[test]
fn a_placement_can_be_forced() {
    let get = outgoing(
        &LOCKER,
        &json!({"page": 2}),
        &credentials(),
        Placement::Header,
    )
    .unwrap();
    assert_eq!(get.url.query(), Some("page=2"));
    assert!(get.authorization.is_some());
    let post = outgoing(&SIGNUP, &json!({}), &credentials(), Placement::Query).unwrap();
    assert!(post.url.query().unwrap().contains("oauth_signature="));
    assert_eq!(post.authorization, None);
}

#[test]
fn without_a_secret_only_the_key_is_sent() {
    let mut credentials = credentials();
    credentials.consumer = Some(Consumer {
        key: "key".into(),
        secret: None,
    });
    for endpoint in [LOCKER, SIGNUP] {
        let sent = outgoing(&endpoint, &json!({}), &credentials, Placement::Header).unwrap();
        assert_eq!(sent.url.query(), Some("oauth_consumer_key=key"));
        assert_eq!(sent.authorization, None);
    }
}

#[test]
fn a_user_token_is_used_where_a_user_is_needed_and_nowhere_else() {
    let user = outgoing(&LOCKER, &json!({}), &credentials(), Placement::Auto).unwrap();
    assert!(user.url.query().unwrap().contains("oauth_token=token"));
    let consumer = outgoing(&SIGNUP, &json!({}), &credentials(), Placement::Query).unwrap();
    assert!(!consumer.url.query().unwrap().contains("oauth_token"));
}

#[test]
fn defaults_fill_what_a_call_leaves_open() {
    let mut known = Credentials {
        user_id: Some("7".into()),
        country: Some("GB".into()),
        shop_id: Some("34".into()),
        ..Credentials::default()
    };
    let names = |endpoint: &Endpoint, input: Value, known: &Credentials| {
        oauth::encode_form(&parameters(endpoint, &input, known).unwrap())
    };
    assert_eq!(names(&LOCKER, json!({}), &known), "userId=7&country=GB");
    assert_eq!(
        names(&LOCKER, json!({"userId": "8", "country": "FR"}), &known),
        "country=FR&userId=8"
    );
    assert_eq!(
        names(&LOCKER, json!({"shopId": "9"}), &known),
        "shopId=9&userId=7"
    );
    assert_eq!(
        names(&SIGNUP, json!({}), &known),
        "country=GB",
        "no user for the consumer's own calls"
    );
    known.country = None;
    assert_eq!(names(&LOCKER, json!({}), &known), "userId=7&shopId=34");
    known.token = credentials().token;
    assert_eq!(
        names(&LOCKER, json!({}), &known),
        "shopId=34",
        "the token says who it is"
    );
}

#[test]
fn an_id_is_one_path_segment_or_nothing_is_sent() {
    let sent = outgoing(
        &REGISTRATION,
        &json!({"id": "a:b.c-d_e"}),
        &credentials(),
        Placement::Auto,
    )
    .unwrap();
    assert_eq!(
        sent.url.path(),
        "/1.2/user/payment/cardregistration/a%3Ab.c-d_e"
    );
    for hostile in [
        "",
        ".",
        "..",
        "../x",
        "..%2f",
        "%2e%2e/",
        "a/b",
        "a?x=y",
        "a#b",
        "//evil/",
        "\\evil",
        "a;b",
        &"x".repeat(129),
    ] {
        let refused = outgoing(
            &REGISTRATION,
            &json!({"id": hostile}),
            &credentials(),
            Placement::Auto,
        );
        assert!(
            matches!(refused, Err(Error::Input { ref name, .. }) if name == "id"),
            "{hostile}"
        );
    }
}

#[test]
fn what_must_not_be_sent_is_refused_by_name() {
    for (input, field) in [
        (json!({"oauth_signature": "x"}), "oauth_signature"),
        (json!({"OAuth_Nonce": "x"}), "OAuth_Nonce"),
        (json!({"onBehalfOfPartnerId": "1"}), "onBehalfOfPartnerId"),
        (json!({"cardId": "1", "CardID": "2"}), "cardId"),
        (json!({"cardId[]": "1"}), "cardId[]"),
        (json!({"cardId": ["1"]}), "cardId"),
        (json!({"country": "G\r\nB"}), "country"),
        (json!({"country": "x".repeat(1_025)}), "country"),
    ] {
        let error = parameters(&SIGNUP, &input, &Credentials::default()).unwrap_err();
        assert!(
            matches!(&error, Error::Input { name, .. } if name == field),
            "{input}: {error}"
        );
    }
}

#[test]
fn debug_output_of_a_request_has_no_query_and_no_body() {
    let sent = outgoing(
        &SIGNUP,
        &json!({"password": "canary"}),
        &credentials(),
        Placement::Query,
    )
    .unwrap();
    assert_eq!(
        format!("{sent:?}"),
        "Outgoing { method: Post, path: \"/1.2/user/signup\", .. }"
    );
}
