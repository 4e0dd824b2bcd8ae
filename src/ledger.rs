//! The ledger: what was bought, written down before it is sent, so that the same purchase is sent once.
//!
//! One SQLite file in the state folder, shared by all processes that use the folder.
//! It holds digests, item ids and 7digital's purchase ids; no token, no e-mail address, no payment card.

pub use self::entry::{BeginOutcome, Entry, Intent, LedgerError, Outcome, Repeat, State, WINDOW};
pub use self::idempotency_key::KeyBinding;
pub use self::ledger::Ledger;
pub(crate) use self::queries::now;

mod entry;
mod idempotency_key;
#[expect(clippy::module_inception, reason = "the room's main type")]
mod ledger;
mod queries;
mod store;
