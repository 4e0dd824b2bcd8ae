//! What is looked up in the catalogue before a purchase, and the guard that a confirmed price is.

use serde_json::{Value, json};
use sevendigital::{Client, Consumer, Credentials, Token};
use sevendigital_sandbox::{Arrival, Fault, Price, Sandbox, Signature, demo};
use sevendigital_tools::catalogue::{Amount, Listing, Unlisted, look_up};
use sevendigital_tools::{Prepared, ToolError};

use crate::support::calls::tool;

const STORE: &str = "purchase-user-item";
const RETAIL: &str = "purchase-user-rrp-item";
const PRICED: &str = "purchase-user-priced-item";
const BASKET: &str = "purchase-user-basket";
/// The release that is on sale, in words.
const SALE: &str =
    "“Small Hours & Other Stories (Anniversary Edition)” by Clémence Bär (album, release 11700064)";

fn prepare(tool_name: &str, arguments: &Value) -> Prepared {
    let arguments = arguments.as_object().unwrap().clone();
    tool(tool_name).prepare(arguments).unwrap()
}

/// The demo user's client, whose country is GB.
fn client(sandbox: &Sandbox) -> Client {
    let credentials = Credentials {
        consumer: Some(Consumer {
            key: demo::CONSUMER_KEY.into(),
            secret: Some(demo::CONSUMER_SECRET.into()),
        }),
        token: Some(Token {
            token: demo::ACCESS_TOKEN.into(),
            secret: demo::ACCESS_TOKEN_SECRET.into(),
        }),
        country: Some(demo::COUNTRY.to_owned()),
        ..Credentials::default()
    };
    let client = Client::builder(sandbox.base_uri().parse().unwrap());
    client.credentials(credentials).build().unwrap()
}

async fn listing(
    sandbox: &Sandbox,
    tool: &str,
    arguments: &Value,
) -> Result<(Listing, String), Unlisted> {
    let prepared = prepare(tool, arguments);
    let action = prepared.action.as_ref().unwrap();
    let listing = look_up(&client(sandbox), action, &prepared.target).await?;
    let described = listing.describe(&action.item);
    Ok((listing, described))
}

fn shown(amount: Option<&Amount>) -> Option<String> {
    amount.map(Amount::to_string)
}

fn names(arrival: &Arrival) -> Vec<&str> {
    let own = arrival.query.iter().map(|(name, _)| name.as_str());
    own.filter(|name| !name.starts_with("oauth_")).collect()
}

#[tokio::test]
async fn an_item_is_looked_up_with_the_price_that_its_tool_charges() {
    let sandbox = Sandbox::start().await.unwrap();
    let (release, sale) = (demo::RELEASE_ID, demo::SALE_RELEASE_ID);
    for (tool, arguments, described, price, list_price) in [
        (
            STORE,
            json!({"releaseId": release}),
            "“Harbour Lights” by Marlow Quay (album, release 11700062)",
            Some("7.99 GBP"),
            None,
        ),
        (
            STORE,
            json!({"releaseId": release, "trackId": "1170006201", "country": "DE"}),
            "“Slipway” by Marlow Quay, from “Harbour Lights” (track 1170006201 of release 11700062)",
            Some("1.29 EUR"),
            None,
        ),
        (
            STORE,
            json!({"releaseId": sale}),
            SALE,
            Some("10.99 GBP"),
            None,
        ),
        (
            RETAIL,
            json!({"releaseId": sale, "country": "US"}),
            SALE,
            Some("14.99 USD"),
            None,
        ),
        (
            PRICED,
            json!({"releaseId": sale, "price": 99}),
            SALE,
            None,
            Some("12.99 GBP"),
        ),
        (
            BASKET,
            json!({"basketId": demo::BASKET_ID}),
            "basket 0f8fad5b-d9cb-469f-a165-70867728950e (2 items: “Night Bus” by Penge East; “Minuit” by Clémence Bär)",
            Some("1.98 GBP"),
            None,
        ),
    ] {
        let (listing, found) = listing(&sandbox, tool, &arguments).await.unwrap();
        assert_eq!(found, described);
        let prices = [&listing.price, &listing.list_price].map(|price| shown(price.as_ref()));
        let expected = [price, list_price].map(|price| price.map(str::to_owned));
        assert_eq!(prices, expected, "{tool} {arguments}");
    }
}

#[tokio::test]
async fn a_look_up_is_the_partners_own_read_and_is_repeated() {
    let sandbox = Sandbox::start().await.unwrap();
    let unavailable = Fault::RetryAfter(503, String::new());
    sandbox.script("getTrackDetails", unavailable, 1);
    let user = json!({"releaseId": demo::RELEASE_ID, "trackId": "1170006201", "userId": "u-1", "shopId": "34"});
    let (listing, _) = listing(&sandbox, RETAIL, &user).await.unwrap();
    assert_eq!(shown(listing.price.as_ref()).unwrap(), "0.99 GBP");
    let cover = "https://artwork.sandbox.example/sleeveart/0011700062_350.jpg";
    assert_eq!(listing.cover.as_deref(), Some(cover));
    let arrivals = sandbox.arrivals();
    assert_eq!(arrivals.len(), 2);
    for arrival in arrivals {
        assert_eq!(arrival.path, "/1.2/track/details");
        let consumer_alone = Signature::Verified { token: None };
        assert_eq!(arrival.signature, consumer_alone);
        let mut names = names(&arrival);
        names.sort_unstable();
        assert_eq!(names, ["imageSize", "shopId", "trackId", "usageTypes"]);
    }
}

#[tokio::test]
async fn what_is_not_sold_or_not_read_has_no_listing() {
    let sandbox = Sandbox::start().await.unwrap();
    let denied = Fault::Status(401, "text/plain", "no".into());
    sandbox.script("getBasket", denied, 1);
    for (tool, arguments, expected) in [
        (
            BASKET,
            json!({"basketId": demo::BASKET_ID}),
            "7digital refused the read (401)",
        ),
        (
            BASKET,
            json!({"basketId": demo::BASKET_ID, "country": "DE"}),
            "7digital has no basket 0f8fad5b-d9cb-469f-a165-70867728950e in DE (code 2002).",
        ),
        (
            STORE,
            json!({"releaseId": demo::US_RELEASE_ID}),
            "7digital does not sell release 11700066 in GB (code 2002).",
        ),
        (
            STORE,
            json!({"releaseId": "1", "country": "FR"}),
            "7digital does not sell release 1 in FR (code 2001).",
        ),
        (
            STORE,
            json!({"releaseId": demo::WITHDRAWN_ID}),
            "7digital does not sell release 11700067 in GB.",
        ),
    ] {
        let unlisted = listing(&sandbox, tool, &arguments).await.unwrap_err();
        assert_eq!(unlisted.to_string(), expected);
    }
    let coming = json!({"releaseId": demo::PRE_ORDER_ID});
    let (coming, described) = listing(&sandbox, STORE, &coming).await.unwrap();
    let date = coming.pre_order.unwrap();
    let expected = format!(
        "“Deep Water” by Marlow Quay [explicit] (album, release 11700068; pre-order, out on {date})"
    );
    assert_eq!(described, expected);
}

#[tokio::test]
async fn a_confirmed_price_is_sent_as_7digital_wrote_it() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client(&sandbox);
    let amount = |text: &str| Amount {
        text: text.to_owned(),
        currency: Some("GBP".to_owned()),
    };
    let release = json!({"releaseId": demo::RELEASE_ID});
    let own = json!({"releaseId": demo::RELEASE_ID, "price": 799});
    for (tool, arguments, confirmed, sent) in [
        (STORE, &release, Some("7.990"), Some("7.990")),
        (STORE, &release, None, None),
        (STORE, &own, Some("1.00"), Some("7.99")),
        (RETAIL, &release, Some("7.99"), Some("7.99")),
        (PRICED, &own, Some("1.00"), Some("7.99")),
        ("deliver-user-item", &release, Some("7.99"), None),
    ] {
        let confirmed = confirmed.map(amount);
        let prepared = prepare(tool, arguments);
        // 7.990 is a text that the sandbox does not read; it says so after the price has arrived.
        let _ = prepared.run_at(&client, confirmed.as_ref()).await;
        let arrival = sandbox.arrivals().pop().unwrap();
        assert_eq!(arrival.parameter("price"), sent, "{tool} {arguments}");
    }
}

#[tokio::test]
async fn a_price_that_changed_since_it_was_confirmed_is_not_charged() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = client(&sandbox);
    let arguments = json!({"releaseId": demo::RELEASE_ID});
    let (shown, _) = listing(&sandbox, STORE, &arguments).await.unwrap();
    let dearer = Price {
        sevendigital: 899,
        recommended: 899,
    };
    sandbox.set_price(11_700_062, dearer);
    let call = prepare(STORE, &arguments);
    let refused = call
        .run_at(&client, shown.price.as_ref())
        .await
        .unwrap_err();
    let ToolError::Client(sevendigital::Error::Rejected(refusal)) = refused else {
        panic!("{refused}");
    };
    assert_eq!((refusal.code, sandbox.sales().len()), (Some(3004), 0));
    let (shown, _) = listing(&sandbox, STORE, &arguments).await.unwrap();
    let call = prepare(STORE, &arguments);
    call.run_at(&client, shown.price.as_ref()).await.unwrap();
    assert_eq!(sandbox.sales()[0].amount, 899);
}
