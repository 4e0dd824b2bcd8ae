//! Failures: what happened, what to do, the code, whether money may have moved, and when to repeat the call.
//!
//! Everything that can stop a request ends as one [`Problem`]: a layer that rejects it, a call that 7digital refuses, a purchase whose outcome is unknown.
//! The code that finds a failure words it, once; the surfaces render it and add nothing.
//! A problem names an HTTP status and headers because its table is the one place where they are decided ([`Kind::spec`]), and so that REST and its `OpenAPI` description can't disagree.
//! Only `http`, `rest` and `mcp` turn them into a response. `calls`, `identity` and `ledger` choose a kind by its meaning and never look at its status.

pub use self::kind::{KINDS, Kind, Spec};
pub use self::purchase::REPLAYED;
pub use self::report::{Problem, Report, find_cause};
pub use self::upstream::Denial;

mod kind;
mod purchase;
mod report;
mod upstream;
