//! `update-user-unlimited-streaming`: start, renew or end a subscription.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use sevendigital::{Auth, Effect, Endpoint};

use crate::models::{Document, Subscriptions};
use crate::values::{Count, Country, Currency, Id, Text, UserId};
use crate::{Contract, Fields, Hints, Scope, Tool};

/// The tool.
pub struct UpdateUserUnlimitedStreaming;

impl Tool for UpdateUserUnlimitedStreaming {
    const CONTRACT: Contract = Contract {
        name: "update-user-unlimited-streaming",
        title: "7digital Update User Unlimited Streaming",
        summary: "Starts, renews or ends a managed user's subscription.",
        description: "Starts, renews or ends a managed user's streaming subscription. No card is charged, but access changes at once and the fee counts for royalties: only as the partner has agreed with the user. \
            7digital wants every field but shopId and trialEndsAt. Renew with the next period. \
            Example: {\"body\": {\"userId\": \"500123\", \"planCode\": \"premium-unlimited-streaming\", \"status\": \"active\", \"currency\": \"GBP\", \"recurringFee\": 999, \"country\": \"GB\", \"activatedAt\": \"2026-01-01T00:00:00Z\", \"currentPeriodStartDate\": \"2026-11-01T00:00:00Z\", \"expiryDate\": \"2026-12-01T00:00:00Z\"}}.",
        hints: Hints::SUBSCRIPTION,
        rest: "/v1/user/unlimited-streaming",
        upstream: Endpoint::post("/user/unlimitedStreaming", Auth::Consumer, Effect::Writes),
        scope: Scope::Partner,
    };

    type Input = Subscription;
    type Output = Document<Subscriptions>;
}

/// The subscription as it shall be: all its fields.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// The managed user's id.
    user_id: Option<UserId>,
    /// By contract: `premium-unlimited-streaming`, or `standard-` or `trial-` in its place.
    plan_code: Option<Text>,
    /// `active`; partners have sent `expired` with a past `expiryDate` to end one.
    status: Option<Text>,
    /// Of the fee: three letters, such as `GBP`.
    currency: Option<Currency>,
    /// Fee of the period in minor units: 999 is 9.99; 0 if a voucher paid.
    recurring_fee: Option<Count>,
    /// Two letters, such as `GB`.
    country: Option<Country>,
    /// In place of `country`.
    shop_id: Option<Id>,
    /// First ever activation, not in the future, in UTC as `YYYY-MM-DDTHH:MM:SSZ`; so are all dates here.
    activated_at: Option<Text>,
    /// Start of the period: not before `activatedAt`, at most a day ahead.
    current_period_start_date: Option<Text>,
    /// End of the period: at most a month after its start.
    expiry_date: Option<Text>,
    /// End of the trial, with the trial plan only: at most 100 days after the period's start.
    trial_ends_at: Option<Text>,
    /// Other fields, sent as they are.
    #[serde(flatten)]
    more: Fields,
}
