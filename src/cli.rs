//! The command line.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

/// An MCP server for 7digital's user API: lockers, purchases, payment cards, accounts and streaming subscriptions.
///
/// It spends money: the `purchase-*` tools charge the user's card, and `deliver-user-item` logs a sale that 7digital bills.
/// Without a key, try everything with `--sandbox`, which stands in for 7digital on this machine.
#[derive(Debug, Parser)]
#[command(name = "sevendigital-mcp", version, max_term_width = 100)]
pub struct Cli {
    /// What to do; `serve` if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Settings that may stand before or after the command.
    #[command(flatten)]
    pub options: Options,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve MCP over HTTP, on 127.0.0.1:9090 with path /mcp unless `--bind` says otherwise.
    ///
    /// The address is printed on stderr, as `listening on` and the URL.
    /// SIGTERM or Ctrl-C stops it, once the calls that are under way have been answered.
    Serve,
    /// Serve MCP over stdin and stdout, as desktop clients start it.
    ///
    /// Logs go to stderr. The end of stdin ends it, once the calls that are under way have been answered.
    Stdio,
    /// List the tools: name, effect and label.
    Tools {
        /// Print the whole contracts as JSON, as clients see them.
        #[arg(long)]
        json: bool,
    },
    /// Make one call from the shell and print the document.
    ///
    /// Exits with 1 and the reason on stderr if the call fails.
    Call {
        /// Tool name, such as `get-user-locker`.
        tool: String,
        /// Arguments as a JSON object, such as '{"page": 2}'.
        #[arg(long, value_name = "JSON", default_value = "{}")]
        args: String,
    },
}

/// Settings that may stand before or after the command. Each wins over the environment and the configuration file.
#[derive(Debug, Default, Args)]
pub struct Options {
    /// Read settings from this TOML file [default: sevendigital-mcp.toml here, else in the platform's config folder].
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Root of 7digital's API; http is accepted for loopback only.
    #[arg(long, global = true, value_name = "URL")]
    base_uri: Option<String>,
    /// Where `serve` listens; port 0 picks a free one.
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    bind: Option<String>,
    /// Hints that clients are told: `accurate`, or the card's own with `published`.
    #[arg(long, global = true, value_name = "SET")]
    hints: Option<String>,
    /// What happens to calls that charge: `confirm`, `allow` or `off` [default: confirm; allow on loopback].
    #[arg(long, global = true, value_name = "POLICY")]
    spending: Option<String>,
    /// Serve only the tools that change nothing.
    #[arg(long, global = true, action = ArgAction::SetTrue)]
    read_only: bool,
    /// Serve only these tools.
    #[arg(long, global = true, value_name = "NAME,…")]
    tools: Option<String>,
    /// Serve all but these tools.
    #[arg(long, global = true, value_name = "NAME,…")]
    exclude_tools: Option<String>,
    /// How log lines on stderr look: `text` or `json`.
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Stand in for 7digital with an in-memory sandbox on loopback, with demo data and demo credentials.
    #[arg(long, global = true, action = ArgAction::SetTrue)]
    sandbox: bool,
}

impl Options {
    /// The flags that were given, as keys and values of settings.
    pub fn given(&self) -> Vec<(&'static str, String)> {
        let on = |flag: bool| flag.then(|| "true".to_owned());
        [
            ("base_uri", self.base_uri.clone()),
            ("bind", self.bind.clone()),
            ("hints", self.hints.clone()),
            ("spending", self.spending.clone()),
            ("read_only", on(self.read_only)),
            ("tools", self.tools.clone()),
            ("exclude_tools", self.exclude_tools.clone()),
            ("log_format", self.log_format.clone()),
            ("sandbox", on(self.sandbox)),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
    }
}
