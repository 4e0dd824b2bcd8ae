//! `update-user-unlimited-streaming`: start, renew or end a subscription.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sevendigital::{Answer, Auth, Client, Effect, Endpoint};

use crate::models::{Document, More, Subscriptions};
use crate::tool::{
    Accurate, Asks, Contract, Hints, Pace, Published, Route, Scope, Tool, ToolError,
};
use crate::values::{Count, Country, Currency, Text, UserId};

/// The tool.
#[derive(Debug)]
pub struct UpdateUserUnlimitedStreaming;

impl Tool for UpdateUserUnlimitedStreaming {
    const CONTRACT: Contract = Contract {
        name: "update-user-unlimited-streaming",
        title: "7digital Update User Unlimited Streaming",
        description: "Starts, renews or ends a managed user's streaming subscription. \
            No card is charged, but access changes at once and the fee is reported for royalties, so use it only where the partner has agreed the subscription with the user. \
            All fields go into `body`. 7digital wants userId, planCode, status, currency, recurringFee (in cents), country, activatedAt, currentPeriodStartDate and expiryDate; trialEndsAt with the trial plan only. \
            A period lasts at most a month; renew by calling again with the next period. \
            Example: {\"body\": {\"userId\": \"500123\", \"planCode\": \"premium-unlimited-streaming\", \"status\": \"active\", \"currency\": \"GBP\", \"recurringFee\": 999, \"country\": \"GB\", \"activatedAt\": \"2026-01-01T00:00:00Z\", \"currentPeriodStartDate\": \"2026-11-01T00:00:00Z\", \"expiryDate\": \"2026-12-01T00:00:00Z\"}}.",
        hints: Hints {
            accurate: Accurate {
                read_only: false,
                destructive: true,
                idempotent: false,
                open_world: false,
            },
            published: Published {
                read_only: true,
                destructive: false,
                idempotent: false,
            },
        },
        rest: Route::post("/v1/user/unlimited-streaming"),
        upstream: Endpoint::post("/user/unlimitedStreaming", Auth::Consumer, Effect::Writes),
        asks: Asks::Never,
        scope: Scope::Partner,
        pace: Pace::Free,
    };

    type Input = Update;
    type Output = Document<Subscriptions>;

    async fn call(client: &Client, update: Update) -> Result<Answer<Self::Output>, ToolError> {
        Ok(client.send(&Self::CONTRACT.upstream, &update.body).await?)
    }
}

/// The arguments.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// The subscription as it shall be: all its fields.
    body: Subscription,
}

/// The subscription as it shall be. 7digital requires all fields but `trialEndsAt`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// The managed user's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    /// Plan, set by contract: `premium-unlimited-streaming`, `standard-unlimited-streaming` or `trial-unlimited-streaming`.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_code: Option<Text>,
    /// `active`. 7digital documents no other value; partners have sent `expired` with a past `expiryDate` to end one.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Text>,
    /// Currency of the fee as three letters (ISO 4217), such as `GBP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
    /// Fee of the period in cents (minor units): 999 is 9.99; 0 if a voucher paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    recurring_fee: Option<Count>,
    /// The user's country as two letters (ISO 3166-1 alpha-2), such as `GB`. Default: the configured country.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Country>,
    /// First ever activation, not in the future: ISO 8601 in UTC, `YYYY-MM-DDTHH:MM:SSZ`.
    #[serde(skip_serializing_if = "Option::is_none")]
    activated_at: Option<Text>,
    /// Start of the period, not before `activatedAt` and at most a day ahead: ISO 8601 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_period_start_date: Option<Text>,
    /// End of the period, at most a month after its start: ISO 8601 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_date: Option<Text>,
    /// End of the trial, only and always with the trial plan, at most 100 days after the period's start: ISO 8601 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    trial_ends_at: Option<Text>,
    /// Other fields, sent as they are.
    #[serde(flatten)]
    more: More,
}
