//! What is measured, and how each server is started.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use super::cells::{Cell, Transport};
use super::messages::Era;
use super::options::{Kind, Options};
use super::upstream::Upstream;

/// Our settings: the limits that one caller meets are out of the way, the rest is as by default.
const SETTINGS: [(&str, &str); 11] = [
    ("CONSUMER_KEY", "load-key"),
    ("CONSUMER_SECRET", "load-secret"),
    ("ACCESS_TOKEN", "load-token"),
    ("ACCESS_TOKEN_SECRET", "load-token-secret"),
    ("COUNTRY", "GB"),
    ("MCP_SPENDING", "allow"),
    ("MCP_LIMIT_CALLER_READS_PER_SECOND", "1000000"),
    ("MCP_LIMIT_CALLER_READS_BURST", "1000000"),
    ("MCP_LIMIT_CALLER_CONCURRENT_CALLS", "1024"),
    ("MCP_LIMIT_CALLER_MAX_SESSIONS", "4096"),
    ("MCP_LIMIT_MAX_SESSIONS", "4096"),
];

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Server {
    /// Nothing: the clients ask the upstream.
    Straight,
    Bare,
    Ours,
    Peer {
        name: String,
        command: String,
    },
}

/// What is measured in a cell.
pub(crate) fn of(options: &Options, cell: &Cell) -> Result<Vec<Server>, Box<dyn Error>> {
    let mut servers = match (cell.kind, cell.transport) {
        (Kind::Reads, Transport::Http) => vec![Server::Straight, Server::Bare, Server::Ours],
        (Kind::Reads, Transport::Stdio) => vec![Server::Bare, Server::Ours],
        _ => vec![Server::Ours],
    };
    if (cell.kind, cell.transport, cell.era) == (Kind::Reads, Transport::Http, Era::Legacy) {
        for peer in &options.peer {
            let parts = peer.split_once('=').ok_or("`--peer` is NAME=COMMAND")?;
            let (name, command) = (parts.0.to_owned(), parts.1.to_owned());
            servers.push(Server::Peer { name, command });
        }
    }
    let only = &options.only;
    servers.retain(|server| only.is_empty() || only.iter().any(|name| name == server.name()));
    Ok(servers)
}

impl Server {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Straight => "straight",
            Self::Bare => "bare",
            Self::Ours => "ours",
            Self::Peer { name, .. } => name,
        }
    }

    /// The command that starts it, and where it will listen if it does not say so itself.
    pub(crate) fn command(
        &self,
        options: &Options,
        cell: &Cell,
        upstream: &Upstream,
        folder: &Path,
    ) -> io::Result<(Command, Option<String>)> {
        let base_uri = upstream.base_uri();
        let command = match self {
            Self::Straight => return Err(io::Error::other("there is no server")),
            Self::Bare => {
                let mut command = Command::new(fs::canonicalize(&options.bare)?);
                command.arg(cell.transport.name()).arg(base_uri);
                command
            }
            Self::Ours => ours(options, cell, &base_uri, folder)?,
            Self::Peer { command, .. } => {
                let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
                let command = command.replace("{port}", &address.port().to_string());
                let command = command.replace("{upstream}", &base_uri);
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(format!("exec {command}"));
                return Ok((shell, Some(address.to_string())));
            }
        };
        Ok((command, None))
    }
}

fn ours(options: &Options, cell: &Cell, base_uri: &str, folder: &Path) -> io::Result<Command> {
    let mut command = Command::new(fs::canonicalize(&options.server)?);
    match cell.transport {
        Transport::Http => command.args(["--bind", "127.0.0.1:0"]),
        Transport::Stdio => command.arg("stdio"),
    };
    let settings = folder.join("settings.toml");
    fs::write(&settings, principals(cell.principals(options)))?;
    let state = match &options.state_dir {
        Some(state) => fs::canonicalize(state)?,
        None => folder.join("state"),
    };
    let set = options.set.iter().filter_map(|set| set.split_once('='));
    command
        .env_clear()
        .env("HOME", folder)
        .env("SEVENDIGITAL_MCP_CONFIG", settings)
        .env("SEVENDIGITAL_MCP_STATE_DIR", state)
        .env("SEVENDIGITAL_BASE_URI", base_uri)
        .envs(SETTINGS.map(|(name, value)| (format!("SEVENDIGITAL_{name}"), value)))
        .envs(set);
    Ok(command)
}

/// The bearer token of a principal.
pub(crate) fn token(number: usize) -> String {
    format!("load-token-{number:024}")
}

/// The configuration file: callers by name, each with an account of its own.
fn principals(count: usize) -> String {
    let mut file = String::new();
    for number in 0..count {
        let digest = Sha256::digest(token(number));
        let digest = digest.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let _ = writeln!(
            file,
            "[[principals]]\nname = \"caller{number}\"\ntoken_sha256 = \"{digest}\"\nallow = [\"reads\", \"spend\"]\naccess_token = \"account{number}\"\naccess_token_secret = \"secret\""
        );
    }
    file
}
