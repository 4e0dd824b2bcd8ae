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
        description: "Tells whether the user has a streaming subscription: its level and when it ends (UTC). Without `streaming` in the answer there is none. \
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
    /// The user to act for.
    user_id: Option<UserId>,
    /// Two letters, such as `GB`.
    country: Option<Country>,
    /// In place of `country`.
    shop_id: Option<Id>,
}
