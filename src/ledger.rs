//! The ledger: what was bought, so that it is bought once, also across a restart and on many machines.
//!
//! One SQLite file in the state folder, shared by all processes that use the folder; or a PostgreSQL database, shared by all that use its URL.
//! It holds digests, item ids and 7digital's purchase ids; no token, no e-mail address, no payment card.

pub(crate) use self::clock::wall_clock;
pub use self::entry::{
    BeginOutcome, Entry, Intent, KeyBinding, LedgerError, LimitUse, Outcome, Repeat, State, moment,
};
pub use self::inspect::Inspection;
pub use self::ledger::Ledger;
pub use self::questions::WaitingQuestion;

mod clock;
mod entry;
mod folder;
mod inspect;
#[expect(clippy::module_inception, reason = "the room's main type")]
mod ledger;
mod postgres;
mod queries;
mod questions;
mod schema;
mod sql;
mod sqlite;
mod store;
