//! Who may call what, and on whose account. Here: somebody who calls, and the settings that know them.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::rest::routes;
use crate::support::calls::ROWS;
pub(crate) use crate::support::tokens::access_token;
use crate::support::tokens::{AUDIENCE, Authority, ISSUER};
use crate::support::{LEGACY, Reply, Setting, World};

// On whose account callers act: never on another's.
mod accounts;
// Headers by which a client asks for fewer tools, and the setting that is like them.
mod choice;
// What is asked of everybody who knocks.
mod door;
// Callers by name: what they are shown and may call.
mod grants;
// MCP over HTTP in bytes: who may call, which tools there are.
mod http_access;
// Which access tokens of an authorization server are accepted, and how its keys are fetched.
mod jwt;
// Access tokens of an authorization server, through the real server.
mod oauth;
// Scopes of access tokens, each against each tool.
mod scopes;
// What one caller began is no good for another: confirmations, and names of purchases.
mod shared;
// Settings with which the server does not start.
mod start;
// What answers without a token: all there is, on each port.
mod sweep;
// `sevendigital-mcp token new`.
mod token;
// An upstream that shows whose each answer is.
mod mirror;
// Users by request: no request sees another's.
mod users;

/// A bearer token of the operator's.
pub(crate) const TOKEN: &str = "operator-canary-0123456789abcdef";
pub(crate) const BY_TOKEN: Setting<'static> = ("SEVENDIGITAL_MCP_TOKEN", TOKEN);
/// Where this server says how to get an access token for it.
pub(crate) const METADATA: &str =
    "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";

/// Settings under which a named caller may call as often as it likes.
pub(crate) const OFTEN: [Setting<'static>; 4] = [
    (
        "SEVENDIGITAL_MCP_LIMIT_CALLER_READS_PER_SECOND",
        "1000000000",
    ),
    ("SEVENDIGITAL_MCP_LIMIT_CALLER_READS_BURST", "1000000"),
    ("SEVENDIGITAL_MCP_LIMIT_CALLER_LOGINS_PER_MINUTE", "1000000"),
    (
        "SEVENDIGITAL_MCP_LIMIT_CALLER_OPENINGS_PER_MINUTE",
        "1000000",
    ),
];

pub(crate) const ALL_SCOPES: [&str; 5] = ["reads", "account", "cards", "spend", "partner"];

/// The tools of a scope.
pub(crate) fn of_scope(scope: &str) -> Vec<&'static str> {
    let own = ROWS.iter().filter(|row| row.scope == scope);
    own.map(|row| row.name).collect()
}

/// A client that makes a connection for each request.
pub(crate) fn without_pool() -> reqwest::Client {
    let http = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0);
    http.build().unwrap()
}

/// The bearer token of a named caller.
pub(crate) fn token_of(name: &str) -> String {
    format!("{name}-canary-0123456789abcdef0123456789")
}

pub(crate) fn sha256(token: &str) -> String {
    let digest = Sha256::digest(token.as_bytes());
    digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// A caller as the file describes it: name, what it may do, and further lines.
pub(crate) fn principal(name: &str, allow: &[&str], further: &str) -> String {
    let digest = sha256(&token_of(name));
    format!(
        "[[principals]]\nname = {name:?}\ntoken_sha256 = {digest:?}\nallow = {allow:?}\n{further}\n"
    )
}

/// An authorization server with one key.
pub(crate) async fn authority() -> Authority {
    Authority::start().await
}

/// A server with these settings that trusts an authorization server.
pub(crate) async fn trusting_world(settings: &[Setting<'_>], file: &str) -> (Authority, World) {
    let authority = authority().await;
    let keys = authority.url("/keys");
    let world = World::with_file(&[&trusting(&keys)[..], settings].concat(), file).await;
    (authority, world)
}

/// The settings that trust the authorization server with keys at this address.
pub(crate) fn trusting(keys: &str) -> [Setting<'_>; 3] {
    [
        ("SEVENDIGITAL_MCP_AUTH_ISSUER", ISSUER),
        ("SEVENDIGITAL_MCP_AUTH_AUDIENCE", AUDIENCE),
        ("SEVENDIGITAL_MCP_AUTH_JWKS_URI", keys),
    ]
}

/// The parameters that open a session.
pub(crate) fn hello() -> Value {
    json!({"protocolVersion": LEGACY[0], "capabilities": {}, "clientInfo": {"name": "suite", "version": "1"}})
}

/// Somebody who calls over HTTP, with headers of their own.
#[derive(Clone)]
pub(crate) struct Somebody<'a> {
    world: &'a World,
    headers: Vec<(&'static str, String)>,
}

impl<'a> Somebody<'a> {
    /// Who shows nothing.
    pub(crate) fn unknown(world: &'a World) -> Self {
        Self {
            world,
            headers: Vec::new(),
        }
    }

    /// Who shows this bearer token.
    pub(crate) fn with_token(world: &'a World, token: &str) -> Self {
        Self::unknown(world).with("authorization", &format!("Bearer {token}"))
    }

    /// A caller of the file.
    pub(crate) fn named(world: &'a World, name: &str) -> Self {
        Self::with_token(world, &token_of(name))
    }

    /// The same, with a further header on each request.
    pub(crate) fn with(&self, name: &'static str, value: &str) -> Self {
        let mut same = self.clone();
        same.headers.push((name, value.to_owned()));
        same
    }

    /// The same, with further headers.
    pub(crate) fn with_all(&self, headers: &[(&'static str, &str)]) -> Self {
        let mut same = self.clone();
        let headers = headers.iter();
        same.headers
            .extend(headers.map(|(name, value)| (*name, (*value).to_owned())));
        same
    }

    pub(crate) fn headers(&self) -> Vec<(&str, &str)> {
        let headers = self.headers.iter();
        headers
            .map(|(name, value)| (*name, value.as_str()))
            .collect()
    }

    /// A request of the era without a handshake.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Reply {
        let headers = self.headers();
        self.world
            .modern_as(&headers, json!(1), method, params)
            .await
    }

    /// A call over MCP.
    pub(crate) async fn mcp(&self, tool: &str, arguments: &Value) -> Reply {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments}))
            .await
    }

    /// A call over REST.
    pub(crate) async fn rest(&self, tool: &str, arguments: &Value) -> Reply {
        routes::call(self.world, tool, arguments, &self.headers()).await
    }

    /// A message in a session, or one that opens it.
    pub(crate) async fn legacy(&self, session: Option<&str>, message: &Value) -> Reply {
        let mut headers = self.headers();
        if let Some(session) = session {
            headers.push(("mcp-session-id", session));
            headers.push(("mcp-protocol-version", LEGACY[0]));
        }
        self.world.post(&headers, message.to_string()).await
    }

    /// Asks for a session, and gives the whole answer.
    pub(crate) async fn initialize(&self) -> Reply {
        let message = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello()});
        self.legacy(None, &message).await
    }

    /// Opens a session; gives its id.
    pub(crate) async fn session(&self) -> String {
        let reply = self.initialize().await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let id = reply.headers["mcp-session-id"].to_str().unwrap().to_owned();
        let done = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(self.legacy(Some(&id), &done).await.status, 202);
        id
    }

    /// A call in a session.
    pub(crate) async fn call_in(
        &self,
        session: &str,
        id: Value,
        tool: &str,
        arguments: &Value,
    ) -> Reply {
        let params = json!({"name": tool, "arguments": arguments});
        let message = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
        self.legacy(Some(session), &message).await
    }

    /// Names of the tools that are listed.
    pub(crate) async fn tools(&self) -> Vec<String> {
        let result = self.ask("tools/list", json!({})).await.result();
        let tools = result["tools"].as_array().unwrap().iter();
        tools
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// The challenge of an OAuth resource server to a request without a valid token; `shown` says whether it had one.
#[track_caller]
pub(crate) fn check_challenge(row: &str, reply: &Reply, shown: bool) {
    assert_eq!(reply.status, 401, "{row}: {reply:?}");
    let challenge = reply.headers["www-authenticate"].to_str().unwrap();
    let rest = challenge
        .strip_prefix("Bearer ")
        .unwrap_or_else(|| panic!("{row}: {challenge}"));
    let expected = format!("resource_metadata=\"{METADATA}\", scope=\"reads\"");
    let before = rest
        .strip_suffix(&expected)
        .unwrap_or_else(|| panic!("{row}: {challenge}"));
    assert_eq!(
        before.starts_with("error=\"invalid_token\", "),
        shown,
        "{row}: {challenge}"
    );
    assert_eq!(before.is_empty(), !shown, "{row}: {challenge}");
}
