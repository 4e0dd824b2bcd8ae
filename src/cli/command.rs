//! What a command ends with.

use std::error::Error;
use std::process::ExitCode;

/// An exit code, or what stopped the command.
pub type CommandResult = Result<ExitCode, Box<dyn Error>>;
