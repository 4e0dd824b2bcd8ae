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
        description: "Starts, renews or ends a managed user's streaming subscription. \
            No card is charged, but access changes at once and the fee is reported for royalties, so use it only where the partner has agreed the subscription with the user. \
            All fields go into `body`. 7digital wants userId, planCode, status, currency, recurringFee (in cents), country, activatedAt, currentPeriodStartDate and expiryDate; trialEndsAt with the trial plan only. \
            A period lasts at most a month; renew by calling again with the next period. \
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
    /// Plan, set by contract: `premium-unlimited-streaming`, `standard-unlimited-streaming` or `trial-unlimited-streaming`.
    plan_code: Option<Text>,
    /// `active`. 7digital documents no other value; partners have sent `expired` with a past `expiryDate` to end one.
    status: Option<Text>,
    /// Currency of the fee as three letters (ISO 4217), such as `GBP`.
    currency: Option<Currency>,
    /// Fee of the period in cents (minor units): 999 is 9.99; 0 if a voucher paid.
    recurring_fee: Option<Count>,
    /// The user's country as two letters (ISO 3166-1 alpha-2), such as `GB`. Default: the configured country.
    country: Option<Country>,
    /// 7digital shop id; an older alternative to `country`, so give one of the two.
    shop_id: Option<Id>,
    /// First ever activation, not in the future: ISO 8601 in UTC, `YYYY-MM-DDTHH:MM:SSZ`.
    activated_at: Option<Text>,
    /// Start of the period, not before `activatedAt` and at most a day ahead: ISO 8601 in UTC.
    current_period_start_date: Option<Text>,
    /// End of the period, at most a month after its start: ISO 8601 in UTC.
    expiry_date: Option<Text>,
    /// End of the trial, only and always with the trial plan, at most 100 days after the period's start: ISO 8601 in UTC.
    trial_ends_at: Option<Text>,
    /// Other fields, sent as they are.
    #[serde(flatten)]
    more: Fields,
}
