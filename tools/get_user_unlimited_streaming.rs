//! `get-user-unlimited-streaming`: does the user have a streaming subscription, and until when?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{Document, Subscriptions};
use crate::tool::{
    Accurate, Asks, Contract, Hints, Pace, Published, Route, Scope, Tool, ToolError,
};
use crate::values::{Country, Id, UserId};

/// The tool.
#[derive(Debug)]
pub struct GetUserUnlimitedStreaming;

impl Tool for GetUserUnlimitedStreaming {
    const CONTRACT: Contract = Contract {
        name: "get-user-unlimited-streaming",
        title: "7digital Get User Unlimited Streaming",
        description: "Tells whether a user has a streaming subscription: its level and when it ends (`streaming.level`, `streaming.expiryDate`, UTC). \
            Without `streaming` in the answer the user has none. Changes nothing and costs nothing. \
            Example: {}, or {\"userId\": \"500123\"}.",
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
        rest: Route::get("/v1/user/unlimited-streaming"),
        upstream: Endpoint::get("/user/unlimitedStreaming", Auth::User, Effect::Reads),
        asks: Asks::Never,
        scope: Scope::Reads,
        pace: Pace::Free,
    };

    type Input = Whose;
    type Output = Document<Subscriptions>;

    async fn call(client: &Client, whose: Whose) -> Result<Answer<Self::Output>, ToolError> {
        Ok(client.send(&Self::CONTRACT.upstream, &whose).await?)
    }
}

/// Whose subscription.
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
