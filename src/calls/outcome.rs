//! How calls end.

use serde_json::json;
use sevendigital::{Answer, Delivery, Error};
use sevendigital_tools::values::Price;
use sevendigital_tools::{Receipt, Reply, ToolError};

use super::confirmation::Question;
use super::hold::Hold;
use super::permits::Permit;
use crate::ledger::{Entry, Outcome, State, wall_clock};
use crate::problem::Problem;

/// How a call ended that did not fail.
#[derive(Debug)]
pub enum CallOutcome {
    /// There is a document.
    Completed(Completed),
    /// The user must confirm the call first; nothing was sent.
    ConfirmationRequired(Question),
}

/// A call with a document.
#[derive(Debug)]
pub struct Completed {
    /// What the tool returned.
    pub reply: Reply,
    /// What the call holds until its answer is handed over.
    pub hold: Option<Box<Hold>>,
    /// For a document from the ledger, when the purchase was made: milliseconds since 1970.
    pub replayed: Option<i64>,
}

impl Completed {
    /// A document that 7digital sent just now.
    pub(super) fn fresh(reply: Reply) -> Self {
        Self {
            reply,
            hold: None,
            replayed: None,
        }
    }

    /// With the call's permit, until the answer is handed over.
    pub(super) fn holding(mut self, permit: Permit) -> Self {
        let large = self.reply.answer.large.take();
        self.hold = Some(Box::new(Hold::new(permit, large)));
        self
    }

    /// The stored document of a purchase that was made before.
    pub(super) fn replay(entry: &Entry) -> Self {
        let document = entry.document.clone();
        let document = document.unwrap_or_else(|| json!({"purchase": {"id": entry.purchase_id}}));
        Self {
            reply: Reply {
                answer: Answer::new(document),
                notes: vec![already_bought(entry)],
                unexpected: Vec::new(),
                page: None,
            },
            hold: None,
            replayed: Some(entry.started),
        }
    }
}

/// That nothing was charged now, in a sentence that a model reads.
fn already_bought(entry: &Entry) -> String {
    let id = entry.purchase_id.as_deref().unwrap_or("unknown");
    let title = entry.title.as_ref().map(|title| format!(" {title}"));
    let amount = |price| Price::amount(price, entry.currency.as_deref());
    let price = entry.price.map(|price| format!(" for {}", amount(price)));
    format!(
        "Already bought{} {} ago as purchase {id}, with {}{}; nothing was charged now.",
        title.unwrap_or_default(),
        ago(entry),
        entry.tool,
        price.unwrap_or_default()
    )
}

/// What was bought, in a sentence that a model reads.
pub(super) fn bought(title: &str, price: Option<&str>) -> String {
    let price = price.map(|price| format!(" for {price}"));
    format!("Bought {title}{}.", price.unwrap_or_default())
}

/// How long ago a charge was written down.
pub(super) fn ago(entry: &Entry) -> String {
    let now = wall_clock().unwrap_or(entry.started);
    match (now - entry.started).max(0) / 1_000 {
        seconds @ 0..=119 => format!("{seconds} seconds"),
        seconds @ 120..=7_199 => format!("{} minutes", seconds / 60),
        seconds => format!("{} hours", seconds / 3_600),
    }
}

/// The name of an outcome in metrics.
pub(super) fn label(ended: &Result<CallOutcome, Problem>) -> &'static str {
    match ended {
        Ok(CallOutcome::Completed(completed)) if completed.replayed.is_some() => "replayed",
        Ok(CallOutcome::Completed(_)) => "done",
        Ok(CallOutcome::ConfirmationRequired(_)) => "confirmation_required",
        Err(problem) => problem.outcome(),
    }
}

/// The outcome of a purchase that was made.
pub(super) fn done(receipt: &Receipt) -> Outcome {
    Outcome {
        state: State::Done,
        purchase_id: Some(receipt.purchase_id.clone()),
        document: Some(receipt.document.clone()),
        ..Outcome::default()
    }
}

/// The outcome of a purchase or a change that failed: what the failure says about whether it took effect.
pub(super) fn failed(error: &ToolError) -> Outcome {
    let (state, code) = match error {
        ToolError::Input(_) => (State::NotSent, None),
        ToolError::RegistrationFailed { code, .. } => (State::Refused, *code),
        ToolError::NotAuthenticated => (State::Refused, None),
        ToolError::Client(error) => {
            let state = match error.delivery() {
                Delivery::NotSent => State::NotSent,
                Delivery::Rejected => State::Refused,
                Delivery::Unknown => State::Unknown,
            };
            let code = match error {
                Error::Rejected(refusal) => refusal.code,
                _ => None,
            };
            (state, code)
        }
    };
    Outcome {
        state,
        code,
        ..Outcome::default()
    }
}
