//! `register-user-payment-card`: open the page on which the user enters a card.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::get_user_card_registration::GetUserCardRegistration;
use crate::models::{CardRegistrations, Document};
use crate::values::{Country, Id, Text, UserId};
use crate::{Contract, Fields, Hints, Page, Scope, Tool, ToolError};

/// The tool.
pub struct RegisterUserPaymentCard;

impl Tool for RegisterUserPaymentCard {
    const CONTRACT: Contract = Contract {
        name: "register-user-payment-card",
        title: "7digital Register User Payment Card",
        summary: "Opens the page on which the user enters a card; no card number comes through here.",
        description: "Opens the registration of a payment card, a new one with each call. The user's browser sends the card to 7digital, never to this tool, and is then led to `redirectUrl`. \
            Give the user the address in `location`, then ask get-user-card-registration with the `id`. \
            Example: {\"body\": {\"redirectUrl\": \"https://shop.example/cards/done\"}}.",
        hints: Hints::NON_IDEMPOTENT,
        rest: "/v1/user/payment/cardregistration",
        upstream: Endpoint::post("/user/payment/cardregistration", Auth::User, Effect::Writes)
            .with_redirect(),
        scope: Scope::Cards,
    };

    type Input = Registration;
    type Output = Document<CardRegistrations>;

    fn complete(_: &Client, _: &Self::Input, answer: &mut Answer<Fields>) -> Result<(), ToolError> {
        let opened = answer.document.get_mut("cardRegistration");
        if let Some((Value::Object(opened), location)) = opened.zip(answer.location.as_ref()) {
            let known = opened.entry("location");
            known.or_insert_with(|| location.as_str().into());
        }
        Ok(())
    }

    fn page(input: &Self::Input, document: &Fields) -> Option<Page> {
        let opened = document.get("cardRegistration")?;
        // For the same user and shop.
        let Ok(Value::Object(mut arguments)) = serde_json::to_value(input) else {
            return None;
        };
        arguments.retain(|name, _| ["userId", "country", "shopId"].contains(&name.as_str()));
        arguments.insert("id".into(), opened.get("id")?.clone());
        let url = opened.get("location")?.as_str()?;
        Some(Page {
            url: url.to_owned(),
            purpose: "Enter the payment card on 7digital's page; its number goes to 7digital alone.",
            look: GetUserCardRegistration::CONTRACT.name,
            arguments,
            is_done: |document| {
                let status = document.pointer("/cardRegistration/status");
                status.is_some_and(|status| status != "pending")
            },
        })
    }
}

/// Where the registration ends, and for which user it is.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// Where the user's browser ends up afterwards. Required by 7digital.
    #[schemars(extend("x-kind" = "address"))]
    redirect_url: Option<Text>,
    /// The user to act for.
    user_id: Option<UserId>,
    /// Two letters, such as `GB`.
    country: Option<Country>,
    /// In place of `country`.
    shop_id: Option<Id>,
    /// Other fields, sent as they are.
    #[serde(flatten)]
    more: Fields,
}
