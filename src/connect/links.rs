//! Links that install the entry when they are opened.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sevendigital::oauth::encode;

use super::clients::CLIENTS;
use super::entry::{Entry, Server};
use super::error::{ConnectError, Result};
use super::facts::{Client, Link};

/// The link that installs this entry. An error where the client has none.
pub fn link(client: &Client, server: &Server, entry: &Entry) -> Result<String> {
    let name = server.name;
    let value = entry.value();
    let in_base64 = || encode(&STANDARD.encode(value.to_string()));
    match client.link {
        Some(Link::Cursor) => {
            let config = in_base64();
            Ok(format!(
                "cursor://anysphere.cursor-deeplink/mcp/install?name={name}&config={config}"
            ))
        }
        Some(Link::VsCode) => Ok(format!("vscode:mcp/install?{}", named(name, &value))),
        Some(Link::LmStudio) => {
            let config = in_base64();
            Ok(format!("lmstudio://add_mcp?name={name}&config={config}"))
        }
        None => {
            let (title, others) = (client.title, links());
            Err(ConnectError(format!(
                "{title} has no install links; {others} have"
            )))
        }
    }
}

/// The names of the clients that have links, in words.
fn links() -> String {
    let clients = CLIENTS.iter().filter(|client| client.link.is_some());
    let names: Vec<String> = clients.map(|client| format!("`{}`", client.name)).collect();
    names.join(", ")
}

fn named(name: &str, entry: &Value) -> String {
    let mut entry = entry.clone();
    if let Some(fields) = entry.as_object_mut() {
        fields.insert("name".to_owned(), json!(name));
    }
    encode(&entry.to_string())
}
