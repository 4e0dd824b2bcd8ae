//! What charges or changes: sent once, confirmed first, written down, within limits, and right under every fault.

mod confirmation;
mod confirmed;
mod faults;
mod ledger;
mod limits;
pub(crate) mod purchases;
mod unknown;
