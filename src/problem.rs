//! One type for every failure.

pub use self::kind::Kind;
#[expect(clippy::module_inception, reason = "the room's main type")]
pub use self::problem::Problem;

mod kind;
mod problem;
mod repeats;
