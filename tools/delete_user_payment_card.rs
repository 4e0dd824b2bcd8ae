//! `delete-user-payment-card`: remove a card for good.

use sevendigital::{Auth, Effect, Endpoint};

use crate::models::{Document, Done};
use crate::select_user_payment_card::CardChoice;
use crate::{Action, ActionOf, Contract, Hints, Item, Scope, Tool};

/// The tool.
pub struct DeleteUserPaymentCard;

impl Tool for DeleteUserPaymentCard {
    const CONTRACT: Contract = Contract {
        name: "delete-user-payment-card",
        title: "7digital Delete User Payment Card",
        summary: "Deletes a card, for good.",
        description: "Deletes one of the user's payment cards, for good. Ask the user before. \
            Example: {\"body\": {\"cardId\": \"8154431\"}}.",
        hints: Hints::REPLACEMENT,
        rest: "/v1/user/payment/card/delete",
        upstream: Endpoint::post("/user/payment/card/delete", Auth::User, Effect::Writes),
        scope: Scope::Cards,
    };
    const ACTION: Option<ActionOf<Self>> =
        Some(|input| Ok(Action::deletion(Item::PaymentCard(input.card_id.clone()))));

    type Input = CardChoice;
    type Output = Document<Done>;
}
