//! Purchases that the ledger knows already, and what is said of them.

use sevendigital::error_code::meaning;
use sevendigital::{Delivery, Repeat};

use super::kind::Kind;
use super::problem::{Problem, advice, refused};
use crate::ledger::Entry;

/// It was sent, and nobody knows what became of it.
pub(super) fn unsettled(entry: &Entry) -> Problem {
    Problem {
        sent: Delivery::Unknown,
        repeat: Repeat::AfterChange,
        ..refused(
            Kind::OutcomeUnknown,
            &format!(
                "Charge {} ({}) was sent, and no trustworthy answer came: it may have been charged. It is not sent again.",
                entry.id, entry.item
            ),
            &format!(
                "Look into the locker (get-user-locker); once it is clear that nothing was bought, the operator can free it with `sevendigital-mcp ledger forget {}`.",
                entry.id
            ),
        )
    }
}

/// It was under way when this call came, and nothing was bought.
pub(super) fn alike(entry: &Entry) -> Problem {
    match entry.code.map(|code| (code, meaning(code))) {
        Some((code, meaning)) => Problem {
            code: Some(code),
            sent: Delivery::Rejected,
            repeat: meaning.repeat,
            ..refused(
                Kind::Refused,
                &format!(
                    "The same purchase was under way, and 7digital refused it: {}.",
                    meaning.what
                ),
                advice(code),
            )
        },
        None => Problem {
            repeat: Repeat::Later,
            ..refused(
                Kind::Unavailable,
                "The same purchase was under way, and nothing was bought.",
                "Call again to see why.",
            )
        },
    }
}

/// It was refused under the idempotency key that this call has too.
pub(super) fn stored(entry: &Entry) -> Problem {
    let meaning = entry.code.map(meaning);
    let why = meaning.map_or(String::new(), |meaning| format!(": {}", meaning.what));
    let advice = entry.code.map_or("Find out why.", advice);
    Problem {
        code: entry.code,
        sent: Delivery::Rejected,
        ..refused(
            Kind::Refused,
            &format!(
                "This purchase was sent before with the same Idempotency-Key, and 7digital refused it{why}."
            ),
            &format!("{advice} Then call with a new key."),
        )
    }
}
