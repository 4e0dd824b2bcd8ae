//! `get-user-details`: look a user up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{Document, Users};
use crate::tool::{
    Accurate, Asks, Contract, Hints, Pace, Published, Route, Scope, Tool, ToolError,
};
use crate::values::{Country, Id, UserId};

/// The tool.
#[derive(Debug)]
pub struct GetUserDetails;

impl Tool for GetUserDetails {
    const CONTRACT: Contract = Contract {
        name: "get-user-details",
        title: "7digital Get User Details",
        description: "Looks a user up by id: kind of account and e-mail address. Changes nothing and costs nothing. The answer is personal data. \
            An id that 7digital does not know is refused with code 1002 or 2001. \
            Example: {\"userId\": \"500123\"}.",
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
        rest: Route::get("/v1/user/details"),
        upstream: Endpoint::get("/user/details", Auth::Consumer, Effect::Reads),
        asks: Asks::Never,
        scope: Scope::Partner,
        pace: Pace::Free,
    };

    type Input = Whose;
    type Output = Document<Users>;

    async fn call(client: &Client, whose: Whose) -> Result<Answer<Self::Output>, ToolError> {
        Ok(client.send(&Self::CONTRACT.upstream, &whose).await?)
    }
}

/// Which user.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Whose {
    /// The user id to look up.
    user_id: UserId,
    /// The user's country as two letters (ISO 3166-1 alpha-2), such as `GB`. Default: the configured country.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Country>,
    /// 7digital shop id; an older alternative to `country`, so give one of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    shop_id: Option<Id>,
}
