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
        description: "Looks a user up by id: kind of account and e-mail address. Changes nothing and costs nothing. The answer is personal data. \
            An id that 7digital does not know is refused with code 1002 or 2001. \
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
    /// The user's country as two letters (ISO 3166-1 alpha-2), such as `GB`. Default: the configured country.
    country: Option<Country>,
    /// 7digital shop id; an older alternative to `country`, so give one of the two.
    shop_id: Option<Id>,
}
