//! What the catalogue says of what can be bought, and that purchases charge just that.

use serde_json::{Value, json};

use super::harness::{CONSUMER, Parameters, USER, get};
use crate::{Price, Sandbox, demo};

const TRACK: &str = "1170006201";

fn read(sandbox: &Sandbox, path: &str, parameters: Parameters) -> Value {
    get(CONSUMER, path, parameters).json(sandbox)
}

/// The standard package's currency and prices.
fn price(item: &Value) -> [&str; 3] {
    let packages = item["download"]["packages"].as_array().unwrap();
    let standard = packages.iter().find(|package| package["id"] == 2).unwrap();
    [
        "currencyCode",
        "sevendigitalPrice",
        "recommendedRetailPrice",
    ]
    .map(|name| standard["price"][name].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_listed_at_the_price_of_the_country() {
    let sandbox = Sandbox::start().await.unwrap();
    let (release, track) = (("releaseId", demo::RELEASE_ID), ("trackId", TRACK));
    let sale = ("releaseId", demo::SALE_RELEASE_ID);
    let free = ("releaseId", "11700065");
    for (root, id, country, expected) in [
        (
            "release",
            release,
            ("country", "GB"),
            ["GBP", "7.99", "7.99"],
        ),
        (
            "release",
            release,
            ("country", "de"),
            ["EUR", "9.99", "9.99"],
        ),
        (
            "release",
            release,
            ("country", "US"),
            ["USD", "9.99", "9.99"],
        ),
        (
            "release",
            release,
            ("shopId", "34"),
            ["GBP", "7.99", "7.99"],
        ),
        (
            "release",
            sale,
            ("country", "GB"),
            ["GBP", "10.99", "12.99"],
        ),
        ("release", free, ("country", "DE"), ["EUR", "0.00", "0.00"]),
        ("track", track, ("country", "GB"), ["GBP", "0.99", "0.99"]),
        ("track", track, ("country", "US"), ["USD", "1.29", "1.29"]),
    ] {
        let path = format!("/{root}/details");
        let item = read(&sandbox, &path, &[id, country])[root].take();
        assert_eq!(price(&item), expected, "{id:?} {country:?}");
    }
    let listed = read(&sandbox, "/track/details", &[track, ("imageSize", "350")]);
    let listed = &listed["track"];
    let names = json!(["Slipway", "Marlow Quay", "Harbour Lights", "Album"]);
    let found = json!([
        listed["title"],
        listed["artist"]["appearsAs"],
        listed["release"]["title"],
        listed["release"]["type"]
    ]);
    assert_eq!(found, names);
    let cover = "https://artwork.sandbox.example/sleeveart/0011700062_350.jpg";
    assert_eq!(listed["release"]["image"], cover);
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_and_currencies_have_their_own_form_in_xml() {
    let sandbox = Sandbox::start().await.unwrap();
    let xml = |path: &str, id| {
        let call = get(CONSUMER, path, &[id]).accepting("*/*");
        call.send(&sandbox).body
    };
    let release = xml("/release/details", ("releaseId", demo::RELEASE_ID));
    let package = "<package id=\"2\"><description>standard</description><price><currencyCode>GBP</currencyCode><sevendigitalPrice>7.99</sevendigitalPrice>\
        <recommendedRetailPrice>7.99</recommendedRetailPrice></price><formats><format id=\"17\"><description>MP3 320</description></format>";
    assert!(release.contains(package), "{release}");
    let basket = xml("/basket", ("basketId", demo::BASKET_ID));
    let due = "<amountDue><amount>1.98</amount><formattedAmount>£1.98</formattedAmount><currency code=\"GBP\">£</currency></amountDue></basket>";
    assert!(basket.contains(due), "{basket}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_bought_is_listed_as_such() {
    let sandbox = Sandbox::start().await.unwrap();
    let rows: [(&str, Parameters, u64, u16); 8] = [
        ("/release/details", &[], 1001, 400),
        ("/release/details", &[("releaseId", "x")], 1002, 400),
        ("/release/details", &[("releaseId", "1")], 2001, 404),
        (
            "/release/details",
            &[("releaseId", demo::US_RELEASE_ID)],
            2002,
            400,
        ),
        ("/track/details", &[("trackId", "1")], 2001, 404),
        (
            "/track/details",
            &[("trackId", "1170006601"), ("country", "DE")],
            2002,
            400,
        ),
        (
            "/basket",
            &[("basketId", "00000000-0000-0000-0000-000000000000")],
            2001,
            404,
        ),
        (
            "/basket",
            &[("basketId", demo::BASKET_ID), ("country", "DE")],
            2002,
            400,
        ),
    ];
    for (path, parameters, code, status) in rows {
        let response = get(CONSUMER, path, parameters).send(&sandbox);
        let error: Value = serde_json::from_str(&response.body).unwrap();
        assert_eq!(
            (&error["error"]["code"], response.status),
            (&json!(code), status)
        );
    }
    let withdrawn = ("releaseId", demo::WITHDRAWN_ID);
    let withdrawn = read(&sandbox, "/release/details", &[withdrawn]);
    assert_eq!(withdrawn["release"]["title"], "Withdrawn");
    assert_eq!(withdrawn["release"]["download"], Value::Null);
    let coming = read(
        &sandbox,
        "/release/details",
        &[("releaseId", demo::PRE_ORDER_ID)],
    );
    let date = coming["release"]["download"]["releaseDate"]
        .as_str()
        .unwrap();
    assert!(*date > *chrono::Utc::now().to_rfc3339(), "{date}");
    assert_eq!(coming["release"]["explicitContent"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_basket_lists_its_items_and_what_is_due() {
    let sandbox = Sandbox::start().await.unwrap();
    let id = ("basketId", demo::BASKET_ID);
    let basket = read(&sandbox, "/basket", &[id])["basket"].take();
    let items = basket["basketItems"]["basketItem"].as_array().unwrap();
    let item = |at: usize| {
        json!([
            items[at]["type"],
            items[at]["itemName"],
            items[at]["artistName"],
            items[at]["trackId"]
        ])
    };
    assert_eq!(item(0), json!(["release", "Night Bus", "Penge East", ""]));
    let track = json!(["track", "Minuit", "Clémence Bär", "1170006401"]);
    assert_eq!((item(1), &basket["itemCount"]), (track, &json!(2)));
    let due = json!({"amount": "1.98", "formattedAmount": "£1.98", "currency": {"code": "GBP", "_": "£"}});
    assert_eq!(basket["amountDue"], due);
    sandbox.set_price(
        11_700_063,
        Price {
            sevendigital: 49,
            recommended: 49,
        },
    );
    let due = read(&sandbox, "/basket", &[id])["basket"]["amountDue"].take();
    assert_eq!(due["amount"], "1.48");
    let bought = get(USER, "/user/purchase/basket", &[id, ("country", "GB")]).send(&sandbox);
    assert_eq!((bought.status, sandbox.sales()[0].amount), (200, 148));
}

#[tokio::test(flavor = "multi_thread")]
async fn purchases_charge_what_is_listed_and_refuse_another_price() {
    let sandbox = Sandbox::start().await.unwrap();
    let buy = |operation: &str, id: &str, country: &str, price: &str| {
        let parameters = [("releaseId", id), ("country", country), ("price", price)];
        let path = format!("/user/purchase/{operation}");
        get(USER, &path, &parameters).json(&sandbox)["error"]["code"].as_u64()
    };
    let (release, sale) = (demo::RELEASE_ID, demo::SALE_RELEASE_ID);
    for (operation, id, country, price, code) in [
        ("item", sale, "GB", "10.99", None),
        ("item", sale, "GB", "12.99", Some(3004)),
        ("rrpitem", sale, "GB", "12.99", None),
        ("rrpitem", sale, "GB", "10.99", Some(3004)),
        ("item", release, "DE", "9.99", None),
        ("item", release, "DE", "7.99", Some(3004)),
        ("item", sale, "GB", "", None),
        ("rrpitem", sale, "GB", "", None),
    ] {
        let refused = buy(operation, id, country, price);
        assert_eq!(refused, code, "{operation} {id} {country} {price}");
    }
    let dearer = Price {
        sevendigital: 899,
        recommended: 1_099,
    };
    sandbox.set_price(11_700_062, dearer);
    let steps = ["7.99", "8.99"].map(|price| buy("item", release, "GB", price));
    assert_eq!(steps, [Some(3004), None]);
    assert_eq!(buy("rrpitem", release, "US", "10.99"), None);
    let amounts: Vec<u64> = sandbox.sales().iter().map(|sale| sale.amount).collect();
    assert_eq!(amounts, [1_099, 1_299, 999, 1_099, 1_299, 899, 1_099]);
}
