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
        description: "Opens a 7digital account with an e-mail address and a password. Charges nothing. If the address has an account already, 7digital refuses with code 2003 and nothing changes. \
            For accounts that users log in to at 7digital; a partner's own users are made with create-user. The fields go into `body`. \
            Example: {\"body\": {\"emailAddress\": \"new.user@example.com\", \"password\": \"a long password\", \"country\": \"GB\"}}.",
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
    /// E-mail address of the account. Required by 7digital.
    pub(crate) email_address: Option<Email>,
    /// Password of the account. Required by 7digital. Sent to 7digital only, never stored or logged.
    // Canonical arguments have no password: even a digest of it could be guessed at.
    #[serde(skip_serializing)]
    password: Option<Password>,
    /// The user's country as two letters (ISO 3166-1 alpha-2), such as `GB`. Default: the configured country.
    country: Option<Country>,
    /// 7digital shop id; an older alternative to `country`, so give one of the two.
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
