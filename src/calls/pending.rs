//! A change or a purchase that is authorized, read and checked, before anything is sent; and what makes two of them the same.

use serde_json::{Value, json};
use sevendigital::text::quotable_name;
use sevendigital::{BaseUri, Client, Credentials};
use sevendigital_tools::{Action, Arguments, Contract, Prepared};

use super::upstream;
use crate::config::{Config, ConfigError};
use crate::digest::{hex, sha256};
use crate::identity::Caller;
use crate::problem::Problem;

/// A call that is authorized, read and checked, with the client of its user.
pub(super) struct Ready {
    pub(super) caller: Caller,
    pub(super) client: Client,
    pub(super) prepared: Prepared,
}

impl Ready {
    /// As a change or a purchase, which has a key.
    pub(super) fn pending(self, contract: &Contract) -> Pending {
        Pending {
            key: CallKey::new(contract, &self.client, &self.prepared),
            caller: self.caller,
            client: self.client,
            prepared: self.prepared,
        }
    }
}

/// A change or a purchase that can be sent.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) caller: Caller,
    pub(super) client: Client,
    pub(super) prepared: Prepared,
    pub(super) key: CallKey,
}

impl Pending {
    /// What it would do. `AnyTool` does not compile for a tool that charges and has no action.
    pub(super) fn action(&self) -> Result<&Action, Problem> {
        self.prepared.action.as_ref().ok_or_else(Problem::internal)
    }

    /// Who pays for what for whom: the same for all tools, prices and spellings.
    pub(super) fn identity(&self, action: &Action) -> String {
        let (account, payer) = (&self.key.account, action.payer.as_str());
        let reference = action.reference.as_deref().map(digest).unwrap_or_default();
        format!("{account} {payer} {} {reference}", action.item)
    }

    /// The country whose currency prices are in.
    pub(super) fn country(&self) -> Option<&str> {
        let named = self.prepared.target.country.as_deref();
        named.or(self.client.credentials().country.as_deref())
    }

    /// The account as a person can recognise it.
    pub(super) fn account_in_words(&self) -> String {
        in_words(
            self.client.credentials(),
            self.prepared.target.user_id.as_ref(),
        )
    }
}

/// The account that these credentials act on, as a person can recognise it; `named` is the user that a call names.
pub(super) fn in_words(credentials: &Credentials, named: Option<&String>) -> String {
    match (named.or(credentials.user_id.as_ref()), &credentials.token) {
        (Some(user), _) => format!("user `{}`", quotable_name(user)),
        (None, Some(_)) => "the user who is signed in".to_owned(),
        (None, None) => "the partner's own account".to_owned(),
    }
}

/// What makes two calls the same. Digests, so that the ledger and the audit log hold no argument.
#[derive(Debug, Clone)]
pub(super) struct CallKey {
    /// Of the token, or of the key with the managed user's id, and of the API that they are for.
    pub(super) account: String,
    /// Of the arguments, with the defaults that are sent filled in.
    pub(super) arguments: String,
    /// Name of the tool.
    pub(super) tool: &'static str,
    /// All three in one digest.
    pub(super) digest: String,
}

impl CallKey {
    fn new(contract: &Contract, client: &Client, prepared: &Prepared) -> Self {
        let account = account(client, prepared.target.user_id.as_deref());
        let arguments = arguments(client.credentials(), &prepared.canonical);
        let tool = contract.name;
        Self {
            digest: digest(&format!("{account} {tool} {arguments}")),
            account,
            arguments,
            tool,
        }
    }
}

/// The account that calls act on which name no user.
pub fn account_of(config: &Config) -> Result<String, ConfigError> {
    Ok(account(&upstream::client(config)?, None))
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
