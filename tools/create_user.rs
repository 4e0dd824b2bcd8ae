//! `create-user`: make a user of the partner's own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{Document, User};
use crate::sent::Sent;
use crate::values::{Country, Email, Id, UserId};
use crate::{Contract, Fields, Hints, RateLimitClass, Scope, Tool, ToolError};

/// The tool.
pub struct CreateUser;

impl Tool for CreateUser {
    const CONTRACT: Contract = Contract {
        name: "create-user",
        title: "7digital Create User",
        summary: "Makes a user of the partner's own, for good.",
        description: "Creates a user of the partner's own (a managed user), for good: users can't be deleted here. \
            Keep the answer's `userId`: other tools take it. The same call again makes no second user; code 2003: the id exists already. \
            Example: {\"email\": \"new.user@example.com\"}.",
        hints: Hints::IDEMPOTENT_CREATION,
        rest: "/v1/user/create",
        upstream: Endpoint::get("/user/create", Auth::Consumer, Effect::Writes),
        scope: Scope::Account,
    };
    const RATE_LIMIT: RateLimitClass = RateLimitClass::Signup;

    type Input = NewUser;
    type Output = Document<Created>;

    async fn call(client: &Client, user: &NewUser) -> Result<Answer<Fields>, ToolError> {
        let sent = Sent::new(user).with("userId", Some(user.id(client).into()));
        sent.call(client, &Self::CONTRACT.upstream).await
    }

    fn complete(
        client: &Client,
        user: &NewUser,
        answer: &mut Answer<Fields>,
    ) -> Result<(), ToolError> {
        let made = answer.document.entry("userId");
        made.or_insert_with(|| String::from(user.id(client)).into());
        Ok(())
    }
}

/// The user to be.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewUser {
    /// E-mail address of the new user.
    #[serde(rename(serialize = "emailAddress"))]
    email: Email,
    /// Permanent id of the new user, best one that says nothing about the person. Default: made from the e-mail address.
    user_id: Option<UserId>,
    /// Two letters, such as `GB`.
    country: Option<Country>,
    /// In place of `country`.
    shop_id: Option<Id>,
}

impl NewUser {
    /// The id that was given, or the one made from the e-mail address.
    fn id(&self, client: &Client) -> UserId {
        let consumer = client.credentials().consumer.as_ref();
        let partner = consumer.map_or("", |consumer| consumer.key.expose());
        let given = self.user_id.clone();
        given.unwrap_or_else(|| UserId::from_email(partner, &self.email))
    }
}

/// An answer about a new user.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    /// The user as 7digital has it.
    pub user: Option<User>,
    /// The id that the user was created under, to be passed as `userId` from now on.
    pub user_id: Option<UserId>,
}
