//! `purchase-user-item`: buy one release or one track at the store's price.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::amount::Amount;
use crate::models::{Document, Purchases};
use crate::sent::{Sent, upstream_price};
use crate::values::{Country, Id, Price, Tags, UserId};
use crate::{Action, ActionOf, Charged, Contract, Fields, Hints, Item, Scope, Tool, ToolError};

/// The tool.
pub struct PurchaseUserItem;

impl Tool for PurchaseUserItem {
    const CONTRACT: Contract = Contract {
        name: "purchase-user-item",
        title: "7digital Purchase User Item",
        summary: "Buys a release or a track at the store's price.",
        description: "Buys a release, or one track of it, at the store's current price. \
            Charges the user's default card, for good: get a clear yes to item and price first. \
            For keys of 7digital's own shops; other shops use purchase-user-rrp-item or purchase-user-priced-item. \
            Example: {\"releaseId\": \"11700062\"}, or {\"releaseId\": \"11700062\", \"trackId\": \"1170006201\"} for a track.",
        hints: Hints::PURCHASE,
        rest: "/v1/user/purchase/item",
        upstream: Endpoint::get("/user/purchase/item", Auth::User, Effect::Charges),
        scope: Scope::Spend,
    };
    const ACTION: Option<ActionOf<Self>> = Some(|item| item.action(Charged::SevendigitalPrice));

    type Input = StoreItem;
    type Output = Document<Purchases>;

    async fn call_at(
        client: &Client,
        item: &StoreItem,
        price: Option<&Amount>,
    ) -> Result<Answer<Fields>, ToolError> {
        item.buy(client, &Self::CONTRACT.upstream, price).await
    }
}

/// What to buy.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoreItem {
    /// Release to buy; of a track, the release that it is on.
    release_id: Option<Id>,
    /// Track to buy, instead of the whole release.
    track_id: Option<Id>,
    /// The price shown to the user, in minor units: 999 is 9.99. 7digital refuses to take another.
    price: Option<Price>,
    /// Tags of the sale, such as `campaign=summer,source=agent`.
    tags: Option<Tags>,
    /// The user to act for.
    user_id: Option<UserId>,
    /// Two letters, such as `GB`.
    country: Option<Country>,
    /// In place of `country`.
    shop_id: Option<Id>,
}

impl StoreItem {
    /// The purchase of this item.
    pub(crate) fn action(&self, charged: Charged) -> Result<Action, ToolError> {
        let item = Item::from_ids(self.release_id.as_ref(), self.track_id.as_ref())?;
        Ok(Action::purchase(item, self.price, charged))
    }

    /// Buys the item at one of the store's own prices: `item` and `rrpitem` differ in nothing else.
    ///
    /// The caller's price is sent as `price`, or else the one that the user confirmed: 7digital refuses the purchase (code 3004) if it has changed.
    pub(crate) async fn buy(
        &self,
        client: &Client,
        upstream: &Endpoint,
        confirmed: Option<&Amount>,
    ) -> Result<Answer<Fields>, ToolError> {
        let price_of = |price| upstream_price(client, price, None, self.country.as_ref());
        let price = self.price.map(price_of);
        let price = price.or_else(|| confirmed.map(|amount| amount.text.clone()));
        let sent = Sent::new(self).with("price", price);
        let sent = sent.with_tags(self.tags.as_ref());
        sent.call(client, upstream).await
    }
}
