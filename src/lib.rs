//! The server: settings, the guard, MCP over HTTP and stdio, and REST. It knows no tool by name.
//!
//! Reading order: [`config`] and [`cli`] (what was asked for), [`app`] (what listens), [`mcp`] and [`rest`] (what clients see), [`front`] (what browsers may not do),
//! [`guard`] (what stands before every call), [`problem`] (how failures are told), [`login`] and [`stored_login`] (how a user lets us in), [`logging`].

pub mod access;
pub mod app;
pub mod body;
mod charge;
pub mod cli;
pub mod commands;
pub mod config;
pub mod confirm;
mod digest;
pub mod front;
pub mod guard;
pub mod health;
pub mod json;
pub mod ledger;
pub mod listener;
pub mod load;
pub mod logging;
pub mod login;
pub mod mcp;
pub mod metrics;
pub mod openapi;
mod pace;
pub mod problem;
pub mod refused;
pub mod request_id;
pub mod rest;
pub mod sessions;
pub mod stored_login;
pub mod trace;
pub mod user;
