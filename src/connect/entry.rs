//! An entry: how one client starts this server, or where it finds it.

use std::path::PathBuf;

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Map, Value, json};
use sevendigital_tools::TOOLS;

use super::error::{ConnectError, Result};
use super::facts::{Client, What};

/// What our entry is called in a client's file.
pub const NAME: &str = "sevendigital";
/// What an entry is called that starts the sandbox, so that it can stand beside the other.
pub const SANDBOX_NAME: &str = "sevendigital-sandbox";

/// The variables that hold credentials, which an entry may refer to.
const CREDENTIALS: [&str; 4] = [
    "SEVENDIGITAL_CONSUMER_KEY",
    "SEVENDIGITAL_CONSUMER_SECRET",
    "SEVENDIGITAL_ACCESS_TOKEN",
    "SEVENDIGITAL_ACCESS_TOKEN_SECRET",
];
/// The variable that holds the bearer token.
const TOKEN: &str = "SEVENDIGITAL_MCP_TOKEN";
/// What speaks HTTP for a client that starts programs only. Pinned, since it is fetched when it is started.
const BRIDGE: &str = "mcp-remote@0.15.1";

/// What an entry leads to.
#[derive(Debug, Clone)]
pub struct Server {
    /// What the entry is called.
    pub name: &'static str,
    /// How it is reached.
    pub transport: Transport,
    /// Whether the entry refers to variables that hold credentials. Without them they come from our own files.
    pub with_env: bool,
}

/// How a client reaches the server.
#[derive(Debug, Clone)]
pub enum Transport {
    /// It starts a program and speaks over stdin and stdout.
    Stdio {
        /// The program, by its absolute path.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<String>,
    },
    /// Streamable HTTP.
    Http {
        /// The address, with the path.
        url: String,
    },
}

/// An entry's fields, in the order in which the client documents them.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry(pub Vec<(&'static str, Value)>);

impl Entry {
    /// The entry for a server in the client's shape. An error where the client has no such entry.
    pub fn new(client: &Client, server: &Server) -> Result<Self> {
        let fields = match server.transport {
            Transport::Stdio { .. } => client.stdio,
            Transport::Http { .. } => client.http,
        };
        let refers = fields.iter().any(|(_, what)| what.is_reference());
        if server.with_env && !refers {
            let title = client.title;
            return Err(ConnectError(format!(
                "an entry of {title} can't refer to environment variables: leave `--with-env` out, and keep credentials in this program's own config folder"
            )));
        }
        let mut entry = Vec::new();
        for (key, what) in fields {
            if !what.is_reference() || server.with_env {
                entry.push((*key, what.value(client, server)?));
            }
        }
        Ok(Self(entry))
    }

    /// The same as a value, which has no order.
    pub fn value(&self) -> Value {
        let fields = self.0.iter().cloned();
        fields
            .map(|(key, value)| (key.to_owned(), value))
            .collect::<Map<_, _>>()
            .into()
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            fields.serialize_entry(key, value)?;
        }
        fields.end()
    }
}

impl What {
    /// Whether it refers to variables, and is left out where that is not wanted.
    fn is_reference(&self) -> bool {
        matches!(
            self,
            Self::Env | Self::EnvNames | Self::Headers | Self::TokenName
        )
    }

    fn value(&self, client: &Client, server: &Server) -> Result<Value> {
        let (program, arguments, url) = match &server.transport {
            Transport::Stdio { program, arguments } => (Some(program), &arguments[..], ""),
            Transport::Http { url } => (None, &[][..], &**url),
        };
        let (before, after) = client.reference;
        let reference = |variable: &str| format!("{before}{variable}{after}");
        Ok(match self {
            Self::Command => {
                let path = program.and_then(|program| program.to_str());
                let unreadable = "the path of this program is not text: move it elsewhere";
                path.ok_or_else(|| ConnectError(unreadable.to_owned()))?
                    .into()
            }
            Self::Args => arguments.into(),
            Self::Url => url.into(),
            Self::Name => server.name.into(),
            Self::Text(text) => (*text).into(),
            Self::Number(number) => (*number).into(),
            Self::Yes => true.into(),
            Self::No => false.into(),
            Self::Object => json!({}),
            Self::List => json!([]),
            Self::Env => {
                let each = CREDENTIALS.map(|name| (name.to_owned(), reference(name).into()));
                Map::from_iter(each).into()
            }
            Self::EnvNames => json!(CREDENTIALS),
            Self::Headers => json!({ "Authorization": format!("Bearer {}", reference(TOKEN)) }),
            Self::TokenName => TOKEN.into(),
            Self::Bridge => json!(["-y", BRIDGE, url, "--transport", "http-only"]),
            Self::AskedTools => {
                let asked = TOOLS.iter().filter(|tool| tool.requires_confirmation);
                let prompt = || json!({ "approval_mode": "prompt" });
                let each = asked.map(|tool| (tool.contract.name.to_owned(), prompt()));
                each.collect::<Map<_, _>>().into()
            }
        })
    }
}
