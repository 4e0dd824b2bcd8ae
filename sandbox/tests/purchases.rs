//! Buying, payment cards, and what the locker shows afterwards.

use serde_json::{Value, json};

use super::harness::{FORM, Parameters, SECOND_USER, USER, get, post, send};
use crate::{Sandbox, demo};

const ID: (&str, &str) = ("releaseId", demo::RELEASE_ID);
const GB: (&str, &str) = ("country", "GB");

fn buy(sandbox: &Sandbox, operation: &str, parameters: Parameters) -> Value {
    let parameters = [&[GB], parameters].concat();
    get(USER, &format!("/user/purchase/{operation}"), &parameters).json(sandbox)
}

/// The releases of the locker, and their count over all pages.
fn locker(sandbox: &Sandbox, parameters: Parameters) -> (Value, Value) {
    let parameters = [&[GB], parameters].concat();
    let mut answer = get(USER, "/user/locker", &parameters).json(sandbox);
    let releases = &mut answer["locker"]["lockerReleases"];
    (
        releases["lockerRelease"].take(),
        releases["totalItems"].take(),
    )
}

fn tracks(release: &Value) -> usize {
    release["lockerTracks"]["lockerTrack"]
        .as_array()
        .unwrap()
        .len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_in_the_locker_and_a_repeat_is_a_second_one() {
    let sandbox = Sandbox::start().await.unwrap();
    let bought = [1, 2].map(|_| buy(&sandbox, "item", &[ID, ("price", "7.99")]));
    let ids = bought.map(|answer| answer["purchase"]["id"].as_str().unwrap().to_owned());
    assert_ne!(ids[0], ids[1]);
    let (newest, total) = locker(
        &sandbox,
        &[("sort", "purchaseDate desc"), ("pageSize", "1")],
    );
    assert_eq!(total, 14);
    assert_eq!(newest[0]["release"]["id"], 11_700_062);
    assert_eq!(tracks(&newest[0]), 8);
    for id in &ids {
        let (one, _) = locker(&sandbox, &[("purchaseId", id)]);
        assert_eq!(tracks(&one[0]), 4, "{id}");
    }
    let sales = sandbox.sales();
    let sale = (sales[0].amount, sales[0].card_id);
    assert_eq!((sales.len(), sale), (2, (799, Some(8_154_430))));
}

#[tokio::test(flavor = "multi_thread")]
async fn purchases_that_cannot_be_made_are_refused_with_their_code() {
    let sandbox = Sandbox::start().await.unwrap();
    let rows: [(&str, Parameters, u64); 12] = [
        ("item", &[], 1001),
        ("item", &[("releaseId", "x")], 1002),
        ("item", &[("releaseId", "1")], 2001),
        ("item", &[ID, ("trackId", "1")], 2001),
        ("item", &[("releaseId", demo::US_RELEASE_ID)], 2002),
        ("rrpitem", &[ID, ("price", "999")], 3004),
        ("rrpitem", &[ID, ("price", "0.999")], 1002),
        (
            "rrpitem",
            &[ID, ("trackId", "1170006201"), ("price", "7.99")],
            3004,
        ),
        ("priceditem", &[ID], 1001),
        ("priceditem", &[ID, ("price", "-1")], 1002),
        ("basket", &[("basketId", "7")], 1002),
        (
            "basket",
            &[("basketId", "00000000-0000-0000-0000-000000000000")],
            2001,
        ),
    ];
    for (operation, parameters, code) in rows {
        let error = buy(&sandbox, operation, parameters)["error"].take();
        assert_eq!(error["code"], code, "{operation} {parameters:?}");
    }
    let without_card = get(SECOND_USER, "/user/purchase/item", &[ID, GB]).json(&sandbox);
    assert_eq!(without_card["error"]["code"], 3002);
    let american = [("releaseId", demo::US_RELEASE_ID), ("country", "us")];
    assert_eq!(
        get(USER, "/user/purchase/item", &american)
            .send(&sandbox)
            .status,
        200
    );
    assert_eq!(sandbox.sales().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_basket_is_bought_once_and_the_partner_prices_a_priced_item() {
    let sandbox = Sandbox::start().await.unwrap();
    let basket = || buy(&sandbox, "basket", &[("basketId", demo::BASKET_ID)]);
    let bought = basket();
    let releases = &bought["purchase"]["lockerReleases"]["lockerRelease"];
    assert_eq!(releases.as_array().unwrap().len(), 2);
    assert_eq!(basket()["error"]["code"], 2001);
    buy(
        &sandbox,
        "priceditem",
        &[ID, ("trackId", "1170006202"), ("price", "0.5")],
    );
    let amounts: Vec<u64> = sandbox.sales().iter().map(|sale| sale.amount).collect();
    assert_eq!(amounts, [198, 50]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivered_item_needs_a_transaction_but_no_card() {
    let sandbox = Sandbox::start().await.unwrap();
    let deliver = |more: Parameters| {
        let parameters = [&[ID, GB], more].concat();
        get(SECOND_USER, "/user/deliveritem", &parameters).send(&sandbox)
    };
    let missing = deliver(&[]);
    assert_eq!(missing.status, 400);
    assert!(
        missing.body.contains("<error code=\"1001\">"),
        "{missing:?}"
    );
    let bad_price = deliver(&[("transactionId", "t"), ("retailPrice", "1.999")]);
    assert_eq!(bad_price.status, 400);
    let done = deliver(&[
        ("transactionId", "t-7"),
        ("retailPrice", "0"),
        ("currency", "GBP"),
    ]);
    for part in ["<purchase id=\"", "<purchaseDate>"] {
        assert!(done.body.contains(part), "{done:?}");
    }
    let sales = sandbox.sales();
    let sale = (sales[0].transaction_id.as_deref(), sales[0].card_id);
    assert_eq!((sales.len(), sale), (1, (Some("t-7"), None)));
}

/// Registers a payment card for the second user; returns the registration as a poll shows it.
fn register(sandbox: &Sandbox, number: &str) -> Value {
    let redirect_url = "https://shop.example/done?x=1";
    let parameters = [("redirectUrl", redirect_url)];
    let registered = post(SECOND_USER, "/user/payment/cardregistration", &parameters).send(sandbox);
    let origin = format!("http://{}", sandbox.address());
    let page = registered
        .header("location")
        .unwrap()
        .strip_prefix(&*origin)
        .unwrap();
    let id = page.strip_prefix("/cardregistration/").unwrap();
    let path = format!("/user/payment{page}");
    let poll = || get(SECOND_USER, &path, &[]).json(sandbox)["cardRegistration"].take();
    assert_eq!(poll()["status"], "pending");
    let shown = send(sandbox, "GET", page, "", "");
    assert!(shown.body.contains("cardVerificationCode"));
    let form = format!(
        "cardNumber={number}&cardHolderName=Sam+Jones&cardExpiryMonth=12&cardExpiryYear=2099&cardPostCode=E1&cardVerificationCode=123"
    );
    let back = send(sandbox, "POST", page, FORM, &form);
    let id = id.replace('-', "%2D");
    let expected = format!("{redirect_url}&cardRegistrationId={id}");
    assert_eq!(back.header("location"), Some(&*expected));
    assert_eq!(get(USER, &path, &[]).send(sandbox).status, 404);
    poll()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_registered_polled_selected_charged_and_deleted() {
    let sandbox = Sandbox::start().await.unwrap();
    let failed = register(&sandbox, "4111111111111112");
    let failure = (&failed["status"], &failed["error"]["code"]);
    assert_eq!(failure, (&json!("error"), &json!(1002)));
    for (number, code) in [
        (demo::EXPIRED_CARD_NUMBER, json!(3001)),
        (demo::DECLINED_CARD_NUMBER, json!(3102)),
        ("5555555555554444", Value::Null),
    ] {
        let card = register(&sandbox, number)["card"].take();
        assert_eq!(card["last4digits"].as_str().unwrap(), &number[12..]);
        let id = card["id"].to_string();
        let change = |operation: &str| {
            let path = format!("/user/payment/card/{operation}");
            post(SECOND_USER, &path, &[("CardID", &id)])
                .send(&sandbox)
                .status
        };
        assert_eq!(change("select"), 200);
        let answer = get(SECOND_USER, "/user/purchase/item", &[ID, GB]).json(&sandbox);
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert_eq!((change("delete"), change("delete")), (200, 404));
    }
    assert_eq!(sandbox.sales().len(), 1);
    let arrivals = format!("{:?}", sandbox.arrivals());
    assert!(!arrivals.contains("5555555555554444"));
}
