//! `get-user-unlimited-streaming`: does the user have a streaming subscription, and until when?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use sevendigital::{Auth, Effect, Endpoint};

use crate::models::{Document, Subscriptions};
use crate::values::{Country, Id, UserId};
use crate::{Contract, Hints, Scope, Tool};

/// The tool.
pub struct GetUserUnlimitedStreaming;

impl Tool for GetUserUnlimitedStreaming {
    const CONTRACT: Contract = Contract {
        name: "get-user-unlimited-streaming",
        title: "7digital Get User Unlimited Streaming",
        summary: "Tells whether the user has a streaming subscription, and until when.",
        description: "Tells whether a user has a streaming subscription: its level and when it ends (`streaming.level`, `streaming.expiryDate`, UTC). \
            Without `streaming` in the answer the user has none. Changes nothing and costs nothing. \
            Example: {}, or {\"userId\": \"500123\"}.",
        hints: Hints::READ,
        rest: "/v1/user/unlimited-streaming",
        upstream: Endpoint::get("/user/unlimitedStreaming", Auth::User, Effect::Reads),
        scope: Scope::Reads,
    };

    type Input = Whose;
    type Output = Document<Subscriptions>;
}

/// Which user's.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Whose {
    /// Id of the user to act for: needed where no user access token is configured and no default user is set.
    user_id: Option<UserId>,
    /// The user's country as two letters (ISO 3166-1 alpha-2), such as `GB`. Default: the configured country.
    country: Option<Country>,
    /// 7digital shop id; an older alternative to `country`, so give one of the two.
    shop_id: Option<Id>,
}
