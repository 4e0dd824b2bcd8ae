//! `purchase-user-rrp-item`: buy one release or one track at the recommended retail price.

use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::deed::Deed;
use crate::models::{Document, Purchases};
use crate::purchase_user_item::{Item, buy, check, deed};
use crate::tool::{
    Accurate, Asks, Contract, Hints, Pace, Published, Route, Scope, Tool, ToolError,
};

/// The tool.
#[derive(Debug)]
pub struct PurchaseUserRrpItem;

impl Tool for PurchaseUserRrpItem {
    const CONTRACT: Contract = Contract {
        name: "purchase-user-rrp-item",
        title: "7digital Purchase User Rrp Item",
        description: "Buys a release, or one track of it, at the recommended retail price (RRP). \
            Charges money: the user's selected card pays, and it can't be undone here. \
            Tell the user what is bought and for how much, and get a clear yes, before calling. If an answer is lost, look into `get-user-locker` before buying again. \
            The user needs a selected card (list-user-payment-cards). \
            Example: {\"releaseId\": \"11700062\"}.",
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
        rest: Route::get("/v1/user/purchase/rrpitem"),
        upstream: Endpoint::get("/user/purchase/rrpitem", Auth::User, Effect::Charges),
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
