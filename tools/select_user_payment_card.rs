//! `select-user-payment-card`: choose the card that purchases charge.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{Document, Done, More};
use crate::tool::{
    Accurate, Asks, Contract, Hints, Pace, Published, Route, Scope, Tool, ToolError,
};
use crate::values::{Country, Id, UserId};

/// The tool.
#[derive(Debug)]
pub struct SelectUserPaymentCard;

impl Tool for SelectUserPaymentCard {
    const CONTRACT: Contract = Contract {
        name: "select-user-payment-card",
        title: "7digital Select User Payment Card",
        description: "Makes one of the user's cards the default, which later purchases charge. Spends nothing itself; replaces the earlier choice. \
            Get the id from list-user-payment-cards. The fields go into `body`. \
            Example: {\"body\": {\"cardId\": \"8154430\"}}.",
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
        rest: Route::post("/v1/user/payment/card/select"),
        upstream: Endpoint::post("/user/payment/card/select", Auth::User, Effect::Writes),
        asks: Asks::Never,
        scope: Scope::Cards,
        pace: Pace::Free,
    };

    type Input = Choice;
    type Output = Document<Done>;

    async fn call(client: &Client, choice: Choice) -> Result<Answer<Self::Output>, ToolError> {
        Ok(client.send(&Self::CONTRACT.upstream, &choice.body).await?)
    }
}

/// The arguments.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Which card of which user.
    pub(crate) body: CardChoice,
}

/// Which card of which user.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardChoice {
    /// Card id, as list-user-payment-cards gives it. Required by 7digital.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) card_id: Option<Id>,
    /// The user whom the call is for: needed where no user access token is configured and no default user is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    /// The user's country as two letters (ISO 3166-1 alpha-2), such as `GB`. Default: the configured country.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Country>,
    /// 7digital shop id; an older alternative to `country`, so give one of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    shop_id: Option<Id>,
    /// Other fields, sent as they are.
    #[serde(flatten)]
    more: More,
}
