//! One call, straight down: authorized, rate limited, prepared, held against the policy, and then read, changed or bought.

pub use self::call::{Call, Calls, RequestContext};
pub use self::confirmation::{Asker, Question, UserAnswer, Way};
pub use self::hold::{Held, Hold};
pub use self::outcome::{CallOutcome, Completed};
pub use self::pending::account_of;
pub use self::permits::UntakenBytes;
pub use self::questions::{Details, OpenQuestion, Questions, ToOpen};
pub use self::registry::Registry;
pub use self::views::{Account, Viewer};

mod audit;
mod call;
mod confirmation;
mod dry_run;
mod executor;
mod hold;
mod offer;
mod outcome;
mod pending;
mod permits;
mod purchase;
mod question;
mod questions;
mod rate_limits;
mod registry;
pub mod upstream;
mod views;
