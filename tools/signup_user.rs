//! `signup-user`: open a 7digital account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{Document, More, Users};
use crate::tool::{
    Accurate, Asks, Contract, Hints, Pace, Published, Route, Scope, Tool, ToolError,
};
use crate::values::{Country, Email, Id, Text};

/// The tool.
#[derive(Debug)]
pub struct SignupUser;

impl Tool for SignupUser {
    const CONTRACT: Contract = Contract {
        name: "signup-user",
        title: "7digital Signup User",
        description: "Opens a 7digital account with an e-mail address and a password. Charges nothing. If the address has an account already, 7digital refuses with code 2003 and nothing changes. \
            For accounts that users log in to at 7digital; a partner's own users are made with create-user. The fields go into `body`. \
            Example: {\"body\": {\"emailAddress\": \"new.user@example.com\", \"password\": \"a long password\", \"country\": \"GB\"}}.",
        hints: Hints {
            accurate: Accurate {
                read_only: false,
                destructive: false,
                idempotent: false,
                open_world: false,
            },
            published: Published {
                read_only: false,
                destructive: false,
                idempotent: false,
            },
        },
        rest: Route::post("/v1/user/signup"),
        upstream: Endpoint::post("/user/signup", Auth::Consumer, Effect::Writes),
        asks: Asks::Never,
        scope: Scope::Account,
        pace: Pace::Opening,
    };

    type Input = Account;
    type Output = Document<Users>;

    async fn call(client: &Client, account: Account) -> Result<Answer<Self::Output>, ToolError> {
        Ok(client.send(&Self::CONTRACT.upstream, &account.body).await?)
    }
}

/// The arguments.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The account's e-mail address and password.
    pub(crate) body: Login,
}

/// An account's e-mail address and password.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    /// E-mail address of the account. Required by 7digital.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_address: Option<Email>,
    /// Password of the account. Required by 7digital. Sent to 7digital only, never stored or logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<Text>,
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
