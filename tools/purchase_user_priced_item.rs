//! `purchase-user-priced-item`: buy one release or one track at a price that the partner sets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{Document, Purchases};
use crate::sent::{Sent, upstream_price};
use crate::values::{Country, Id, Price, UserId};
use crate::{Action, ActionOf, Charged, Contract, Fields, Hints, Item, Scope, Tool, ToolError};

/// The tool.
pub struct PurchaseUserPricedItem;

impl Tool for PurchaseUserPricedItem {
    const CONTRACT: Contract = Contract {
        name: "purchase-user-priced-item",
        title: "7digital Purchase User Priced Item",
        summary: "Buys a release or a track at a price that the partner sets.",
        description: "Buys a release, or one track of it, at a price that the partner sets; for keys that may. \
            Charges the user's default card, for good: get a clear yes to item and price first. \
            Example: {\"releaseId\": \"11700062\", \"price\": 799}.",
        hints: Hints::PURCHASE,
        rest: "/v1/user/purchase/priceditem",
        upstream: Endpoint::get("/user/purchase/priceditem", Auth::User, Effect::Charges),
        scope: Scope::Spend,
    };
    const ACTION: Option<ActionOf<Self>> = Some(|item| {
        let named = Item::from_ids(item.release_id.as_ref(), item.track_id.as_ref())?;
        Ok(Action::purchase(
            named,
            Some(item.price),
            Charged::CallersPrice,
        ))
    });

    type Input = PricedItem;
    type Output = Document<Purchases>;

    async fn call(client: &Client, item: &PricedItem) -> Result<Answer<Fields>, ToolError> {
        let price = upstream_price(client, item.price, None, item.country.as_ref());
        let sent = Sent::new(item).with("price", Some(price));
        sent.call(client, &Self::CONTRACT.upstream).await
    }
}

/// What to buy, and for how much.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PricedItem {
    /// Release to buy; of a track, the release that it is on.
    release_id: Option<Id>,
    /// Track to buy, instead of the whole release.
    track_id: Option<Id>,
    /// In minor units of the shop's currency: 999 is 9.99.
    price: Price,
    /// The user to act for.
    user_id: Option<UserId>,
    /// Two letters, such as `GB`.
    country: Option<Country>,
    /// In place of `country`.
    shop_id: Option<Id>,
}
