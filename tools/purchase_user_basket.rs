//! `purchase-user-basket`: buy all that is in a basket.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::deed::{self, Deed};
use crate::models::{Document, Purchases};
use crate::tool::{
    Accurate, Asks, Contract, Hints, Pace, Published, Route, Scope, Tool, ToolError,
};
use crate::values::{Country, Id, UserId};

/// The tool.
#[derive(Debug)]
pub struct PurchaseUserBasket;

impl Tool for PurchaseUserBasket {
    const CONTRACT: Contract = Contract {
        name: "purchase-user-basket",
        title: "7digital Purchase User Basket",
        description: "Buys everything in a basket, at the prices it was filled with. \
            Charges money: the user's selected card pays, and it can't be undone here. \
            Tell the user what is bought and for how much, and get a clear yes, before calling. If an answer is lost, look into `get-user-locker` before buying again. \
            The country must be the one that the basket was filled for. The user needs a selected card (list-user-payment-cards). \
            Example: {\"basketId\": \"0f8fad5b-d9cb-469f-a165-70867728950e\"}.",
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
        rest: Route::get("/v1/user/purchase/basket"),
        upstream: Endpoint::get("/user/purchase/basket", Auth::User, Effect::Charges),
        asks: Asks::First,
        scope: Scope::Spend,
        pace: Pace::Free,
    };

    type Input = Basket;
    type Output = Document<Purchases>;

    fn deed(basket: &Basket) -> Option<Deed> {
        Some(deed::purchase(
            format!("basket {}", basket.basket_id.as_str()),
            None,
        ))
    }

    async fn call(client: &Client, basket: Basket) -> Result<Answer<Self::Output>, ToolError> {
        Ok(client.send(&Self::CONTRACT.upstream, &basket).await?)
    }
}

/// Which basket to buy.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Basket {
    /// 7digital basket id, a GUID.
    basket_id: Id,
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
