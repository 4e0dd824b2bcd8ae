//! The whole server, tested through its public doors. One binary, since each further one costs every edit a link.
#![expect(
    clippy::disallowed_methods,
    reason = "tests ask the environment for `CI`, `TEST_LOG` and `UPDATE_CONTRACTS`"
)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that panics has failed; clippy knows that of test functions, not of their helpers"
)]

// A world to test in: a sandbox, the server before it, and clients of both eras.
mod harness;
// One good call of each tool.
mod calls;
// Arguments as nobody should send them.
mod hostile;

// What clients are told of the tools: the contract files, and rules that hold for every tool.
mod contract;
// What arrives at 7digital: parameters, places, signatures.
mod wire;
// Bytes on a real port: both eras of the protocol, and how answers look.
mod mcp_http;
// Bytes on a real port: who may call, which tools there are, and how the server stops.
mod http_access;
// The real binary over pipes, as mcp.json starts it.
mod mcp_stdio;
// The real binary as a person in a shell meets it.
mod cli;
// Where settings come from, and which of them wins.
mod config;
// What is said of settings that are wrong, and what never is.
mod config_errors;
// How a user lets the program in: the whole flow, in process and with the real binary.
mod login;
// Which user the settings speak for: a stored login is the lowest of their layers.
mod stored_login;
// Any arguments at all: what goes upstream is the operation's own, or nothing does.
mod properties;
// An upstream that stalls, cuts, resets and lies as it is told, and counts what arrives.
mod upstream;
// What tests about money need beside a world.
mod till;
// What charges is sent once, however often it is asked for.
mod money;
// 7digital at its worst, for everything that changes or charges and for the reads.
mod faults;
// README.md and mcp.json, held to the code.
mod docs;
