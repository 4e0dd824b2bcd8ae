//! This server as an OAuth 2.1 resource server: its metadata document (RFC 9728) and its challenges (RFC 6750).

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use sevendigital_tools::Scope;
use url::Url;

/// Path of the metadata document; the resource's own path may follow it.
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// What clients must know to get an access token for this server.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The URI by which access tokens name this server, letter for letter: their audience.
    pub name: String,
    /// The same, read.
    pub uri: Url,
    /// The authorization server's issuer identifier.
    pub issuer: String,
}

impl Resource {
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
        let path = self.uri.path().trim_end_matches('/');
        let mut paths = vec![WELL_KNOWN.to_owned()];
        if !path.is_empty() {
            paths.push(format!("{WELL_KNOWN}{path}"));
        }
        paths
    }

    /// The document at its paths, for anybody.
    pub fn router(&self) -> Router {
        let document = self.document();
        let mut router = Router::new();
        for path in self.paths() {
            let document = document.clone();
            router = router.route(&path, get(async move || Json(document)));
        }
        router
    }

    fn address(&self) -> String {
        let path = self.uri.path().trim_end_matches('/');
        format!(
            "{}{WELL_KNOWN}{path}",
            self.uri.origin().ascii_serialization()
        )
    }

    /// Told to whoever shows no token, or one with something wrong; that is told in ASCII without quotes or backslashes.
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

    /// Told to whoever's token grants too little: all the scopes that a new token must have.
    pub fn insufficient(&self, granted: &[Scope], lacking: Scope) -> String {
        let mut scopes = granted.to_vec();
        scopes.push(lacking);
        scopes.sort_unstable();
        scopes.dedup();
        let scopes: Vec<&str> = scopes.into_iter().map(Scope::as_str).collect();
        format!(
            "Bearer error=\"insufficient_scope\", scope=\"{}\", resource_metadata=\"{}\"",
            scopes.join(" "),
            self.address()
        )
    }
}
