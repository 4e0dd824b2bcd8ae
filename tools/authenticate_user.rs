//! `authenticate-user`: check an e-mail address and a password.

use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{Document, Users};
use crate::signup_user::Account;
use crate::tool::{
    Accurate, Asks, Contract, Hints, Pace, Published, Route, Scope, Tool, ToolError,
};

/// The tool.
#[derive(Debug)]
pub struct AuthenticateUser;

impl Tool for AuthenticateUser {
    const CONTRACT: Contract = Contract {
        name: "authenticate-user",
        title: "7digital Authenticate User",
        description: "Checks a user's e-mail address and password with 7digital and returns the user. It gives no access token. \
            Charges nothing. Don't try passwords: wrong ones may lock the account. The fields go into `body`. \
            Example: {\"body\": {\"emailAddress\": \"jane.smith@example.com\", \"password\": \"the password\"}}.",
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
        rest: Route::post("/v1/user/authenticate"),
        upstream: Endpoint::post("/user/authenticate", Auth::Consumer, Effect::Writes),
        asks: Asks::Never,
        scope: Scope::Account,
        pace: Pace::Login {
            address: "emailAddress",
        },
    };

    type Input = Account;
    type Output = Document<Users>;

    async fn call(client: &Client, account: Account) -> Result<Answer<Self::Output>, ToolError> {
        Ok(client.send(&Self::CONTRACT.upstream, &account.body).await?)
    }
}
