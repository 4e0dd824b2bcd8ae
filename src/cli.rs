//! The command line: its arguments, and a file for each command that is not the server itself.

pub mod args;
pub mod call;
mod callback;
pub mod confirm;
pub mod connect;
pub mod doctor;
mod document;
mod fields;
pub mod generated;
pub mod health;
pub mod ledger;
pub mod login;
pub mod next_steps;
mod progress;
pub mod setup;
mod table;
pub mod terminal;
pub mod token;
pub mod tools;
mod version;

/// What a command ends with: an exit code, or what stopped it.
pub type CommandResult = Result<std::process::ExitCode, Box<dyn std::error::Error>>;
