//! `get-user-details`: look a user up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use sevendigital::{Auth, Effect, Endpoint};

use crate::models::{Document, Users};
use crate::values::{Country, Id, UserId};
use crate::{Contract, Hints, Scope, Tool};

/// The tool.
pub struct GetUserDetails;

impl Tool for GetUserDetails {
    const CONTRACT: Contract = Contract {
        name: "get-user-details",
        title: "7digital Get User Details",
        summary: "Looks a user up by id.",
        description: "Looks a user of the partner's up by id: kind of account and e-mail address, which are personal data. Code 1002 or 2001: the id is not known. \
            Example: {\"userId\": \"500123\"}.",
        hints: Hints::READ,
        rest: "/v1/user/details",
        upstream: Endpoint::get("/user/details", Auth::Consumer, Effect::Reads),
        scope: Scope::Partner,
    };

    type Input = Whose;
    type Output = Document<Users>;
}

/// Which user.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Whose {
    /// The user id to look up.
    user_id: UserId,
    /// Two letters, such as `GB`.
    country: Option<Country>,
    /// In place of `country`.
    shop_id: Option<Id>,
}
