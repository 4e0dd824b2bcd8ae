//! The text of a client's file: its entries, and edits in the syntax that it has.

use std::collections::BTreeSet;

use super::clients::CLIENTS;
use super::entry::Entry;
use super::error::{ConnectError, Result};
use super::facts::{Client, Syntax};
use super::found::Found;
use super::{json, toml};

impl Client {
    /// All entries of a text of this client's, in their order. The error is the end of a sentence about the file, with line and column.
    pub fn entries(&self, text: &str) -> Result<Vec<Found>> {
        self.entries_under(self.key, text)
    }

    fn entries_under(&self, key: &str, text: &str) -> Result<Vec<Found>> {
        match self.syntax {
            Syntax::Toml => toml::entries(text, key),
            Syntax::Yaml => Err(yaml()),
            json => json::Servers::parse(text, key, json)?.entries(),
        }
    }

    /// All entries of a text that stand under the keys of other clients, each with its key.
    pub fn entries_elsewhere(&self, text: &str) -> Vec<(&'static str, Found)> {
        let keys: BTreeSet<&'static str> = CLIENTS.iter().map(|client| client.key).collect();
        let others = keys.into_iter().filter(|key| *key != self.key);
        let found = others.flat_map(|key| {
            let found = self.entries_under(key, text).unwrap_or_default();
            found.into_iter().map(move |found| (key, found))
        });
        found.collect()
    }

    /// The text with this entry, added or in place of another of its name.
    pub fn with_entry(&self, text: &str, name: &str, entry: &Entry) -> Result<String> {
        let edited = match self.syntax {
            Syntax::Toml => toml::with(text, self.key, name, entry)?,
            Syntax::Yaml => return Err(yaml()),
            json => json::Servers::parse(text, self.key, json)?.with(name, entry)?,
        };
        let found = self.entries(&edited)?.into_iter();
        let found = found.filter(|found| found.name == name);
        let found: Vec<_> = found.map(|found| found.value).collect();
        if found == [entry.value()] {
            Ok(edited)
        } else {
            Err(ConnectError(
                "can't take the entry as it is written: add it by hand".to_owned(),
            ))
        }
    }

    /// The text without the entry of that name.
    pub fn without_entry(&self, text: &str, name: &str) -> Result<String> {
        let edited = match self.syntax {
            Syntax::Toml => toml::without(text, self.key, name)?,
            Syntax::Yaml => return Err(yaml()),
            json => json::Servers::parse(text, self.key, json)?.without(name)?,
        };
        let before = self.entries(text)?.into_iter();
        let others: Vec<_> = before.filter(|found| found.name != name).collect();
        if self.entries(&edited)? == others {
            Ok(edited)
        } else {
            Err(ConnectError(
                "can't lose the entry as it is written: take it out by hand".to_owned(),
            ))
        }
    }

    /// The entry as a whole file, ready to be pasted.
    pub fn block(&self, name: &str, entry: &Entry) -> Result<String> {
        match self.syntax {
            Syntax::Yaml => Ok(yaml_block(self.key, name, entry)),
            _ => self.with_entry("", name, entry),
        }
    }
}

fn yaml() -> ConnectError {
    ConnectError("is YAML, which is neither read nor written here: paste the entry".to_owned())
}

/// JSON is YAML, so that each value is written as JSON.
fn yaml_block(key: &str, name: &str, entry: &Entry) -> String {
    let fields = entry.0.iter();
    let fields = fields.map(|(key, value)| format!("    {key}: {}\n", json::one_line(value)));
    format!("{key}:\n  {name}:\n{}", fields.collect::<String>())
}
