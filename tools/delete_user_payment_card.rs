//! `delete-user-payment-card`: remove a card for good.

use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::deed::{self, Deed};
use crate::models::{Document, Done};
use crate::select_user_payment_card::Choice;
use crate::tool::{
    Accurate, Asks, Contract, Hints, Pace, Published, Route, Scope, Tool, ToolError,
};

/// The tool.
#[derive(Debug)]
pub struct DeleteUserPaymentCard;

impl Tool for DeleteUserPaymentCard {
    const CONTRACT: Contract = Contract {
        name: "delete-user-payment-card",
        title: "7digital Delete User Payment Card",
        description: "Deletes one of the user's cards. It can't be brought back; the user would have to register it again. \
            Ask the user before calling. Get the id from list-user-payment-cards. The fields go into `body`. \
            Example: {\"body\": {\"cardId\": \"8154431\"}}.",
        hints: Hints {
            accurate: Accurate {
                read_only: false,
                destructive: true,
                idempotent: true,
                open_world: false,
            },
            published: Published {
                read_only: false,
                destructive: false,
                idempotent: false,
            },
        },
        rest: Route::post("/v1/user/payment/card/delete"),
        upstream: Endpoint::post("/user/payment/card/delete", Auth::User, Effect::Writes),
        asks: Asks::First,
        scope: Scope::Cards,
        pace: Pace::Free,
    };

    type Input = Choice;
    type Output = Document<Done>;

    fn deed(choice: &Choice) -> Option<Deed> {
        Some(deed::deletion(choice.body.card_id.as_ref()))
    }

    async fn call(client: &Client, choice: Choice) -> Result<Answer<Self::Output>, ToolError> {
        Ok(client.send(&Self::CONTRACT.upstream, &choice.body).await?)
    }
}
