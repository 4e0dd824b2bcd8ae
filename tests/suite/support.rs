//! What more than one folder of tests needs. Ask for it by the name that stands here.

/// One row per tool.
pub(crate) mod calls;
/// The one client.
pub(crate) mod client;
/// Requests in parts, sent byte by byte.
pub(crate) mod draft;
/// Streams of events.
pub(crate) mod events;
/// What an upstream can do wrong.
pub(crate) mod faults;
/// Hostile arguments.
pub(crate) mod hostile;
/// What tests need of the server's inside.
pub(crate) mod internals;
mod ledger_file;
// What clients send, for whoever sends it by hand.
pub(crate) mod messages;
mod place;
mod process;
mod reply;
/// Calls as REST has them.
pub(crate) mod rest;
mod rmcp_client;
mod terminal;
/// An authorization server, and access tokens.
pub(crate) mod tokens;
/// An upstream that does as its script says.
pub(crate) mod upstream;
mod wait;
mod world;

pub(crate) use client::{Client, LEGACY, SURFACES, Surface, http};
pub(crate) use ledger_file::{age, empty, file, folder, ledger, open, rows, states};
pub(crate) use messages::{MODERN, yes};
pub(crate) use place::{OwnPostgres, Place};
pub(crate) use process::{Server, Variable, by_nobody, entry_in, install, program, signal};
pub(crate) use reply::{
    Reply, check_one, fails_with, failure, is_replayed, problem, purchase_id, question, text,
};
pub(crate) use rmcp_client::{Person, Rmcp, call_with, lifecycles, stdio_client};
pub(crate) use terminal::on_terminal;
pub(crate) use wait::{until, within};
pub(crate) use world::{Setting, World, load, root, sandbox_settings, variables, world_on};
