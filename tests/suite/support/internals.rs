//! What tests need of the server's inside, so that one file follows when it changes.

use sevendigital::{Effect, Error};
use sevendigital_mcp::problem::Problem;
use sevendigital_tools::ToolError;

/// What a user reads of a failure of 7digital's.
pub(crate) fn told(error: Error, effect: Effect) -> String {
    Problem::from(&ToolError::Client(error)).line(effect)
}
