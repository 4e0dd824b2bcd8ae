//! The ledger: what was bought, written down before it is sent.

pub use self::idempotency_key::Named;
pub use self::ledger::{
    Allowance, Begun, Entry, Intent, Ledger, LedgerError, Outcome, State, WINDOW,
};
pub(crate) use self::rows::now;

mod idempotency_key;
#[expect(clippy::module_inception, reason = "the room's main type")]
mod ledger;
mod rows;
mod store;
