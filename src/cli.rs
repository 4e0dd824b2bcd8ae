//! The command line: what can be asked of the program, and the commands that print something and end.

pub mod args;
mod callback;
pub mod commands;
pub mod login;
