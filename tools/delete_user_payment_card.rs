//! `delete-user-payment-card`: remove a card for good.

use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{Document, Done};
use crate::select_user_payment_card::CardChoice;
use crate::{Action, ActionOf, Body, Contract, Fields, Hints, Item, Scope, Tool, ToolError};

/// The tool.
pub struct DeleteUserPaymentCard;

impl Tool for DeleteUserPaymentCard {
    const CONTRACT: Contract = Contract {
        name: "delete-user-payment-card",
        title: "7digital Delete User Payment Card",
        summary: "Deletes a card, for good.",
        description: "Deletes one of the user's cards. It can't be brought back; the user would have to register it again. \
            Ask the user before calling. Get the id from list-user-payment-cards. The fields go into `body`. \
            Example: {\"body\": {\"cardId\": \"8154431\"}}.",
        hints: Hints::REPLACEMENT,
        rest: "/v1/user/payment/card/delete",
        upstream: Endpoint::post("/user/payment/card/delete", Auth::User, Effect::Writes),
        scope: Scope::Cards,
    };
    const ACTION: Option<ActionOf<Self>> = Some(|input| {
        Ok(Action::deletion(Item::PaymentCard(
            input.body.card_id.clone(),
        )))
    });

    type Input = Body<CardChoice>;
    type Output = Document<Done>;

    async fn call(client: &Client, input: &Self::Input) -> Result<Answer<Fields>, ToolError> {
        Ok(client.call(&Self::CONTRACT.upstream, &input.body).await?)
    }
}
