//! `select-user-payment-card`: choose the card that purchases charge.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use sevendigital::{Auth, Effect, Endpoint};

use crate::models::{Document, Done};
use crate::values::{Country, Id, UserId};
use crate::{Contract, Fields, Hints, Scope, Tool};

/// The tool.
pub struct SelectUserPaymentCard;

impl Tool for SelectUserPaymentCard {
    const CONTRACT: Contract = Contract {
        name: "select-user-payment-card",
        title: "7digital Select User Payment Card",
        summary: "Makes a card the default, which purchases charge.",
        description: "Makes one of the user's cards the default, which later purchases charge. \
            Example: {\"body\": {\"cardId\": \"8154430\"}}.",
        hints: Hints::REPLACEMENT,
        rest: "/v1/user/payment/card/select",
        upstream: Endpoint::post("/user/payment/card/select", Auth::User, Effect::Writes),
        scope: Scope::Cards,
    };

    type Input = CardChoice;
    type Output = Document<Done>;
}

/// Which card of which user.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardChoice {
    /// From list-user-payment-cards. Required by 7digital.
    #[schemars(extend("x-kind" = "card id"))]
    pub(crate) card_id: Option<Id>,
    /// The user to act for.
    user_id: Option<UserId>,
    /// Two letters, such as `GB`.
    country: Option<Country>,
    /// In place of `country`.
    shop_id: Option<Id>,
    /// Other fields, sent as they are.
    #[serde(flatten)]
    more: Fields,
}
