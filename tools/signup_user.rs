//! `signup-user`: open a 7digital account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{Document, Users};
use crate::sent::Sent;
use crate::values::{Country, Email, Id, Password};
use crate::{Contract, Fields, Hints, RateLimitClass, Scope, Tool, ToolError};

/// The tool.
pub struct SignupUser;

impl Tool for SignupUser {
    const CONTRACT: Contract = Contract {
        name: "signup-user",
        title: "7digital Signup User",
        summary: "Opens a 7digital account.",
        description: "Opens a 7digital account that the user logs in to; a partner's own users are made with create-user. Code 2003: the address has an account already. \
            Example: {\"body\": {\"emailAddress\": \"new.user@example.com\", \"password\": \"a long password\"}}.",
        hints: Hints::NON_IDEMPOTENT,
        rest: "/v1/user/signup",
        upstream: Endpoint::post("/user/signup", Auth::Consumer, Effect::Writes),
        scope: Scope::Account,
    };
    const RATE_LIMIT: RateLimitClass = RateLimitClass::Signup;

    type Input = Login;
    type Output = Document<Users>;

    async fn call(client: &Client, login: &Login) -> Result<Answer<Fields>, ToolError> {
        login.send(client, &Self::CONTRACT.upstream).await
    }
}

/// The account's e-mail address and password.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    /// Required by 7digital.
    pub(crate) email_address: Option<Email>,
    /// Required by 7digital. Never stored or logged here.
    // Canonical arguments have no password: even a digest of it could be guessed at.
    #[serde(skip_serializing)]
    password: Option<Password>,
    /// Two letters, such as `GB`.
    country: Option<Country>,
    /// In place of `country`.
    shop_id: Option<Id>,
    /// Other fields, sent as they are.
    #[serde(flatten)]
    more: Fields,
}

impl Login {
    /// Sends the login to an operation that answers with the user.
    pub(crate) async fn send(
        &self,
        client: &Client,
        upstream: &Endpoint,
    ) -> Result<Answer<Fields>, ToolError> {
        let password = self.password.as_ref().map(Password::expose);
        let sent = Sent::new(self).with("password", password.map(str::to_owned));
        sent.call(client, upstream).await
    }
}
