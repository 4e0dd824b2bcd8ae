//! Buying, cards, and what the locker shows afterwards.

use serde_json::{Value, json};

use super::harness::{ask, ask_with, send};
use crate::{Sandbox, demo};

const SECOND: Option<(&str, &str)> =
    Some((demo::SECOND_ACCESS_TOKEN, demo::SECOND_ACCESS_TOKEN_SECRET));
type Parameters<'a> = &'a [(&'a str, &'a str)];

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

fn buy(sandbox: &Sandbox, operation: &str, parameters: &[(&str, &str)]) -> Value {
    let parameters = [&[("country", "GB")], parameters].concat();
    ask("GET", &format!("/user/purchase/{operation}"), &parameters).json(sandbox)
}

fn locker(sandbox: &Sandbox, parameters: &[(&str, &str)]) -> Value {
    let parameters = [&[("country", "GB")], parameters].concat();
    ask("GET", "/user/locker", &parameters).json(sandbox)["locker"]["lockerReleases"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_stands_in_the_locker_and_a_repeat_is_a_second_one() {
    let sandbox = Sandbox::start().await.unwrap();
    let bought = [1, 2].map(|_| {
        let answer = buy(
            &sandbox,
            "item",
            &[("releaseId", demo::RELEASE_ID), ("price", "7.99")],
        );
        answer["purchase"]["id"].as_str().unwrap().to_owned()
    });
    assert_ne!(bought[0], bought[1]);
    let newest = locker(
        &sandbox,
        &[("sort", "purchaseDate desc"), ("pageSize", "1")],
    );
    assert_eq!(newest["totalItems"], 14);
    assert_eq!(newest["lockerRelease"][0]["release"]["id"], 11_700_062);
    assert_eq!(
        newest["lockerRelease"][0]["lockerTracks"]["lockerTrack"]
            .as_array()
            .unwrap()
            .len(),
        8
    );
    for id in &bought {
        let one = locker(&sandbox, &[("purchaseId", id)]);
        assert_eq!(
            one["lockerRelease"][0]["lockerTracks"]["lockerTrack"]
                .as_array()
                .unwrap()
                .len(),
            4,
            "{id}"
        );
    }
    let sales = sandbox.sales();
    assert_eq!(
        (sales.len(), sales[0].amount, sales[0].card_id),
        (2, 799, Some(8_154_430))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn purchases_that_cannot_be_are_refused_with_their_code() {
    let sandbox = Sandbox::start().await.unwrap();
    let id = ("releaseId", demo::RELEASE_ID);
    let rows: [(&str, Parameters, u64); 12] = [
        ("item", &[], 1001),
        ("item", &[("releaseId", "x")], 1002),
        ("item", &[("releaseId", "1")], 2001),
        ("item", &[id, ("trackId", "1")], 2001),
        ("item", &[("releaseId", demo::US_RELEASE_ID)], 2002),
        ("rrpitem", &[id, ("price", "999")], 3004),
        ("rrpitem", &[id, ("price", "0.999")], 1002),
        (
            "rrpitem",
            &[id, ("trackId", "1170006201"), ("price", "7.99")],
            3004,
        ),
        ("priceditem", &[id], 1001),
        ("priceditem", &[id, ("price", "-1")], 1002),
        ("basket", &[("basketId", "7")], 1002),
        (
            "basket",
            &[("basketId", "00000000-0000-0000-0000-000000000000")],
            2001,
        ),
    ];
    for (operation, parameters, code) in rows {
        assert_eq!(
            buy(&sandbox, operation, parameters)["error"]["code"],
            code,
            "{operation} {parameters:?}"
        );
    }
    let without_card = ask_with(
        "GET",
        "/user/purchase/item",
        &[id, ("country", "GB")],
        SECOND,
    )
    .json(&sandbox);
    assert_eq!(without_card["error"]["code"], 3002);
    let american = ask(
        "GET",
        "/user/purchase/item",
        &[("releaseId", demo::US_RELEASE_ID), ("country", "us")],
    );
    assert_eq!(american.send(&sandbox).status, 200);
    assert_eq!(sandbox.sales().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_basket_is_bought_once_and_a_priced_item_costs_what_the_partner_says() {
    let sandbox = Sandbox::start().await.unwrap();
    let basket = || buy(&sandbox, "basket", &[("basketId", demo::BASKET_ID)]);
    assert_eq!(
        basket()["purchase"]["lockerReleases"]["lockerRelease"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(basket()["error"]["code"], 2001);
    buy(
        &sandbox,
        "priceditem",
        &[
            ("releaseId", demo::RELEASE_ID),
            ("trackId", "1170006202"),
            ("price", "0.5"),
        ],
    );
    let amounts: Vec<u64> = sandbox.sales().iter().map(|sale| sale.amount).collect();
    assert_eq!(amounts, [198, 50]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivered_item_needs_no_card_but_a_transaction_and_answers_in_xml() {
    let sandbox = Sandbox::start().await.unwrap();
    let item = [("releaseId", demo::RELEASE_ID), ("country", "GB")];
    let with = |more: &[(&'static str, &'static str)]| {
        ask_with("GET", "/user/deliveritem", &[&item, more].concat(), SECOND).send(&sandbox)
    };
    let missing = with(&[]);
    assert!(
        missing.status == 400 && missing.body.contains("<error code=\"1001\">"),
        "{missing:?}"
    );
    assert_eq!(
        with(&[("transactionId", "t"), ("retailPrice", "1.999")]).status,
        400
    );
    let done = with(&[
        ("transactionId", "t-7"),
        ("retailPrice", "0"),
        ("currency", "GBP"),
    ]);
    assert!(
        done.body.contains("<purchase id=\"") && done.body.contains("<purchaseDate>"),
        "{done:?}"
    );
    let sales = sandbox.sales();
    assert_eq!(
        (
            sales.len(),
            sales[0].transaction_id.as_deref(),
            sales[0].card_id
        ),
        (1, Some("t-7"), None)
    );
}

/// Registers a card for the second user; gives the registration as a poll shows it.
fn register(sandbox: &Sandbox, number: &str) -> Value {
    let redirect_url = ("redirectUrl", "https://shop.example/done?x=1");
    let told = ask_with(
        "POST",
        "/user/payment/cardregistration",
        &[redirect_url],
        SECOND,
    )
    .send(sandbox);
    let page = told
        .header("location")
        .unwrap()
        .split_once("/cardregistration/")
        .unwrap();
    assert_eq!(page.0, format!("http://{}", sandbox.address()));
    let id = page.1.to_owned();
    let path = format!("/cardregistration/{id}");
    let poll = || {
        ask_with("GET", &format!("/user/payment{path}"), &[], SECOND).json(sandbox)["cardRegistration"].clone()
    };
    assert_eq!(poll()["status"], "pending");
    assert!(
        send(sandbox, "GET", &path, "", "")
            .body
            .contains("cardVerificationCode")
    );
    let form = format!(
        "cardNumber={number}&cardHolderName=Sam+Jones&cardExpiryMonth=12&cardExpiryYear=2099&cardPostCode=E1&cardVerificationCode=123"
    );
    let back = send(sandbox, "POST", &path, FORM, &form);
    assert_eq!(
        back.header("location"),
        Some(
            format!(
                "https://shop.example/done?x=1&cardRegistrationId={}",
                id.replace('-', "%2D")
            )
            .as_str()
        )
    );
    let others = ask("GET", &format!("/user/payment{path}"), &[]).send(sandbox);
    assert_eq!(others.status, 404);
    poll()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_registered_polled_selected_charged_and_deleted() {
    let sandbox = Sandbox::start().await.unwrap();
    let failed = register(&sandbox, "4111111111111112");
    assert_eq!(
        (&failed["status"], &failed["error"]["code"]),
        (&json!("error"), &json!(1002))
    );
    let outcomes = [
        (demo::EXPIRED_CARD_NUMBER, 3001),
        (demo::DECLINED_CARD_NUMBER, 3102),
        ("5555555555554444", 0),
    ];
    for (number, code) in outcomes {
        let card = register(&sandbox, number)["card"].clone();
        assert_eq!(card["last4digits"].as_str().unwrap(), &number[12..]);
        let id = card["id"].to_string();
        let select = |operation: &str| {
            ask_with(
                "POST",
                &format!("/user/payment/card/{operation}"),
                &[("CardID", &id)],
                SECOND,
            )
            .send(&sandbox)
            .status
        };
        assert_eq!(select("select"), 200);
        let item = [("releaseId", demo::RELEASE_ID), ("country", "GB")];
        let answer = ask_with("GET", "/user/purchase/item", &item, SECOND).json(&sandbox);
        assert_eq!(
            answer["error"]["code"].as_u64().unwrap_or(0),
            code,
            "{answer}"
        );
        assert_eq!((select("delete"), select("delete")), (200, 404));
    }
    assert_eq!(sandbox.sales().len(), 1);
    assert!(
        sandbox
            .arrivals()
            .iter()
            .all(|arrival| !format!("{arrival:?}").contains("5555555555554444"))
    );
}
