//! One call, straight down: authorized, rate limited, prepared, held against the policy, and then read, changed or bought.

pub use self::call::{Call, Calls};
pub use self::confirmation::{Question, UserAnswer};
pub use self::outcome::{CallOutcome, Completed};
pub use self::registry::Registry;
pub use self::request_context::RequestContext;

mod audit;
mod call;
mod call_key;
mod confirmation;
mod executor;
mod outcome;
mod pending;
mod permits;
mod purchase;
mod question;
mod rate_limits;
mod registry;
mod request_context;
pub mod upstream;
