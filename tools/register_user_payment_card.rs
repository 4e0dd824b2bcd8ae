//! `register-user-payment-card`: open the page on which the user enters a card.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{CardRegistrations, Document, More};
use crate::tool::{
    Accurate, Asks, Contract, Hints, Pace, Published, Route, Scope, Tool, ToolError,
};
use crate::values::{Country, Id, Text, UserId};

/// The tool.
#[derive(Debug)]
pub struct RegisterUserPaymentCard;

impl Tool for RegisterUserPaymentCard {
    const CONTRACT: Contract = Contract {
        name: "register-user-payment-card",
        title: "7digital Register User Payment Card",
        description: "Opens the registration of a payment card. The card itself is never given here: the user's browser sends it straight to 7digital and is then led to `redirectUrl`. \
            The answer holds the registration's id and the address for the browser; ask get-user-card-registration with that id until its status is no longer `pending`. \
            Charges nothing. Each call opens a new registration. The fields go into `body`. \
            Example: {\"body\": {\"redirectUrl\": \"https://shop.example/cards/done\"}}.",
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
        rest: Route::post("/v1/user/payment/cardregistration"),
        upstream: Endpoint::post("/user/payment/cardregistration", Auth::User, Effect::Writes),
        asks: Asks::Never,
        scope: Scope::Cards,
        pace: Pace::Free,
    };

    type Input = Registration;
    type Output = Document<CardRegistrations>;

    async fn call(
        client: &Client,
        registration: Registration,
    ) -> Result<Answer<Self::Output>, ToolError> {
        let mut answer: Answer<Self::Output> = client
            .send(&Self::CONTRACT.upstream, &registration.body)
            .await?;
        if let Some(opened) = &mut answer.document.payload.card_registration {
            opened.location = answer.location.clone().map(Text);
        }
        Ok(answer)
    }
}

/// The arguments.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// Where the registration ends, and for whom it is.
    body: Return,
}

/// Where the registration ends, and for whom it is.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Return {
    /// Web address that 7digital sends the user's browser to afterwards. Required by 7digital.
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_url: Option<Text>,
    /// The user whom the call is for: needed where no user access token is configured and no default user is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
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
