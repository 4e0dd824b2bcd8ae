//! Failures that the ledger knows of: it can't be used, or it holds a purchase that stands against this one.

use http::HeaderName;
use sevendigital::error_code::meaning;
use sevendigital::{Delivery, Repeat};

use super::kind::Kind;
use super::report::Problem;
use super::upstream::advice;
use crate::ledger::{Entry, LedgerError};

/// The header of a document from the ledger, and of a refusal that it remembers.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        Self::new(
            Kind::NoLedger,
            format!("This purchase can't be written down, so it was not made: {error}."),
            "Ask the operator to repair the ledger (`state_dir`, `SEVENDIGITAL_MCP_STATE_DIR`, or the database of `ledger_url`); reading goes on meanwhile.",
        )
        .found_by("state")
    }
}

impl Problem {
    /// The purchase was sent, and its outcome is not known.
    pub fn outcome_unknown(entry: &Entry) -> Self {
        Self::unsettled(entry, "no trustworthy answer came")
    }

    /// The purchase was sent, and 7digital has not decided on it.
    pub fn outcome_pending(entry: &Entry) -> Self {
        Self::unsettled(entry, "7digital says that it is pending")
    }

    /// The purchase is being sent, by this server or another one.
    pub fn still_in_flight(entry: &Entry) -> Self {
        let Entry { id, item, .. } = entry;
        let what = format!(
            "Charge {id} ({item}) is still in flight, and it is not sent again. Call again in a minute to see what became of it."
        );
        Self::new(Kind::OutcomeUnknown, what, "").delivered(Delivery::Unknown)
    }

    fn unsettled(entry: &Entry, why: &str) -> Self {
        let Entry { id, item, .. } = entry;
        let what = format!(
            "Charge {id} ({item}) was sent, and {why}: it may have been charged. It is not sent again. Once it is clear that nothing was bought, the operator can free it with `sevendigital-mcp ledger forget {id}`."
        );
        Self::new(Kind::OutcomeUnknown, what, "").delivered(Delivery::Unknown)
    }

    /// The same purchase was in flight when this call came, and nothing was bought.
    pub fn duplicate_failed(entry: &Entry) -> Self {
        let Some(code) = entry.code else {
            let what = "The same purchase was in flight, and nothing was bought.";
            return Self::new(Kind::Unavailable, what, "Call again to see why.")
                .repeatable(Repeat::Later);
        };
        let meaning = meaning(code);
        let what = format!(
            "The same purchase was in flight, and 7digital refused it: {}.",
            meaning.what
        );
        Self::new(Kind::Refused, what, advice(code))
            .quoting(Some(code), "")
            .delivered(Delivery::Rejected)
            .repeatable(meaning.repeat)
    }

    /// The purchase was refused before, under the idempotency key that this call has too.
    pub fn previously_refused(entry: &Entry) -> Self {
        let refusal = entry.code.map(|code| format!(": {}", meaning(code).what));
        let what = format!(
            "This purchase was sent before with the same Idempotency-Key, and 7digital refused it{}.",
            refusal.unwrap_or_default()
        );
        let advice = entry.code.map_or("Find out why.", advice);
        let advice = format!("{advice} Then call with a new key.");
        Self::new(Kind::Refused, what, advice)
            .quoting(entry.code, "")
            .delivered(Delivery::Rejected)
            .header(REPLAYED, "true")
    }
}
