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
            Charges money: the user's selected card pays, and it can't be undone here. \
            Tell the user what is bought and for how much, and get a clear yes, before calling. If an answer is lost, look into `get-user-locker` before buying again. \
            For keys of 7digital-branded shops; white-label shops use purchase-user-rrp-item or purchase-user-priced-item. The user needs a selected card (list-user-payment-cards). \
            Example: {\"releaseId\": \"11700062\"}, or {\"releaseId\": \"11700062\", \"trackId\": \"1170006201\"} for one track.",
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
    /// Release id to purchase. Also needed when a track is bought: the release that the track is on.
    release_id: Option<Id>,
    /// Track id to purchase; without it the whole release is bought.
    track_id: Option<Id>,
    /// The price shown to the user, in minor units: 999 is 9.99. 7digital refuses the purchase (code 3004) if its price is another.
    price: Option<Price>,
    /// Free tags to store with the sale, as `key=value`, several with commas between them, such as `campaign=summer,source=agent`.
    tags: Option<Tags>,
    /// Id of the user to act for: needed where no user access token is configured and no default user is set.
    user_id: Option<UserId>,
    /// The user's country as two letters (ISO 3166-1 alpha-2), such as `GB`. Default: the configured country.
    country: Option<Country>,
    /// 7digital shop id; an older alternative to `country`, so give one of the two.
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
