//! The server: settings, the guard, and MCP over HTTP and stdio. It knows no tool by name.
//!
//! Reading order: [`config`] and [`cli`] (what was asked for), [`app`] (what listens), [`mcp`] (what clients see),
//! [`guard`] (what stands before every call), [`problem`] (how failures are told), [`login`] and [`stored_login`] (how a user lets us in), [`logging`].

pub mod app;
mod charge;
pub mod cli;
pub mod commands;
pub mod config;
pub mod confirm;
pub mod guard;
pub mod ledger;
pub mod logging;
pub mod login;
pub mod mcp;
pub mod metrics;
pub mod problem;
pub mod stored_login;
pub mod user;
