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
        description: "Buys everything in a basket, at the prices it was filled with. \
            Charges money: the user's selected card pays, and it can't be undone here. \
            Tell the user what is bought and for how much, and get a clear yes, before calling. If an answer is lost, look into `get-user-locker` before buying again. \
            The country must be the one that the basket was filled for. The user needs a selected card (list-user-payment-cards). \
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
    /// Free tags to store with the sale, as `key=value`, several with commas between them, such as `campaign=summer,source=agent`.
    tags: Option<Tags>,
    /// Id of the user to act for: needed where no user access token is configured and no default user is set.
    user_id: Option<UserId>,
    /// The user's country as two letters (ISO 3166-1 alpha-2), such as `GB`. Default: the configured country.
    country: Option<Country>,
    /// 7digital shop id; an older alternative to `country`, so give one of the two.
    shop_id: Option<Id>,
}
