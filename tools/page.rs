//! Pages on which a person goes on, where a tool must not: what is entered there never comes through here.

use serde_json::Value;

use crate::Arguments;

/// A page for the user's browser, and the read that says when they are done there.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its address.
    pub url: String,
    /// What the user does there, in our own words.
    pub purpose: &'static str,
    /// The tool that reads how far they are.
    pub look: &'static str,
    /// The arguments of that read.
    pub arguments: Arguments,
    /// Whether its document says that they are done.
    pub is_done: fn(&Value) -> bool,
}
