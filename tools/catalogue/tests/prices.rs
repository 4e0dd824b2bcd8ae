//! Which amount is read in each form that a price has, and which of the caller's is doubted.

use serde_json::{Value, json};

use super::*;

#[test]
fn each_form_of_a_price_is_what_it_says() {
    const NONE: &str = "no price";
    let (seven, retail) = ("sevendigitalPrice", "recommendedRetailPrice");
    let amount = |name: &str, text: &str| format!("<{name}>{text}</{name}>");
    let nil = |name: &str| format!("<{name} xsi:nil=\"true\"/>");
    for (prices, store, recommended) in [
        (
            amount(seven, "5.99") + &amount(retail, "6.99"),
            "5.99 GBP",
            "6.99 GBP",
        ),
        (
            amount(seven, "0.00") + &amount(retail, "0.00"),
            "0.00 GBP",
            "0.00 GBP",
        ),
        (
            amount(seven, "0.00") + &amount(retail, "6.99"),
            "0.00 GBP",
            "6.99 GBP",
        ),
        (amount(seven, "5.99"), "5.99 GBP", NONE),
        (amount(retail, "6.99"), NONE, "6.99 GBP"),
        (amount(retail, "0.00"), NONE, NONE),
        (nil(seven) + &amount(retail, "0.00"), NONE, NONE),
        (nil(seven) + &amount(retail, "5.00"), NONE, NONE),
        (nil(seven) + &nil(retail), NONE, NONE),
        (amount(seven, "N/A") + &amount(retail, "N/A"), NONE, NONE),
        (amount(seven, "") + &amount(retail, "6.99"), NONE, NONE),
        (
            amount(seven, "-1.00") + &amount(retail, "£6.99"),
            NONE,
            NONE,
        ),
        (String::new(), NONE, NONE),
    ] {
        for (action, expected) in [
            (item(), store),
            (release("purchase-user-rrp-item"), recommended),
        ] {
            let found = price(&action, &priced("release", 7, &prices));
            let expected = match expected {
                NONE => "NoPrice(\"“Item 0” by Keane has no price in GB.\")",
                amount => amount,
            };
            assert_eq!(found, expected, "{prices}");
        }
    }
    let body = priced("track", 8, "<sevendigitalPrice xsi:nil=\"true\"/>");
    let unlisted = read_as(&track("purchase-user-item"), 200, &body).unwrap_err();
    assert_eq!(
        unlisted.to_string(),
        "“Item 0” by Keane has no price of its own in GB; it may be sold only with its album."
    );
    let own = track("deliver-user-item");
    let listing = read_as(&own, 200, &body).unwrap();
    assert_eq!((listing.price, listing.list_price), (None, None));
}

#[test]
fn prices_in_json_are_texts_numbers_or_null_in_any_wrapping() {
    let of = |download: Value, price: Value| {
        let release = json!({"id": "7", "title": "T", "download": download, "price": price});
        price_of(&json!({"status": "ok", "release": release}))
    };
    let package = |id: u8, price: Value| json!({"id": id, "price": {"currencyCode": "GBP", "sevendigitalPrice": price}});
    let (two, nine) = (package(2, json!("0.99")), package(9, json!(1.29)));
    let old = json!({"currency": {"_": "£", "code": "GBP"}, "value": "0.79", "rrp": "0.99", "formattedPrice": "£0.79"});
    let bare = json!({"currency": {"code": "USD"}, "formattedPrice": "N/A", "rrp": "0.00"});
    for (download, price, expected) in [
        (json!({"packages": [nine, two]}), json!(null), "0.99 GBP"),
        (
            json!({"packages": {"package": [nine, two]}}),
            json!(null),
            "0.99 GBP",
        ),
        (
            json!({"packages": {"package": two}}),
            json!(null),
            "0.99 GBP",
        ),
        (json!({"packages": two}), json!(null), "0.99 GBP"),
        (json!({"packages": [nine]}), json!(null), "1.29 GBP"),
        (
            json!({"packages": [package(12, json!(12.5)), nine]}),
            json!(null),
            "12.50 GBP",
        ),
        (
            json!({"packages": [package(2, json!(7))]}),
            json!(null),
            "7.00 GBP",
        ),
        (
            json!({"packages": [package(2, json!({"_": "7.99"}))]}),
            json!(null),
            "7.99 GBP",
        ),
        (
            json!({"packages": [package(2, json!(null)), nine]}),
            json!(null),
            "none",
        ),
        (
            json!({"packages": [package(2, json!(1e-7))]}),
            json!(null),
            "none",
        ),
        (
            json!({"packages": [package(2, json!(null))]}),
            old.clone(),
            "none",
        ),
        (json!({"packages": []}), old.clone(), "0.79 GBP"),
        (json!(null), old, "0.79 GBP"),
        (
            json!({"releaseDate": "2011-09-25T23:00:00Z"}),
            json!(null),
            "none",
        ),
        (json!({"packages": ""}), bare, "none"),
    ] {
        assert_eq!(of(download.clone(), price), expected, "{download}");
    }
}

/// The price of the release, or that there is none.
fn price_of(document: &Value) -> String {
    match read_as(&item(), 200, &document.to_string()) {
        Ok(listing) => shown(listing.price),
        Err(Unlisted::NoPrice(_)) => "none".to_owned(),
        Err(other) => panic!("{document}: {other:?}"),
    }
}

#[test]
fn a_callers_price_that_is_far_off_or_foreign_is_doubted() {
    let listing = |text: &str, code: &str| {
        let body = priced(
            "release",
            7,
            &format!(
                "<sevendigitalPrice>{text}</sevendigitalPrice><recommendedRetailPrice>{text}</recommendedRetailPrice>"
            ),
        );
        read_as(
            &release("purchase-user-priced-item"),
            200,
            &body.replace("GBP", code),
        )
        .unwrap()
    };
    let far = |listed: &str, given: &str| {
        Some(format!(
            "7digital lists it at {listed}: is {given} meant? Prices here are in minor units."
        ))
    };
    let foreign = |listed: &str, given: &str| {
        Some(format!(
            "7digital lists it at {listed}, which is another currency than that of {given}."
        ))
    };
    for (price, currency, text, code, expected) in [
        (999, None, "9.99", "GBP", None),
        (100, None, "9.99", "GBP", None),
        (99, None, "9.99", "GBP", far("9.99 GBP", "0.99 GBP")),
        (10, None, "9.99", "GBP", far("9.99 GBP", "0.10 GBP")),
        (9_989, None, "9.99", "GBP", None),
        (9_990, None, "9.99", "GBP", far("9.99 GBP", "99.90 GBP")),
        (0, None, "9.99", "GBP", far("9.99 GBP", "0.00 GBP")),
        (999, None, "0.00", "GBP", far("0.00 GBP", "9.99 GBP")),
        (0, None, "0.00", "GBP", None),
        (
            999,
            Some("EUR"),
            "9.99",
            "GBP",
            foreign("9.99 GBP", "9.99 EUR"),
        ),
        (999, None, "9.99", "EUR", foreign("9.99 EUR", "9.99 GBP")),
        (1_200, Some("JPY"), "1200", "JPY", None),
        (10_000_000, Some("GBP"), "9.999", "GBP", None),
    ] {
        let mut arguments = json!({"releaseId": "7", "retailPrice": price});
        if let Some(currency) = currency {
            arguments["currency"] = json!(currency);
        }
        let sale = action("deliver-user-item", arguments);
        let doubt = listing(text, code).price_doubt(&sale, Some("GB"));
        assert_eq!(doubt, expected, "{price} {currency:?} {text} {code}");
    }
    let unpriced = action("deliver-user-item", json!({"releaseId": "7"}));
    assert_eq!(
        listing("9.99", "GBP").price_doubt(&unpriced, Some("GB")),
        None
    );
    let store = release("purchase-user-item");
    assert_eq!(listing("9.99", "EUR").price_doubt(&store, Some("GB")), None);
}
