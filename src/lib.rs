//! The server. The modules stand in the order that a request takes, top to bottom; none imports from one above it.

pub mod cli;
pub mod connect;
pub mod serve;

pub mod browser;
pub mod mcp;
pub mod rest;

pub mod http;

pub mod calls;
pub mod identity;
pub mod problem;

pub mod ledger;
pub mod telemetry;

pub mod config;

mod digest;
mod headers;
