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
    /// Bearer tokens for callers over HTTP.
    Token {
        /// What to do with them.
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Show what was bought and what is unknown, and free what an operator has cleared up.
    Ledger {
        /// What to do with it.
        #[command(subcommand)]
        command: LedgerCommand,
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
    /// Let a user log in at 7digital, and act for that user from then on.
    ///
    /// Opens 7digital's page in the browser, where the user allows it, and stores the access token in the config folder,
    /// in `credentials.toml`, readable by you alone. Needs the consumer key and its secret. Every later command uses the token,
    /// at the same `base_uri`, unless the configuration file or the environment names a token of its own.
    Login(Login),
    /// Forget the user who logged in with `login`.
    ///
    /// Removes the stored token from this machine; 7digital goes on accepting it until the user withdraws it there.
    Logout,
}

/// How to log in.
#[derive(Debug, Args)]
pub struct Login {
    /// Open no browser: print the address, for a browser on any machine, and read from stdin the address that it ends on.
    ///
    /// The browser can't show the page that it ends on; its address is all that counts.
    #[arg(long)]
    pub no_browser: bool,
    /// Print the token on stdout, as lines for an environment, and store nothing.
    #[arg(long)]
    pub print: bool,
}

/// What to do with bearer tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make one, and print it with its SHA-256.
    ///
    /// The token is for the caller, who shows it as `Authorization: Bearer TOKEN`.
    /// The SHA-256 is for the configuration file: a table `[[principals]]` with `name`, `token_sha256` and `allow`.
    New,
}

/// What to do with the ledger of purchases.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// List the charges, newest first.
    List {
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show one charge as JSON.
    Show {
        /// Its number, from `ledger list`.
        id: i64,
    },
    /// Take a charge out, so that the same purchase can be made again.
    ///
    /// For one whose outcome is unknown, once it is clear that nothing was bought.
    Forget {
        /// Its number, from `ledger list`.
        id: i64,
    },
    /// Print all charges, oldest first, as a JSON object on each line.
    Export,
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
    /// Let `serve` serve the tools as REST too, with a page about them at /docs [default address: 127.0.0.1:8080].
    #[arg(long, global = true, value_name = "ADDRESS:PORT", num_args = 0..=1, require_equals = true, default_missing_value = "127.0.0.1:8080")]
    rest: Option<String>,
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
    /// Where the ledger of purchases is kept [default: the platform's state folder; in memory with --sandbox].
    #[arg(long, global = true, value_name = "FOLDER")]
    state_dir: Option<String>,
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
            ("rest_bind", self.rest.clone()),
            ("hints", self.hints.clone()),
            ("spending", self.spending.clone()),
            ("read_only", on(self.read_only)),
            ("tools", self.tools.clone()),
            ("exclude_tools", self.exclude_tools.clone()),
            ("state_dir", self.state_dir.clone()),
            ("log_format", self.log_format.clone()),
            ("sandbox", on(self.sandbox)),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
    }
}
