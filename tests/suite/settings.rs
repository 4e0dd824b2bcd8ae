//! Where settings and the stored login come from, and the command line.

pub(crate) mod cli;
pub(crate) mod config;
mod errors;
pub(crate) mod login;
mod service_links;
mod start;
mod stored_login;
mod values;
