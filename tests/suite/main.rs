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
// Which access tokens of an authorization server are taken, and how its keys are had.
mod jwt;
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
// Before money is spent the user is asked, and only a yes to this very call buys.
mod money_confirm;
// What a yes is good for: this very call, once, for two minutes.
mod money_yes;
// An unknown outcome blocks a repeat until the locker or the operator settles it.
mod money_unknown;
// What the ledger keeps, who may read it, and what happens where there is no ledger.
mod money_ledger;
// What the limits of the operator let through, at their edges.
mod money_limits;
// The faults of an upstream, and what must become of calls under each.
mod fault_table;
// 7digital at its worst, for everything that changes or charges and for the reads.
mod faults;
// The real server stopped in mid-purchase: asked to, asked twice, left by its client, killed.
mod shutdown;
// What 7digital answers, and what comes of it: formats, envelopes, and the traps between XML and JSON.
mod answers;
// Each operation's answer as XML, as typed JSON and as JSON that was made of XML.
mod answers_operations;
// 7digital's refusals, told so that somebody can act.
mod answers_errors;
// The locker's further arguments, and how to turn its pages.
mod answers_locker;
// Any bytes at all: what is read of them, and what is signed.
mod reader;
// Users by request: nobody sees another's.
mod users;
// README.md and mcp.json, held to the code.
mod docs;
// REST: routes, arguments, bodies and problems.
mod rest;
// REST: what a page in a browser may not do, who may call, and where it is served.
mod rest_access;
// REST: nothing is bought by accident, or twice.
mod rest_money;
// The same call gives the same document and the same error on every surface.
mod parity;
// The description of the REST surface, and the page that shows it.
mod openapi;
// Bytes that are no good request, and clients that are too slow: what becomes of them, and that nobody else notices.
mod transport;
// Who may call what, and on whose account.
mod access;
// Sessions of the older protocols: whose they are, and how many.
mod sessions;
// Secrets, whatever goes wrong and however much is logged.
mod secrets;
// Request ids, traces, figures and health: what an operator sees.
mod operations;
// Traces at a collector, in a build that can send them.
#[cfg(feature = "otlp")]
mod otlp;
// As much at once as the limits let through, and one more.
mod load;
// What takes minutes: `cargo nextest run --profile long`.
mod long;
