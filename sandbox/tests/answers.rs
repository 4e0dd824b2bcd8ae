//! Each operation in both formats, errors in both forms, and what arrivals record.

use std::io;

use serde_json::{Value, json};

use super::harness::{CONSUMER, Token, USER, call, get, post, send};
use crate::operations::{CATALOGUE, Legs, OPERATIONS};
use crate::{Sandbox, Signature, demo};

/// The parameters of a good call of each operation.
fn parameters(operation: &str) -> Vec<(&'static str, &'static str)> {
    let item = vec![("releaseId", demo::RELEASE_ID), ("country", "GB")];
    let with = |more| [item.clone(), more].concat();
    match operation {
        "getUserLocker" => vec![("country", "GB")],
        "purchaseUserItem" | "purchaseUserRrpItem" | "getReleaseDetails" => item,
        "getTrackDetails" => vec![("trackId", "1170006201"), ("country", "GB")],
        "purchaseUserBasket" | "getBasket" => {
            vec![("basketId", demo::BASKET_ID), ("country", "GB")]
        }
        "purchaseUserPricedItem" => with(vec![("price", "0.50")]),
        "deliverUserItem" => with(vec![("transactionId", "t-1"), ("retailPrice", "7.99")]),
        "selectUserPaymentCard" | "deleteUserPaymentCard" => vec![("cardId", demo::OTHER_CARD)],
        "registerUserPaymentCard" => vec![("redirectUrl", "https://shop.example/")],
        "updateUserUnlimitedStreaming" => vec![
            ("userId", demo::USER_ID),
            ("planCode", "premium-unlimited-streaming"),
            ("status", "active"),
            ("currency", "GBP"),
            ("recurringFee", "999"),
            ("country", "GB"),
            ("activatedAt", "2026-01-01T00:00:00Z"),
            ("currentPeriodStartDate", "2026-01-01T00:00:00Z"),
            ("expiryDate", "2026-01-31T00:00:00Z"),
        ],
        "signupUser" => vec![
            ("emailAddress", "new@example.com"),
            ("password", "p&ss w%rd=é~*"),
        ],
        "createUser" => vec![("userId", "u-1"), ("country", "GB")],
        "getUserDetails" => vec![("userId", demo::USER_ID)],
        "authenticateUser" => vec![("emailAddress", demo::EMAIL), ("password", demo::PASSWORD)],
        _ => vec![],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_answers_in_xml_by_default_and_in_json_if_asked() {
    for accept in ["*/*", "application/json"] {
        let sandbox = Sandbox::start().await.unwrap();
        // A registration's id is known only after it was made; `purchases` reads one.
        let with_id = |path: &str| path.ends_with("{id}");
        for operation in CATALOGUE
            .iter()
            .chain(OPERATIONS)
            .filter(|operation| !with_id(operation.path))
        {
            let name = operation.name;
            let token: Token = match operation.legs {
                Legs::User => USER,
                Legs::Consumer => CONSUMER,
            };
            let call = call(token, operation.method, operation.path, &parameters(name));
            let response = call.accepting(accept).send(&sandbox);
            assert_eq!(response.status, 200, "{name}: {response:?}");
            let is_json = accept == "application/json" && name != "deliverUserItem";
            assert_eq!(
                response.body.starts_with('{'),
                is_json,
                "{name}: {response:?}"
            );
            let kind = if is_json {
                "application/json"
            } else {
                "text/xml"
            };
            let kind = format!("{kind}; charset=utf-8");
            assert_eq!(response.header("content-type"), Some(&*kind), "{name}");
            assert_eq!(sandbox.arrivals().last().unwrap().operation, Some(name));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_carry_the_headers_of_7digital() {
    let sandbox = Sandbox::start().await.unwrap();
    let response = get(USER, "/user/locker", &[("country", "GB")]).send(&sandbox);
    for (name, value) in [
        ("x-ratelimit-limit", "4000"),
        ("x-ratelimit-current", "1"),
        ("x-7dig", "sandbox"),
    ] {
        assert_eq!(response.header(name), Some(value));
    }
    assert!(response.header("date").is_some());
    assert!(response.header("x-ratelimit-reset").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_look_like_7digitals_in_both_forms() {
    let sandbox = Sandbox::start().await.unwrap();
    let locker = get(USER, "/user/locker", &[]).send(&sandbox);
    assert_eq!(locker.status, 400);
    let error: Value = serde_json::from_str(&locker.body).unwrap();
    let expected = json!({"code": 1001, "errorMessage": "Missing parameter country"});
    let expected = json!({"status": "error", "version": "1.2", "error": expected});
    assert_eq!(error, expected);
    let cards = get(USER, "/user/payment/card", &[("country", "Britain")]).json(&sandbox);
    assert_eq!(cards["error"]["code"], 1002);
    let details = |id| get(CONSUMER, "/user/details", &[("userId", id)]);
    let invalid = details("no one").accepting("*/*").send(&sandbox);
    assert_eq!(invalid.status, 400);
    let ending = "status=\"error\" version=\"1.2\"><error code=\"1002\"><errorMessage>Value of parameter userId is not valid: no one</errorMessage></error></response>";
    assert!(invalid.body.ends_with(ending), "{invalid:?}");
    let missing = details("missing").send(&sandbox);
    assert_eq!(missing.status, 404);
    assert!(missing.body.contains("2001"), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_with_stray_query_parameters_is_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let card = [("cardId", demo::OTHER_CARD)];
    let select = |query| {
        let call = post(USER, "/user/payment/card/select", &card);
        call.send_with_query(&sandbox, &[query])
    };
    assert_eq!(select(("country", "GB")).status, 200);
    let refused = select(("tag", "1"));
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("\"code\":1002"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn arrivals_show_what_was_sent() {
    let sandbox = Sandbox::start().await.unwrap();
    let parameters = [("country", "GB"), ("sort", "purchaseDate desc")];
    let response = get(USER, "/user/locker", &parameters).send(&sandbox);
    let arrival = sandbox.arrivals().pop().unwrap();
    assert_eq!((arrival.status, response.status), (200, 200));
    assert!(
        arrival.target.contains("sort=purchaseDate%20desc"),
        "{arrival:?}"
    );
    assert_eq!(arrival.path, "/1.2/user/locker");
    assert_eq!(arrival.parameter("sort"), Some("purchaseDate desc"));
    let token = Some(demo::ACCESS_TOKEN.to_owned());
    assert_eq!(arrival.signature, Signature::Verified { token });
    assert_eq!(arrival.oauth().len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_addresses_than_loopback_and_long_bodies_are_refused() {
    let refusal = Sandbox::bind("0.0.0.0:0".parse().unwrap())
        .await
        .unwrap_err();
    assert_eq!(refusal.kind(), io::ErrorKind::InvalidInput);
    let sandbox = Sandbox::start().await.unwrap();
    let body = "a".repeat(256 * 1024 + 1);
    let long = send(&sandbox, "POST", "/1.2/user/signup", "", &body);
    assert_eq!(long.status, 413);
    assert_eq!(send(&sandbox, "GET", "/elsewhere", "", "").status, 404);
}
