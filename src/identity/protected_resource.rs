//! This server as an OAuth 2.1 resource server: its metadata document (RFC 9728) and its challenges (RFC 6750).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sevendigital_tools::Scope;
use url::Url;

use crate::config::Config;

/// Path of the metadata document; the resource's own path may follow it.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// What clients need to know to get an access token for this server.
#[derive(Debug, Clone)]
pub struct ProtectedResource {
    /// The URI by which access tokens name this server, letter for letter: their audience.
    pub name: String,
    /// The same, read.
    pub uri: Url,
    /// The authorization server's issuer identifier.
    pub issuer: String,
}

impl ProtectedResource {
    /// As clients of the settings' authorization server know this server, if they name one.
    pub fn from_config(config: &Config) -> Option<Self> {
        let name = config.auth_audience.clone()?;
        Some(Self {
            uri: Url::parse(&name).ok()?,
            name,
            issuer: config.auth_issuer.clone()?,
        })
    }

    /// The metadata document.
    pub fn document(&self) -> Value {
        json!({
            "resource": self.name,
            "authorization_servers": [self.issuer],
            "scopes_supported": Scope::ALL.map(Scope::as_str),
            "bearer_methods_supported": ["header"],
            "resource_name": "sevendigital-mcp",
        })
    }

    /// The paths at which the document stands: the one that RFC 9728 makes of the resource's path, and the bare one.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = vec![WELL_KNOWN.to_owned(), self.path()];
        paths.dedup();
        paths
    }

    fn path(&self) -> String {
        format!("{WELL_KNOWN}{}", self.uri.path().trim_end_matches('/'))
    }

    fn address(&self) -> String {
        self.uri.origin().ascii_serialization() + &self.path()
    }

    /// The challenge to a request without a token, or with an invalid one: `wrong` says why, in ASCII without quotes or backslashes.
    pub fn unauthenticated(&self, wrong: Option<&str>) -> String {
        let error = wrong.map_or(String::new(), |wrong| {
            format!("error=\"invalid_token\", error_description=\"{wrong}\", ")
        });
        format!(
            "Bearer {error}resource_metadata=\"{}\", scope=\"{}\"",
            self.address(),
            Scope::Reads.as_str()
        )
    }

    /// The challenge to a token that grants too little: all the scopes that a new token needs.
    pub fn insufficient(&self, granted: &[Scope], missing: Scope) -> String {
        let scopes: BTreeSet<_> = granted.iter().copied().chain([missing]).collect();
        let scopes: Vec<_> = scopes.into_iter().map(Scope::as_str).collect();
        format!(
            "Bearer error=\"insufficient_scope\", scope=\"{}\", resource_metadata=\"{}\"",
            scopes.join(" "),
            self.address()
        )
    }
}
