//! What tests need of the server's inside, so that one file follows when it changes.

use sevendigital::{Effect, Error};
use sevendigital_mcp::problem::Problem;

/// What a user reads of a failure of 7digital's.
pub(crate) fn told(error: Error, effect: Effect) -> String {
    Problem::from(error).of_call(effect).detail()
}
