//! `purchase-user-basket`: buy all that is in a basket.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{Document, Purchases};
use crate::sent::Sent;
use crate::values::{Country, Id, Tags, UserId};
use crate::{Action, ActionOf, Charged, Contract, Fields, Hints, Item, Scope, Tool, ToolError};

/// The tool.
pub struct PurchaseUserBasket;

impl Tool for PurchaseUserBasket {
    const CONTRACT: Contract = Contract {
        name: "purchase-user-basket",
        title: "7digital Purchase User Basket",
        summary: "Buys all that is in a basket.",
        description: "Buys all that is in a basket, at its prices. \
            Charges the user's default card, for good: get a clear yes to item and price first. \
            `country` is the one that the basket was filled for. \
            Example: {\"basketId\": \"0f8fad5b-d9cb-469f-a165-70867728950e\"}.",
        hints: Hints::PURCHASE,
        rest: "/v1/user/purchase/basket",
        upstream: Endpoint::get("/user/purchase/basket", Auth::User, Effect::Charges),
        scope: Scope::Spend,
    };
    const ACTION: Option<ActionOf<Self>> = Some(|basket| {
        Ok(Action::purchase(
            Item::Basket(basket.basket_id.clone()),
            None,
            Charged::AmountDue,
        ))
    });

    type Input = Basket;
    type Output = Document<Purchases>;

    async fn call(client: &Client, basket: &Basket) -> Result<Answer<Fields>, ToolError> {
        let sent = Sent::new(basket).with_tags(basket.tags.as_ref());
        sent.call(client, &Self::CONTRACT.upstream).await
    }
}

/// Which basket to buy.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Basket {
    /// 7digital basket id, a GUID.
    basket_id: Id,
    /// Tags of the sale, such as `campaign=summer,source=agent`.
    tags: Option<Tags>,
    /// The user to act for.
    user_id: Option<UserId>,
    /// Two letters, such as `GB`.
    country: Option<Country>,
    /// In place of `country`.
    shop_id: Option<Id>,
}
