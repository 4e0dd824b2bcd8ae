//! What tests share: worlds, clients, processes, an upstream with faults, and the table of good calls.

pub(crate) mod calls;
pub(crate) mod faults;
pub(crate) mod hostile;
pub(crate) mod internals;
mod till;
pub(crate) mod tokens;
pub(crate) mod upstream;
mod world;

pub(crate) use till::{
    Caller, Person, Server, age, check_one, empty, file, folder, is_replayed, ledger, open,
    purchase_id, question, rows, send, signal, states, variables, world_on, yes,
};
pub(crate) use world::{
    LEGACY, MODERN, Reply, Setting, World, call_with, failure, http, lifecycles, load, program,
    root, sandbox_settings, stdio_client, text, until, within,
};
