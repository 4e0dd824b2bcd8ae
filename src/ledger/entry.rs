//! What the ledger keeps of a purchase.

use std::time::Duration;

use chrono::DateTime;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_with::{As, SerializeAs, skip_serializing_none};
use sevendigital_tools::values::Price;

/// How long the same purchase for the same account is sent once.
pub(super) const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// Why the ledger can't be used. While it can't, nothing is bought.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LedgerError(pub(super) String);

/// What an operation of the ledger returns.
pub(super) type Result<T, E = LedgerError> = std::result::Result<T, E>;

/// The state of a charge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Written down, and perhaps sent.
    Sending,
    /// Bought, with a purchase id.
    Done,
    /// 7digital refused it.
    Refused,
    /// Nothing reached 7digital.
    NotSent,
    /// Sent, and no trustworthy answer came: it may have been charged.
    #[default]
    Unknown,
}

impl State {
    /// Its name in the ledger and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::NotSent => "not_sent",
            Self::Unknown => "unknown",
        }
    }

    pub(super) fn parse(text: &str) -> Self {
        let mut known = [Self::Sending, Self::Done, Self::Refused, Self::NotSent].into_iter();
        // A state that a later version wrote is one that this version must not buy over.
        let known = known.find(|state| state.as_str() == text);
        known.unwrap_or_default()
    }
}

/// What is about to be bought.
#[derive(Debug, Clone)]
pub struct Intent {
    /// Digest of account, tool and arguments: the same call again has the same key.
    pub key: String,
    /// Who pays for what for whom: the same for all tools, prices and spellings.
    pub identity: String,
    /// Digest of the account.
    pub account: String,
    /// Tool name.
    pub tool: &'static str,
    /// Digest of the arguments.
    pub arguments: String,
    /// What it is, in ids: `release 11700062`.
    pub item: String,
    /// What it is, as 7digital's catalogue calls it, where it was looked up.
    pub title: Option<String>,
    /// Its price in minor units, where it is known before.
    pub price: Option<u32>,
    /// The price's currency (ISO 4217).
    pub currency: Option<String>,
    /// When it is sent by 7digital's clock, as far as its last answer said so: milliseconds since 1970.
    pub upstream_time: Option<i64>,
    /// The newest charge of the same purchase that the user was told of; zero without one.
    pub seen: i64,
    /// The nonce of the user's confirmation, where there was one: good for one purchase.
    pub nonce: Option<String>,
}

/// Whether the user is asked about a purchase that was made before by another call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// The user is asked, or has agreed to buy it again.
    Asked,
    /// Nobody is asked, so it is not bought again.
    Unasked,
}

/// A charge as it is written down.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Number in the ledger.
    pub id: i64,
    /// Digest of the account.
    pub account: String,
    /// Tool name.
    pub tool: String,
    /// Digest of the arguments.
    pub arguments: String,
    /// What it is, in ids.
    pub item: String,
    /// What it is, as 7digital's catalogue calls it, where it was looked up.
    pub title: Option<String>,
    /// Price in minor units, where it was known before.
    pub price: Option<u32>,
    /// The price's currency (ISO 4217).
    pub currency: Option<String>,
    /// Its state.
    pub state: State,
    /// When it was written down, in milliseconds since 1970; serialized as a date and time.
    #[serde(serialize_with = "As::<Moment>::serialize")]
    pub started: i64,
    /// When it was sent by 7digital's clock, in milliseconds since 1970, as far as that was known.
    #[serde(skip)]
    pub upstream_time: Option<i64>,
    /// When its outcome was written down, in milliseconds since 1970; serialized as a date and time.
    #[serde(serialize_with = "As::<Option<Moment>>::serialize")]
    pub ended: Option<i64>,
    /// 7digital's purchase id.
    pub purchase_id: Option<String>,
    /// The stored answer: envelope, purchase id and date.
    pub document: Option<Value>,
    /// 7digital's code, where it refused.
    pub code: Option<u32>,
}

/// The result of writing an intent down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BeginOutcome {
    /// It is in the ledger under this number; send it.
    Begun(i64),
    /// The same purchase is there already.
    Exists(Box<Entry>),
    /// This limit is reached.
    LimitReached(LimitUse),
    /// The user's confirmation was used before.
    ConfirmationUsed,
}

/// The limit on the sum of prices; the others are on numbers of charges.
pub(super) const DAILY_BUDGET: &str = "daily_budget";

/// What an account has used of a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitUse {
    /// The setting.
    pub name: &'static str,
    /// Charges, or minor units for `daily_budget`.
    pub used: u64,
    /// The limit, in the same unit.
    pub limit: u64,
}

impl LimitUse {
    /// What is left, as a phrase for people: `3 of 5 purchases in 24 hours`. Sums are shown in this currency, as far as it is known.
    pub fn left(&self, currency: Option<&str>) -> String {
        let (left, limit) = (self.limit.saturating_sub(self.used), self.limit);
        let amount = |sum| Price::amount(u32::try_from(sum).unwrap_or(u32::MAX), currency);
        match self.name {
            DAILY_BUDGET => format!("{} of {} in 24 hours", amount(left), amount(limit)),
            "max_charges_per_day" => format!("{left} of {limit} purchases in 24 hours"),
            "max_charges_per_minute" => format!("{left} of {limit} purchases in a minute"),
            _ => format!("{left} of {limit} purchases in flight"),
        }
    }
}

/// What an idempotency key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyBinding {
    /// This purchase.
    Bound,
    /// This purchase, which 7digital has refused under this key.
    Refused(Box<Entry>),
    /// Another purchase.
    OtherPurchase,
}

/// The outcome of a charge. By default it is unknown: without a receipt 7digital may have made it all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended; not [`State::Sending`].
    pub state: State,
    /// 7digital's purchase id.
    pub purchase_id: Option<String>,
    /// What a repeat is answered with.
    pub document: Option<Value>,
    /// 7digital's code, where it refused.
    pub code: Option<u32>,
}

/// A time for people, from milliseconds since 1970.
pub fn moment(milliseconds: i64) -> String {
    let at = DateTime::from_timestamp_millis(milliseconds);
    at.map_or(String::new(), |at| {
        at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    })
}

/// Serializes milliseconds since 1970 as a [`moment`].
struct Moment;

impl SerializeAs<i64> for Moment {
    fn serialize_as<S: Serializer>(milliseconds: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&moment(*milliseconds))
    }
}
