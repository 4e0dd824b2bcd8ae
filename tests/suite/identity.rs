//! Who may call what, and on whose account. Here: somebody who calls, and the settings that know them.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::support::calls::ROWS;
pub(crate) use crate::support::tokens::access_token;
use crate::support::tokens::{AUDIENCE, Authority, ISSUER};
use crate::support::{Client, Reply, Setting, World};

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
        "SEVENDIGITAL_MCP_LIMIT_CALLER_SIGNUPS_PER_MINUTE",
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

/// A caller of the file.
pub(crate) fn named(world: &World, name: &str) -> Client {
    Client::of(world).showing(&token_of(name))
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
