//! `purchase-user-priced-item`: buy one release or one track at a price that the partner sets.

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
pub struct PurchaseUserPricedItem;

impl Tool for PurchaseUserPricedItem {
    const CONTRACT: Contract = Contract {
        name: "purchase-user-priced-item",
        title: "7digital Purchase User Priced Item",
        description: "Buys a release, or one track of it, at a price that the partner sets. \
            Charges money: the user's selected card pays, and it can't be undone here. \
            Tell the user what is bought and for how much, and get a clear yes, before calling. If an answer is lost, look into `get-user-locker` before buying again. \
            `price` is in minor units of the shop's currency: 999 is 9.99. Only for keys that may set prices; the user needs a selected card (list-user-payment-cards). \
            Example: {\"releaseId\": \"11700062\", \"price\": 799}.",
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
        rest: Route::get("/v1/user/purchase/priceditem"),
        upstream: Endpoint::get("/user/purchase/priceditem", Auth::User, Effect::Charges),
        asks: Asks::First,
        scope: Scope::Spend,
        pace: Pace::Free,
    };

    type Input = PricedItem;
    type Output = Document<Purchases>;

    fn check(item: &PricedItem) -> Result<(), ToolError> {
        deed::named(item.release_id.as_ref(), item.track_id.as_ref())
    }

    fn deed(item: &PricedItem) -> Option<Deed> {
        Some(deed::purchase(
            deed::item(item.release_id.as_ref(), item.track_id.as_ref()),
            Some(item.price),
        ))
    }

    async fn call(client: &Client, item: PricedItem) -> Result<Answer<Self::Output>, ToolError> {
        let country = item
            .country
            .as_ref()
            .map(Country::as_str)
            .or(client.credentials().country.as_deref());
        let price = item.price.in_major_units(None, country);
        Ok(client
            .send(&Self::CONTRACT.upstream, &Sent { item, price })
            .await?)
    }
}

/// What to buy, and for how much.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PricedItem {
    /// Release id to purchase. Also needed when a track is bought: the release that the track is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    release_id: Option<Id>,
    /// Track id to purchase; without it the whole release is bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    track_id: Option<Id>,
    /// Partner-supplied price in minor units of the shop's currency, a whole number: 999 is 9.99.
    price: Price,
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
    item: PricedItem,
    price: String,
}
