//! The command line.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use sevendigital::Secret;
use sevendigital_tools::values::Country;
use url::Url;

use super::{call, version};
use crate::config::{Flags, HEADING};
use crate::connect::{CLIENTS, Client, find};

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
    /// Read settings from this TOML file [default: that of `SEVENDIGITAL_MCP_CONFIG`, else sevendigital-mcp.toml in the user's config folder].
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = HEADING)]
    pub config: Option<PathBuf>,
    /// Settings that have a flag. Each wins over the environment and the configuration file.
    #[command(flatten)]
    pub flags: Flags,
}

/// The settings with a flag that a command's help lists, by their keys: those that change what the command does. A command that is not here lists them all.
#[rustfmt::skip]
const SETTINGS_OF: [(&str, &[&str]); 14] = [
    ("stdio", &["config", "base_uri", "hints", "spending", "read_only", "tools", "exclude_tools", "state_dir", "log_format", "sandbox"]),
    ("config", &["config", "base_uri", "bind", "hints", "spending", "read_only", "tools", "exclude_tools", "state_dir", "log_format", "sandbox"]),
    ("call", &["config", "base_uri", "spending", "read_only", "tools", "exclude_tools", "state_dir", "log_format", "sandbox"]),
    ("tools", &["config", "hints", "read_only", "tools", "exclude_tools"]),
    ("ledger", &["config", "base_uri", "state_dir"]),
    ("confirm", &["config", "state_dir"]),
    ("doctor", &["config", "base_uri", "bind", "rest_bind", "spending", "state_dir", "sandbox"]),
    ("health", &["config", "bind"]),
    ("setup", &["config", "base_uri", "spending", "read_only", "sandbox"]),
    ("login", &["config", "base_uri", "log_format"]),
    ("logout", &[]),
    ("token", &[]),
    ("completions", &[]),
    ("man", &[]),
];

/// The exit codes of every command; `call` has one more.
const EXIT_CODES: &str = "\
Exit codes:
  0  Done.
  1  Failed.
  2  The command line or a setting is wrong.
`call` has one more: see `call --help`.";

impl Cli {
    /// The command line. Every flag of a setting may stand before or after any command, so that it fits where a person or a script has put it; help lists what matters.
    pub fn command_line() -> clap::Command {
        let root = Self::root();
        let flags: Vec<_> = root.get_arguments().cloned().collect();
        root.mut_subcommands(|command| {
            let others = flags.iter().filter(|flag| !is_listed(&command, flag));
            let hidden = others.map(|flag| flag.clone().hide(true));
            // What a command has itself, it does not get from above.
            command.clone().args(hidden)
        })
    }

    /// The command line with no more than its help lists: completions show what is hidden too.
    pub fn listed() -> clap::Command {
        let root = Self::root();
        let flags: Vec<_> = root.get_arguments().cloned().collect();
        let root = root.mut_args(|flag| flag.global(false));
        root.mut_subcommands(|command| {
            let listed = flags.iter().filter(|flag| is_listed(&command, flag));
            command.clone().args(listed)
        })
    }

    fn root() -> clap::Command {
        let root = Self::command().after_help(EXIT_CODES);
        root.long_version(version::long())
    }
}

/// Whether the help of a command lists a flag of the program's.
fn is_listed(command: &clap::Command, flag: &clap::Arg) -> bool {
    let mut commands = SETTINGS_OF.iter();
    let of_command = commands.find(|(name, _)| *name == command.get_name());
    of_command.is_none_or(|(_, keys)| keys.contains(&flag.get_id().as_str()))
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve MCP over HTTP, at the address of `--bind` with path /mcp.
    ///
    /// The address is printed on stderr, as `listening on` and the URL.
    /// SIGTERM or Ctrl-C stops it, once the calls in flight have been answered.
    Serve,
    /// Serve MCP over stdin and stdout, as desktop clients start it.
    ///
    /// Logs go to stderr. The end of stdin ends it, once the calls in flight have been answered.
    Stdio,
    /// List the tools by scope: name, effect, and what each does.
    Tools {
        /// Print the whole contracts as JSON, as clients see them.
        #[arg(long)]
        json: bool,
    },
    /// Bearer tokens for callers over HTTP.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Show what was bought and what is unknown, and free what an operator has cleared up.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Make one call from the shell and print its document.
    ///
    /// Each tool has a flag for each of its fields; `sevendigital-mcp call TOOL --help` lists them.
    /// On a terminal the document is printed for people, and what spends asks first; in a pipe it is JSON. Reasons and notes go to stderr.
    Call(call::Options),
    /// Answer the questions that wait for a yes or a no on a terminal.
    ///
    /// Purchases and deletions ask first (`spending`). Where neither the client nor a browser on this machine can ask, the question waits here.
    /// Needs a terminal, and the state folder or `ledger_url` of the server that asks.
    Confirm,
    /// Tell whether the server lives, for the probes of containers.
    ///
    /// Asks `/healthz` at the configured `bind`, and exits with 0 if it answers 200, else with 1.
    Health {
        /// Root of the server, in place of `bind`.
        #[arg(long)]
        url: Option<Url>,
    },
    /// Find out what is wrong, and say what to do about it.
    ///
    /// Looks and changes nothing: no file or folder is made, nothing is bought. Secrets are not shown, so the output can be pasted.
    /// Exits with 0 if nothing has failed, with 1 if something has, and with 4 if nothing but a login is missing.
    Doctor(Doctor),
    /// Print the entry with which an MCP client starts this server, or write it into the client's file.
    ///
    /// The entry names this program by its absolute path and holds no secret: credentials come from the config folder and `login`.
    /// Flags that are settings, such as `--read-only` or `--sandbox`, become arguments of the entry, and so does the file of `SEVENDIGITAL_MCP_CONFIG`.
    /// Exits with 1 if the file can't be changed, or holds another entry of the same name.
    Config(Connect),
    /// Set up what is missing: key, secret, country, confirmation, a login, the MCP clients on this machine.
    ///
    /// Asks on the terminal; each flag answers a question beforehand, and an empty answer leaves a step out.
    /// Writes the configuration file in the config folder, readable by you alone; other lines of it stay as they are.
    /// Then runs `doctor`, and exits as it does: with 0 if nothing has failed, with 1 if something has, and with 4 if nothing but a login is missing.
    Setup(Setup),
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
    /// Print completions for a shell: of commands, flags, tools and their fields.
    ///
    /// For bash, `source <(sevendigital-mcp completions bash)` in ~/.bashrc;
    /// for zsh, `sevendigital-mcp completions zsh > ~/.zfunc/_sevendigital-mcp` with ~/.zfunc in `fpath`;
    /// for fish, `sevendigital-mcp completions fish > ~/.config/fish/completions/sevendigital-mcp.fish`.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write the manual pages into a folder.
    #[command(hide = true)]
    Man {
        /// The folder, such as ~/.local/share/man/man1.
        folder: PathBuf,
    },
}

/// What to look at, and how to say it.
#[derive(Debug, Default, Args)]
pub struct Doctor {
    /// What to look at; everything but `shapes` if nothing is said.
    #[arg(value_name = "AREA")]
    pub areas: Vec<Area>,
    /// Print JSON: `ok`, and `findings` with `id`, `area`, `status`, `what`, `why`, `fix` and `details`.
    #[arg(long)]
    pub json: bool,
    /// Send nothing: leave out what asks 7digital or a database.
    #[arg(long)]
    pub offline: bool,
    /// Show also what is as it should be, with every value that is set and where it came from.
    #[arg(long)]
    pub verbose: bool,
    /// An argument for the reads of `shapes` that need one, such as `id=12345` of a card registration.
    #[arg(long = "arg", value_name = "NAME=VALUE", value_parser = argument)]
    pub arguments: Vec<(String, String)>,
}

fn argument(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=');
    let parts = parts.map(|(name, value)| (name.to_owned(), value.to_owned()));
    parts.ok_or_else(|| "expected NAME=VALUE".to_owned())
}

/// Something that the doctor looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Area {
    /// Whether the settings can be read, and where each value came from.
    Settings,
    /// Which files are used, and who may read them.
    Files,
    /// The way to 7digital: name, TCP, TLS, proxy.
    Network,
    /// This machine's clock against 7digital's.
    Clock,
    /// Whether 7digital accepts key and user; reads twice.
    Account,
    /// The ledger of purchases.
    State,
    /// Whether the addresses of `serve` are free.
    Ports,
    /// Every MCP client's file, and the entry of this server there.
    Clients,
    /// Which way the user is asked before money is spent.
    Confirmation,
    /// At which paths 7digital's answers are not as documented: makes the reads.
    Shapes,
}

impl Area {
    /// All areas, in the order in which they are looked at.
    pub const ALL: [Self; 10] = [
        Self::Settings,
        Self::Files,
        Self::Network,
        Self::Clock,
        Self::Account,
        Self::State,
        Self::Ports,
        Self::Clients,
        Self::Confirmation,
        Self::Shapes,
    ];
}

/// Which client to connect, and how.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Args)]
pub struct Connect {
    /// The client.
    #[arg(value_parser = client(), required_unless_present = "all")]
    pub client: Option<&'static Client>,
    /// List the clients: which are installed here, where their files are, and what they have of this server.
    #[arg(long, exclusive = true)]
    pub all: bool,
    /// Connect to a server that runs already, over streamable HTTP at the address of `bind`.
    #[arg(long)]
    pub http: bool,
    /// Add references to the environment variables that hold credentials.
    #[arg(long)]
    pub with_env: bool,
    /// Write the entry into the client's file; all else in it stays as it is, and a copy of the file is left beside it.
    #[arg(long, conflicts_with_all = ["remove", "link"])]
    pub write: bool,
    /// Take the entry out of the client's file.
    #[arg(long, conflicts_with = "link")]
    pub remove: bool,
    /// Print a link that installs the entry when it is opened (VS Code, Cursor, LM Studio).
    #[arg(long)]
    pub link: bool,
    /// With `--write`: replace an entry of the same name that differs.
    #[arg(long, requires = "write")]
    pub force: bool,
    /// Whether nothing is asked, also on a terminal.
    #[arg(skip)]
    pub never_asks: bool,
}

/// What to set up without a question.
#[derive(Debug, Args)]
pub struct Setup {
    /// Consumer key, which 7digital gives to its partners.
    #[arg(long, value_name = "KEY")]
    pub consumer_key: Option<Secret>,
    /// File that holds the secret of the consumer key; `-` is stdin.
    ///
    /// Without it, `SEVENDIGITAL_CONSUMER_SECRET` is stored beside a key that `--consumer-key` gives, unless the environment has another key.
    #[arg(long, value_name = "FILE")]
    pub consumer_secret_file: Option<PathBuf>,
    /// Country of the user in two letters, such as GB.
    #[arg(long, value_name = "CODE", value_parser = country)]
    pub country: Option<String>,
    /// Let a user log in.
    #[arg(long, conflicts_with = "no_login")]
    pub login: bool,
    /// Let no user log in.
    #[arg(long)]
    pub no_login: bool,
    /// How the user is asked before money is spent: `auto`, or some of `client`, `browser` and `terminal`.
    #[arg(long, value_name = "WAY,…", value_delimiter = ',', value_parser = confirm_way)]
    pub confirm_with: Vec<String>,
    /// Write the entry of this server into the file of this client; may be given several times.
    #[arg(long, value_name = "CLIENT", value_parser = client())]
    pub connect: Vec<&'static Client>,
    /// Ask nothing: leave out what no flag gives, also where the environment has it.
    #[arg(long)]
    pub yes: bool,
}

/// Reads a country.
pub(super) fn country(text: &str) -> Result<String, String> {
    let country: Result<Country, _> = serde_json::from_value(text.into());
    let country = country.map_err(|error| error.to_string())?;
    Ok(country.as_str().to_owned())
}

/// Reads a way to ask the user.
pub(super) fn confirm_way(text: &str) -> Result<String, String> {
    let ways = ["auto", "client", "browser", "terminal"];
    let way = ways.into_iter().find(|way| *way == text);
    let expected = "expected `auto`, or some of `client`, `browser` and `terminal`";
    way.map(str::to_owned).ok_or_else(|| expected.to_owned())
}

fn client() -> impl TypedValueParser<Value = &'static Client> {
    let names = PossibleValuesParser::new(CLIENTS.iter().map(|client| client.name));
    names.try_map(|name| find(&name).ok_or("there is no such client"))
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
    /// Say where the ledger is, and how many charges are in each state.
    Status,
    /// Show one charge as JSON.
    Show {
        /// Its number, from `ledger list`.
        id: i64,
    },
    /// Take a charge out, so that the same purchase can be made again.
    ///
    /// For one whose outcome is unknown, once it is clear that nothing was bought. One that is done is taken out only after a yes.
    Forget {
        /// Its number, from `ledger list`.
        id: i64,
        /// Don't ask, also where the charge is done.
        #[arg(long)]
        yes: bool,
    },
    /// Print all charges, oldest first, as a JSON object on each line.
    Export {
        /// Only those from this day on, such as 2026-11-26 (UTC).
        #[arg(long, value_name = "DATE")]
        since: Option<NaiveDate>,
    },
}
