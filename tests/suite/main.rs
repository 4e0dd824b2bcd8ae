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

// Worlds, clients, processes, an upstream with faults, the table of good calls: what more than one folder needs.
mod support;

// What is published of the tools and holds for each of them: contract files, README, OpenAPI, the same answer on every surface.
mod contracts;
// Planted faults, found by name, by a command that changes nothing.
mod doctor;
// Bytes on a real port that are no good request, foreign pages and slow clients: what becomes of them, whatever the path.
mod http;
// Who may call what, and on whose account: tokens, scopes, users.
mod identity;
// The MCP clients that start this server: the shape of an entry, and how it gets into each one's file and out again.
mod connect;
// The command `setup`, and a secret from another program.
#[cfg(unix)]
mod setup;
// The page in the user's browser on which a purchase is confirmed.
mod browser;
// As much at once as the limits let through, and one more.
mod load;
// What takes minutes: `cargo nextest run --profile long`.
mod long;
// The protocol itself: both eras over HTTP, stdio, sessions, and how the server ends.
mod mcp;
// What charges or changes: sent once, confirmed first, written down, within limits, and right under every fault.
mod money;
// What only REST has: routes, bodies, problems, keys of its purchases.
mod rest;
// Secrets, whatever goes wrong and however much is logged.
mod secrets;
// What a person in a shell meets: calls with flags, tables, help, completions, what a start says.
mod shell;
// Where settings and the stored login come from, which of them wins, what is said of wrong ones; the command line.
mod settings;
// Request ids, traces, metrics and health: what an operator sees.
mod telemetry;
// What arrives at 7digital, and what becomes of its answers.
mod upstream;
