//! The server: settings, the guard, MCP over HTTP and stdio, and REST. It knows no tool by name.
//!
//! Reading order: [`config`] and [`cli`] (what was asked for), [`app`] (what listens), [`mcp`] and [`rest`] (what clients see), [`front`] (what browsers may not do),
//! [`guard`] (what stands before every call), [`problem`] (how failures are told), [`login`] and [`stored_login`] (how a user lets us in), [`logging`].

pub mod app;
mod charge;
pub mod cli;
pub mod commands;
pub mod config;
pub mod confirm;
pub mod front;
pub mod guard;
pub mod ledger;
pub mod logging;
pub mod login;
pub mod mcp;
pub mod metrics;
pub mod openapi;
pub mod problem;
pub mod rest;
pub mod stored_login;
pub mod user;
