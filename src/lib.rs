//! The server: settings, the guard, and MCP over HTTP and stdio. It knows no tool by name.
//!
//! Reading order: [`config`] and [`cli`] (what was asked for), [`app`] (what listens), [`mcp`] (what clients see),
//! [`guard`] (what stands before every call), [`problem`] (how failures are told), [`logging`].

pub mod app;
pub mod cli;
pub mod config;
pub mod guard;
pub mod logging;
pub mod mcp;
pub mod problem;
