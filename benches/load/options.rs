//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Measures the server under load, next to a server without us and to the upstream itself.
#[derive(Debug, Parser)]
#[command(name = "load")]
pub(crate) struct Options {
    /// The program to measure.
    #[arg(
        long,
        value_name = "BINARY",
        default_value = "target/release/sevendigital-mcp"
    )]
    pub(crate) server: PathBuf,
    /// The server without us.
    #[arg(long, value_name = "BINARY", default_value = "target/release/bare")]
    pub(crate) bare: PathBuf,
    /// Another server, for reads over HTTP in the older era. A shell runs the command, in which `{port}` and `{upstream}` are filled in.
    #[arg(long, value_name = "NAME=COMMAND")]
    pub(crate) peer: Vec<String>,
    /// Measures only these: `straight`, `bare`, `ours`, or the name of a peer.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// What the clients do.
    #[arg(long, value_delimiter = ',', default_value = "reads,purchases,commits")]
    pub(crate) kinds: Vec<Kind>,
    /// Clients at once; over stdio, calls in flight.
    #[arg(
        long,
        value_name = "NUMBERS",
        value_delimiter = ',',
        default_value = "1,16,64"
    )]
    pub(crate) clients: Vec<usize>,
    /// Clients that buy at once, each for an account of its own.
    #[arg(
        long,
        value_name = "NUMBERS",
        value_delimiter = ',',
        default_value = "1,64"
    )]
    pub(crate) buyers: Vec<usize>,
    /// Milliseconds that the upstream takes for a read; for a purchase it takes none.
    #[arg(
        long,
        value_name = "NUMBERS",
        value_delimiter = ',',
        default_value = "0,20"
    )]
    pub(crate) delay: Vec<u64>,
    /// Bytes of an answer of the upstream.
    #[arg(long, value_name = "N", default_value_t = 1_800)]
    pub(crate) bytes: usize,
    #[arg(long, default_value = "both")]
    pub(crate) era: Eras,
    #[arg(long, default_value = "both")]
    pub(crate) transport: Transports,
    /// How long a cell is measured, after a fifth of that to warm up.
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    pub(crate) seconds: f64,
    /// Measures a cell with so many calls, however long they take.
    #[arg(long, value_name = "N")]
    pub(crate) calls: Option<usize>,
    /// How often everything is measured.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) rounds: usize,
    /// Sessions of the older era that are open meanwhile.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) sessions: usize,
    /// Callers that our server knows by name, each with an account; the clients are some of them.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) principals: usize,
    /// The folder of our server's ledger, such as `fill-ledger` makes; by default a new one for each cell.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) state_dir: Option<PathBuf>,
    /// A variable of our server's environment, such as `SEVENDIGITAL_MCP_LOG=debug`.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Writes all figures of each round.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// What clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// `get-user-locker`.
    Reads,
    /// `purchase-user-item` over HTTP, of our server alone.
    Purchases,
    /// How often a purchase makes the disk write what it has; needs strace.
    Commits,
}

/// Which eras of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Eras {
    Modern,
    Legacy,
    Both,
}

/// Which transports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transports {
    Http,
    Stdio,
    Both,
}

impl Options {
    /// How long a cell is warmed up, and how long it is measured.
    pub(crate) fn times(&self) -> (Duration, Duration) {
        let measured = Duration::from_secs_f64(self.seconds);
        (measured / 5, measured)
    }
}
