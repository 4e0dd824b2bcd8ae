//! `authenticate-user`: check an e-mail address and a password.

use sevendigital::verdict::is_empty;
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{Document, Users};
use crate::signup_user::Login;
use crate::values::Email;
use crate::{Contract, Fields, Hints, RateLimitClass, Scope, Tool, ToolError};

/// The tool.
pub struct AuthenticateUser;

impl Tool for AuthenticateUser {
    const CONTRACT: Contract = Contract {
        name: "authenticate-user",
        title: "7digital Authenticate User",
        summary: "Checks an e-mail address and a password.",
        description: "Checks a user's e-mail address and password with 7digital and returns the user, no access token. \
            Don't try passwords: wrong ones may lock the account. \
            Example: {\"body\": {\"emailAddress\": \"jane@example.com\", \"password\": \"the password\"}}.",
        hints: Hints::NON_IDEMPOTENT,
        rest: "/v1/user/authenticate",
        upstream: Endpoint::post("/user/authenticate", Auth::Consumer, Effect::Writes),
        scope: Scope::Account,
    };
    const RATE_LIMIT: RateLimitClass = RateLimitClass::Login;

    type Input = Login;
    type Output = Document<Users>;

    fn email(login: &Login) -> Option<&Email> {
        login.email_address.as_ref()
    }

    async fn call(client: &Client, login: &Login) -> Result<Answer<Fields>, ToolError> {
        login.send(client, &Self::CONTRACT.upstream).await
    }

    /// Only a user in the answer says that the password is right.
    fn complete(_: &Client, _: &Self::Input, answer: &mut Answer<Fields>) -> Result<(), ToolError> {
        let user = answer.document.get("user");
        let named = |name: &str| user?.get(name).filter(|value| !is_empty(value));
        if named("id").or_else(|| named("emailAddress")).is_none() {
            return Err(ToolError::NotAuthenticated);
        }
        Ok(())
    }
}
