//! What makes two calls the same: account, tool and arguments, as digests.

use serde_json::{Value, json};
use sevendigital::{BaseUri, Client, Credentials};
use sevendigital_tools::{Arguments, Contract, Prepared};

use crate::digest::{hex, sha256};

/// What makes two calls the same. Digests, so that the ledger and the audit log hold no argument.
#[derive(Debug, Clone)]
pub(super) struct CallKey {
    /// Of the token, or of the key with the managed user's id, and of the API that they are for.
    pub(super) account: String,
    /// Of the arguments, with the defaults that are sent filled in.
    pub(super) arguments: String,
    /// Name of the tool.
    pub(super) tool: &'static str,
}

impl CallKey {
    pub(super) fn new(contract: &Contract, client: &Client, prepared: &Prepared) -> Self {
        Self {
            account: account(client, prepared.target().user_id.as_deref()),
            arguments: arguments(client.credentials(), prepared.canonical()),
            tool: contract.name,
        }
    }

    /// All three in one digest.
    pub(super) fn digest(&self) -> String {
        let Self {
            account,
            arguments,
            tool,
        } = self;
        digest(&format!("{account} {tool} {arguments}"))
    }
}

/// The account that a client acts on, where the call names no user or this one.
pub(super) fn account(client: &Client, user_id: Option<&str>) -> String {
    let credentials = client.credentials();
    let base = one_spelling(client.base_uri());
    let user = user_id.or(credentials.user_id.as_deref());
    let user = user.unwrap_or_default();
    let consumer = credentials.consumer.as_ref();
    let consumer = consumer.map_or("", |consumer| consumer.key.expose());
    digest(&match &credentials.token {
        Some(token) => format!("{base}\0token\0{}", token.token.expose()),
        None => format!("{base}\0user\0{consumer}\0{user}"),
    })
}

/// One spelling of an API's root: this machine has several names, and a path may have slashes in rows.
fn one_spelling(base: &BaseUri) -> String {
    let url = base.url();
    let host = if base.is_loopback() {
        "localhost"
    } else {
        url.host_str().unwrap_or_default()
    };
    let port = url.port_or_known_default().unwrap_or_default();
    let path = url.path().split('/').filter(|part| !part.is_empty());
    let path: Vec<&str> = path.collect();
    // The usual root as it always was, so that what was bought before an update is still known.
    if port == 443 {
        return format!("https://{host}/{}", path.join("/"));
    }
    format!("{}://{host}:{port}/{}", url.scheme(), path.join("/"))
}

/// Naming a default makes no other purchase of it.
fn arguments(credentials: &Credentials, canonical: &Arguments) -> String {
    let mut arguments = canonical.clone();
    if !arguments.contains_key("shopId") && !arguments.contains_key("country") {
        match (&credentials.country, &credentials.shop_id) {
            (Some(country), _) => arguments.insert("country".into(), json!(country)),
            (None, Some(shop)) => arguments.insert("shopId".into(), json!(shop)),
            (None, None) => None,
        };
    }
    if credentials.token.is_none() {
        // The account has it already, given or default.
        arguments.remove("userId");
    }
    digest(&Value::Object(arguments).to_string())
}

/// Half of a SHA-256, as hexadecimal digits.
pub(super) fn digest(text: &str) -> String {
    let whole = sha256(text);
    let (half, _) = whole.split_at(16);
    hex(half)
}
