//! `purchase-user-rrp-item`: buy one release or one track at the recommended retail price.

use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::amount::Amount;
use crate::models::{Document, Purchases};
use crate::purchase_user_item::StoreItem;
use crate::{ActionOf, Charged, Contract, Fields, Hints, Scope, Tool, ToolError};

/// The tool.
pub struct PurchaseUserRrpItem;

impl Tool for PurchaseUserRrpItem {
    const CONTRACT: Contract = Contract {
        name: "purchase-user-rrp-item",
        title: "7digital Purchase User Rrp Item",
        summary: "Buys a release or a track at the recommended retail price.",
        description: "Buys a release, or one track of it, at the recommended retail price (RRP). \
            Charges the user's default card, for good: get a clear yes to item and price first. \
            Example: {\"releaseId\": \"11700062\"}.",
        hints: Hints::PURCHASE,
        rest: "/v1/user/purchase/rrpitem",
        upstream: Endpoint::get("/user/purchase/rrpitem", Auth::User, Effect::Charges),
        scope: Scope::Spend,
    };
    const ACTION: Option<ActionOf<Self>> =
        Some(|item| item.action(Charged::RecommendedRetailPrice));

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
