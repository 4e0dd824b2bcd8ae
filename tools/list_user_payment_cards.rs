//! `list-user-payment-cards`: the cards that the user has registered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{Card, Document, More, element, list};
use crate::tool::{
    Accurate, Asks, Contract, Hints, Pace, Published, Route, Scope, Tool, ToolError,
};
use crate::values::{Country, Id, UserId};

/// The tool.
#[derive(Debug)]
pub struct ListUserPaymentCards;

impl Tool for ListUserPaymentCards {
    const CONTRACT: Contract = Contract {
        name: "list-user-payment-cards",
        title: "7digital List User Payment Cards",
        description: "Lists the payment cards that a user has registered: id, kind, last four digits, month of expiry (`yyyyMM`), and which one is the default that purchases charge. \
            Changes nothing and costs nothing. The answer is personal data. \
            Example: {}.",
        hints: Hints {
            accurate: Accurate {
                read_only: true,
                destructive: false,
                idempotent: true,
                open_world: false,
            },
            published: Published {
                read_only: true,
                destructive: false,
                idempotent: true,
            },
        },
        rest: Route::get("/v1/user/payment/card"),
        upstream: Endpoint::get("/user/payment/card", Auth::User, Effect::Reads),
        asks: Asks::Never,
        scope: Scope::Reads,
        pace: Pace::Free,
    };

    type Input = Whose;
    type Output = Document<Wallet>;

    async fn call(client: &Client, whose: Whose) -> Result<Answer<Self::Output>, ToolError> {
        Ok(client.send(&Self::CONTRACT.upstream, &whose).await?)
    }
}

/// Whose cards.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Whose {
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

/// An answer about cards.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Wallet {
    /// The user's cards.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    cards: Option<Cards>,
}

/// Payment cards.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
pub struct Cards {
    /// The cards; none where the user has registered none.
    #[serde(default, deserialize_with = "list")]
    card: Vec<Card>,
    /// Anything else.
    #[serde(flatten)]
    more: More,
}
