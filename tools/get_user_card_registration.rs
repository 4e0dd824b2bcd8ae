//! `get-user-card-registration`: has the user entered the card?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use sevendigital::refusal::reported;
use sevendigital::text::quotable;
use sevendigital::verdict::{Word, is_empty, word};
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{CardRegistrations, Document};
use crate::values::{Country, Id, UserId};
use crate::{Contract, Fields, Hints, Scope, Tool, ToolError};

/// The tool.
pub struct GetUserCardRegistration;

impl Tool for GetUserCardRegistration {
    const CONTRACT: Contract = Contract {
        name: "get-user-card-registration",
        title: "7digital Get User Card Registration",
        summary: "Tells whether the user has entered the card.",
        description: "Tells how far a card's registration is: `pending` until the user has entered the card on 7digital's page, then `complete` with the card; an error if it failed. \
            Ask every few seconds while pending. \
            Example: {\"id\": \"7c9e6679-7425-40de-944b-e07fc1f90ae7\"}.",
        hints: Hints::READ,
        rest: "/v1/user/payment/cardregistration/{id}",
        upstream: Endpoint::get(
            "/user/payment/cardregistration/{id}",
            Auth::User,
            Effect::Reads,
        ),
        scope: Scope::Reads,
    };

    type Input = Registration;
    type Output = Document<CardRegistrations>;

    fn complete(_: &Client, _: &Self::Input, answer: &mut Answer<Fields>) -> Result<(), ToolError> {
        failure(&answer.document).map_or(Ok(()), Err)
    }
}

/// Which registration.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registration {
    /// Registration id from register-user-payment-card.
    id: Id,
    /// The user to act for.
    user_id: Option<UserId>,
    /// Two letters, such as `GB`.
    country: Option<Country>,
    /// In place of `country`.
    shop_id: Option<Id>,
}

/// The failure that 7digital reports inside an answer that says "ok" outside.
fn failure(document: &Fields) -> Option<ToolError> {
    let registration = document.get("cardRegistration")?;
    let error = registration.get("error").filter(|error| !is_empty(error));
    if error.is_none() && word(registration.get("status")?) != Word::Failure {
        return None;
    }
    let (code, message) = error.map(reported).unwrap_or_default();
    Some(ToolError::RegistrationFailed {
        code,
        message: quotable(&message.unwrap_or_default()),
    })
}
