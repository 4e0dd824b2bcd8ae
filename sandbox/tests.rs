//! The whole, over real bytes on a real port.

mod harness;
mod oauth;
mod purchases;
mod users;

use std::io;
use std::time::Duration;

use harness::{ask, ask_two_legged, send};
use serde_json::{Value, json};

use crate::{Fault, Sandbox, Signature, demo, operations};

type Call = (
    &'static str,
    &'static str,
    Vec<(&'static str, &'static str)>,
);

/// A good call of every operation that the demo user's token signs: name, path, parameters.
fn calls_of_a_user() -> Vec<Call> {
    let item = vec![("releaseId", demo::RELEASE_ID), ("country", "GB")];
    let priced = [item.clone(), vec![("price", "0.50")]].concat();
    let delivered = [
        item.clone(),
        vec![("transactionId", "t-1"), ("retailPrice", "7.99")],
    ]
    .concat();
    let basket = vec![("basketId", demo::BASKET_ID), ("country", "GB")];
    let card = vec![("cardId", demo::OTHER_CARD)];
    let redirect = vec![("redirectUrl", "https://shop.example/")];
    vec![
        (
            "getUserUnlimitedStreaming",
            "/user/unlimitedStreaming",
            vec![],
        ),
        ("getUserLocker", "/user/locker", vec![("country", "GB")]),
        ("purchaseUserItem", "/user/purchase/item", item.clone()),
        ("purchaseUserRrpItem", "/user/purchase/rrpitem", item),
        ("purchaseUserBasket", "/user/purchase/basket", basket),
        (
            "purchaseUserPricedItem",
            "/user/purchase/priceditem",
            priced,
        ),
        ("listUserPaymentCards", "/user/payment/card", vec![]),
        (
            "selectUserPaymentCard",
            "/user/payment/card/select",
            card.clone(),
        ),
        ("deleteUserPaymentCard", "/user/payment/card/delete", card),
        (
            "registerUserPaymentCard",
            "/user/payment/cardregistration",
            redirect,
        ),
        ("deliverUserItem", "/user/deliveritem", delivered),
    ]
}

/// A good call of every operation that the consumer alone signs.
fn calls_of_the_consumer() -> Vec<Call> {
    let subscription = vec![
        ("userId", demo::USER_ID),
        ("planCode", "premium-unlimited-streaming"),
        ("status", "active"),
        ("currency", "GBP"),
        ("recurringFee", "999"),
        ("country", "GB"),
        ("activatedAt", "2026-01-01T00:00:00Z"),
        ("currentPeriodStartDate", "2026-01-01T00:00:00Z"),
        ("expiryDate", "2026-01-31T00:00:00Z"),
    ];
    let new = vec![
        ("emailAddress", "new@example.com"),
        ("password", "p&ss w%rd=é~*"),
    ];
    let jane = vec![("emailAddress", demo::EMAIL), ("password", demo::PASSWORD)];
    vec![
        (
            "updateUserUnlimitedStreaming",
            "/user/unlimitedStreaming",
            subscription,
        ),
        ("signupUser", "/user/signup", new),
        (
            "createUser",
            "/user/create",
            vec![("userId", "u-1"), ("country", "GB")],
        ),
        (
            "getUserDetails",
            "/user/details",
            vec![("userId", demo::USER_ID)],
        ),
        ("authenticateUser", "/user/authenticate", jane),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_answers_in_xml_by_default_and_in_json_when_asked() {
    for accept in ["*/*", "application/json"] {
        let sandbox = Sandbox::start().await.unwrap();
        let two_legged = calls_of_the_consumer();
        let calls = calls_of_a_user().into_iter().chain(two_legged.clone());
        for (name, path, parameters) in calls {
            let find = |operation: &&operations::Operation| operation.name == name;
            let method = operations::OPERATIONS.iter().find(find).unwrap().method;
            let make = if two_legged.iter().any(|call| call.0 == name) {
                ask_two_legged
            } else {
                ask
            };
            let told = make(method, path, &parameters)
                .accepting(accept)
                .send(&sandbox);
            assert_eq!(told.status, 200, "{name}: {told:?}");
            let is_json = accept == "application/json" && name != "deliverUserItem";
            assert_eq!(told.body.starts_with('{'), is_json, "{name}: {told:?}");
            let kind = if is_json {
                "application/json; charset=utf-8"
            } else {
                "text/xml; charset=utf-8"
            };
            assert_eq!(told.header("content-type"), Some(kind), "{name}");
            assert_eq!(sandbox.arrivals().last().unwrap().operation, Some(name));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_carry_the_headers_of_the_real_one() {
    let sandbox = Sandbox::start().await.unwrap();
    let told = ask("GET", "/user/locker", &[("country", "GB")]).send(&sandbox);
    assert_eq!(told.header("x-ratelimit-limit"), Some("4000"));
    assert_eq!(told.header("x-ratelimit-current"), Some("1"));
    assert_eq!(told.header("x-7dig"), Some("sandbox"));
    assert!(
        told.header("date").is_some() && told.header("x-ratelimit-reset").is_some(),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_locker_is_paged_sorted_and_filtered() {
    let sandbox = Sandbox::start().await.unwrap();
    let locker = |more: &[(&str, &str)]| {
        let parameters = [&[("country", "GB")], more].concat();
        let value = ask("GET", "/user/locker", &parameters).json(&sandbox);
        let releases = value["locker"]["lockerReleases"].clone();
        let titles: Vec<String> = releases["lockerRelease"]
            .as_array()
            .map(|list| {
                list.iter()
                    .map(|one| one["release"]["title"].as_str().unwrap().to_owned())
                    .collect()
            })
            .unwrap_or_default();
        (releases["totalItems"].clone(), titles, value)
    };
    let (total, titles, value) = locker(&[]);
    assert_eq!(
        (total, titles.len(), titles[0].as_str()),
        (json!(13), 10, "A Month of Sundays")
    );
    assert_eq!(value["status"], "ok");
    assert_eq!(locker(&[("page", "2")]).1.len(), 3);
    assert_eq!(locker(&[("page", "9")]).1.len(), 0);
    assert_eq!(
        locker(&[("PAGESIZE", "2"), ("sort", "artistName desc")]).1,
        ["A Month of Sundays", "Café del Río"]
    );
    assert_eq!(
        locker(&[("pageSize", "1"), ("sort", "purchaseDate desc")]).1,
        ["Aurora Drift"]
    );
    assert_eq!(
        locker(&[("usageTypes", "subscriptionstreaming")]).0,
        json!(0)
    );
    let one = locker(&[("releaseId", "11600002"), ("trackId", "1160000202")]).2;
    let tracks =
        &one["locker"]["lockerReleases"]["lockerRelease"][0]["lockerTracks"]["lockerTrack"];
    assert_eq!(
        (
            tracks.as_array().unwrap().len(),
            &tracks[0]["track"]["title"]
        ),
        (1, &json!("Naïve"))
    );
    let bad = [
        ("page", "0", 1003),
        ("pageSize", "51", 1003),
        ("page", "x", 1002),
        ("sort", "price asc", 1002),
    ];
    for (name, value, code) in bad
        .into_iter()
        .chain([("trackId", "1", 1002), ("purchaseId", "1", 2001)])
    {
        assert_eq!(
            locker(&[(name, value)]).2["error"]["code"],
            code,
            "{name}={value}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_look_like_7digitals_in_both_forms() {
    let sandbox = Sandbox::start().await.unwrap();
    let locker = ask("GET", "/user/locker", &[]).send(&sandbox);
    assert_eq!(locker.status, 400);
    let error: Value = serde_json::from_str(&locker.body).unwrap();
    let expected = json!({"code": 1001, "errorMessage": "Missing parameter country"});
    assert_eq!(
        error,
        json!({"status": "error", "version": "1.2", "error": expected})
    );
    let country = ask("GET", "/user/payment/card", &[("country", "Britain")]).json(&sandbox);
    assert_eq!(country["error"]["code"], 1002);
    let details = ask_two_legged("GET", "/user/details", &[("userId", "no one")])
        .accepting("*/*")
        .send(&sandbox);
    assert_eq!(details.status, 400);
    let ending = "status=\"error\" version=\"1.2\"><error code=\"1002\"><errorMessage>Value of parameter userId is not valid: no one</errorMessage></error></response>";
    assert!(details.body.ends_with(ending), "{details:?}");
    let missing = ask_two_legged("GET", "/user/details", &[("userId", "nobody")]).send(&sandbox);
    assert_eq!((missing.status, missing.body.contains("2001")), (404, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_with_stray_query_parameters_is_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let sign = |query: &str| {
        let mut ask = ask(
            "POST",
            "/user/payment/card/select",
            &[("cardId", demo::OTHER_CARD)],
        );
        let pair = query.split_once('=').unwrap();
        ask.parameters.push((pair.0.to_owned(), pair.1.to_owned()));
        let signature = ask.signature(&sandbox.address().to_string());
        let pairs = ask
            .oauth
            .iter()
            .map(|(name, value)| format!("{name}=\"{value}\""))
            .collect::<Vec<_>>()
            .join(",");
        let headers = format!(
            "Authorization: OAuth {pairs},oauth_signature=\"{}\"\r\nContent-Type: application/x-www-form-urlencoded\r\n",
            harness::percent(&signature)
        );
        send(
            &sandbox,
            "POST",
            &format!("{}?{query}", ask.path),
            &headers,
            &format!("cardId={}", demo::OTHER_CARD),
        )
    };
    assert_eq!(sign("country=GB").status, 200);
    let refused = sign("tag=1");
    assert_eq!(
        (refused.status, refused.body.contains("\"1002\"")),
        (400, true),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_answer_in_an_operations_place_or_lose_its_answer() {
    let sandbox = Sandbox::start().await.unwrap();
    let buy = || {
        ask(
            "GET",
            "/user/purchase/item",
            &[("releaseId", demo::RELEASE_ID), ("country", "GB")],
        )
        .send(&sandbox)
    };
    let faults = [
        (Fault::Status(500, "text/html", "<h1>no".to_owned()), 500, 0),
        (
            Fault::Body {
                content_type: "application/json",
                bytes: b"{\"stat".to_vec(),
            },
            200,
            0,
        ),
        (Fault::RetryAfter(429, "7".to_owned()), 429, 0),
        (Fault::Redirect("http://127.0.0.1:1/".to_owned()), 302, 0),
        (Fault::Delay(Duration::from_millis(1)), 200, 1),
        (Fault::CutAfterHeaders, 200, 1),
        (Fault::Reset, 0, 1),
    ];
    for (fault, status, sold) in faults {
        let before = sandbox.sales().len();
        let text = format!("{fault:?}");
        sandbox.script("purchaseUserItem", fault, 1);
        let told = buy();
        assert_eq!(
            (told.status, sandbox.sales().len() - before),
            (status, sold),
            "{text}: {told:?}"
        );
        let arrival = sandbox.arrivals().pop().unwrap();
        assert_eq!(
            (arrival.status, arrival.operation),
            (status, Some("purchaseUserItem"))
        );
        match text.as_str() {
            "CutAfterHeaders" => {
                let promised: usize = told.header("content-length").unwrap().parse().unwrap();
                assert!(
                    told.body.len() < promised && told.body.starts_with('{'),
                    "{told:?}"
                );
            }
            "Reset" => assert!(told.head.contains("ConnectionReset"), "{told:?}"),
            _ => {}
        }
    }
    assert_eq!(buy().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_hangs_ends_with_the_sandbox() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.script("getUserLocker", Fault::Hang, 1);
    let locker = ask("GET", "/user/locker", &[("country", "GB")]);
    std::thread::scope(|scope| {
        let hanging = scope.spawn(|| locker.send(&sandbox));
        while sandbox.arrivals().is_empty() {
            std::thread::yield_now();
        }
        assert!(!hanging.is_finished());
        sandbox.task.abort();
        assert_eq!(hanging.join().unwrap().status, 0);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn arrivals_show_what_was_sent() {
    let sandbox = Sandbox::start().await.unwrap();
    let told = ask(
        "GET",
        "/user/locker",
        &[("country", "GB"), ("sort", "purchaseDate desc")],
    )
    .send(&sandbox);
    let arrival = sandbox.arrivals().pop().unwrap();
    assert_eq!((arrival.status, told.status), (200, 200));
    assert!(
        arrival.target.contains("sort=purchaseDate%20desc"),
        "{arrival:?}"
    );
    assert_eq!(arrival.path, "/1.2/user/locker");
    assert_eq!(arrival.parameter("sort"), Some("purchaseDate desc"));
    assert_eq!(
        arrival.signature,
        Signature::Verified {
            token: Some(demo::ACCESS_TOKEN.to_owned())
        }
    );
    assert_eq!(arrival.oauth().len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_addresses_than_loopback_and_endless_bodies_are_refused() {
    let refusal = Sandbox::bind("0.0.0.0:0".parse().unwrap())
        .await
        .unwrap_err();
    assert_eq!(refusal.kind(), io::ErrorKind::InvalidInput);
    let sandbox = Sandbox::start().await.unwrap();
    let body = "a".repeat(256 * 1024 + 1);
    assert_eq!(
        send(&sandbox, "POST", "/1.2/user/signup", "", &body).status,
        413
    );
    assert_eq!(send(&sandbox, "GET", "/elsewhere", "", "").status, 404);
}
