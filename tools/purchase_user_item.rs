//! `purchase-user-item`: buy one release or one track at the store's price.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::deed::{self, Deed};
use crate::models::{Document, Purchases};
use crate::tool::{
    Accurate, Asks, Contract, Hints, Pace, Published, Route, Scope, Tool, ToolError,
};
use crate::values::{Country, Id, Price, UserId};

/// The tool.
#[derive(Debug)]
pub struct PurchaseUserItem;

impl Tool for PurchaseUserItem {
    const CONTRACT: Contract = Contract {
        name: "purchase-user-item",
        title: "7digital Purchase User Item",
        description: "Buys a release, or one track of it, at the store's current price. \
            Charges money: the user's selected card pays, and it can't be undone here. \
            Tell the user what is bought and for how much, and get a clear yes, before calling. If an answer is lost, look into `get-user-locker` before buying again. \
            For keys of 7digital-branded shops; white-label shops use purchase-user-rrp-item or purchase-user-priced-item. The user needs a selected card (list-user-payment-cards). \
            Example: {\"releaseId\": \"11700062\"}, or {\"releaseId\": \"11700062\", \"trackId\": \"1170006201\"} for one track.",
        hints: Hints {
            accurate: Accurate {
                read_only: false,
                destructive: true,
                idempotent: true,
                open_world: true,
            },
            published: Published {
                read_only: true,
                destructive: false,
                idempotent: true,
            },
        },
        rest: Route::get("/v1/user/purchase/item"),
        upstream: Endpoint::get("/user/purchase/item", Auth::User, Effect::Charges),
        asks: Asks::First,
        scope: Scope::Spend,
        pace: Pace::Free,
    };

    type Input = Item;
    type Output = Document<Purchases>;

    fn check(item: &Item) -> Result<(), ToolError> {
        check(item)
    }

    fn deed(item: &Item) -> Option<Deed> {
        Some(deed(item))
    }

    async fn call(client: &Client, item: Item) -> Result<Answer<Self::Output>, ToolError> {
        buy(client, &Self::CONTRACT.upstream, item).await
    }
}

/// What to buy.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Item {
    /// Release id to purchase. Also needed when a track is bought: the release that the track is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    release_id: Option<Id>,
    /// Track id to purchase; without it the whole release is bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    track_id: Option<Id>,
    /// The price shown to the user, in minor units: 999 is 9.99. 7digital refuses the purchase (code 3004) if its price is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Price>,
    /// The user whom the call is for: needed where no user access token is configured and no default user is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    /// The user's country as two letters (ISO 3166-1 alpha-2), such as `GB`. Default: the configured country.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Country>,
    /// 7digital shop id; an older alternative to `country`, so give one of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    shop_id: Option<Id>,
}

/// An item as 7digital takes it: the price in major units, in place of the one in minor units.
#[derive(Serialize)]
struct Sent {
    #[serde(flatten)]
    item: Item,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<String>,
}

/// Something must be named.
pub(crate) fn check(item: &Item) -> Result<(), ToolError> {
    deed::named(item.release_id.as_ref(), item.track_id.as_ref())
}

/// What buying an item comes to.
pub(crate) fn deed(item: &Item) -> Deed {
    deed::purchase(
        deed::item(item.release_id.as_ref(), item.track_id.as_ref()),
        item.price,
    )
}

/// Buys an item at one of the store's own prices: `item` and `rrpitem` differ in nothing else.
pub(crate) async fn buy(
    client: &Client,
    upstream: &Endpoint,
    item: Item,
) -> Result<Answer<Document<Purchases>>, ToolError> {
    let country = item
        .country
        .as_ref()
        .map(Country::as_str)
        .or(client.credentials().country.as_deref());
    let price = item.price.map(|price| price.in_major_units(None, country));
    Ok(client.send(upstream, &Sent { item, price }).await?)
}
