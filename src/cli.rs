//! The command line: its arguments, and a file for each command that is not the server itself.

pub mod args;
pub mod call;
mod callback;
pub mod command;
pub mod ledger;
pub mod login;
mod login_error;
pub mod token;
pub mod tools;
