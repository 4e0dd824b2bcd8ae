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
        description: "Makes one of the user's cards the default, which later purchases charge. Spends nothing itself; replaces the earlier choice. \
            Get the id from list-user-payment-cards. The fields go into `body`. \
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
    /// Card id, as list-user-payment-cards gives it. Required by 7digital.
    #[schemars(extend("x-kind" = "card id"))]
    pub(crate) card_id: Option<Id>,
    /// Id of the user to act for: needed where no user access token is configured and no default user is set.
    user_id: Option<UserId>,
    /// The user's country as two letters (ISO 3166-1 alpha-2), such as `GB`. Default: the configured country.
    country: Option<Country>,
    /// 7digital shop id; an older alternative to `country`, so give one of the two.
    shop_id: Option<Id>,
    /// Other fields, sent as they are.
    #[serde(flatten)]
    more: Fields,
}
