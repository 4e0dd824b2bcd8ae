//! Free tags of a sale.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::Text;

/// Tags that 7digital stores with a sale, written as `key=value` with commas between them. 7digital takes each as a parameter `tag_<key>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Text", into = "String")]
#[schemars(with = "String")]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// A parameter for each.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (String, Option<String>)> {
        let tags = self.0.iter();
        tags.map(|(key, value)| (format!("tag_{key}"), Some(value.clone())))
    }
}

impl TryFrom<Text> for Tags {
    type Error = &'static str;
    fn try_from(Text(text): Text) -> Result<Self, Self::Error> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let mut tags = BTreeMap::new();
        for tag in text.split(',') {
            let (key, value) = tag.split_once('=').unwrap_or_default();
            let (key, value) = (key.trim(), value.trim());
            let is_key = (1..=60).contains(&key.len()) && key.chars().all(allowed);
            let is_new = tags.insert(key.to_owned(), value.to_owned()).is_none();
            if !is_key || value.is_empty() || !is_new {
                return Err(
                    "expected `key=value`, several with commas between them; a key has 1 to 60 letters, digits, `_` or `-`, and comes once",
                );
            }
        }
        Ok(Self(tags))
    }
}

impl From<Tags> for String {
    fn from(Tags(tags): Tags) -> Self {
        let tags = tags.iter().map(|(key, value)| format!("{key}={value}"));
        tags.collect::<Vec<_>>().join(",")
    }
}
