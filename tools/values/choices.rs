//! Texts of which only a few are known: 7digital's, in its spelling, and our own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::Text;

/// An order of releases, as 7digital spells it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Text")]
#[schemars(with = "String")]
pub struct Sort(String);

impl TryFrom<Text> for Sort {
    type Error = &'static str;
    fn try_from(Text(text): Text) -> Result<Self, Self::Error> {
        let words: Vec<&str> = text.split_whitespace().collect();
        known(&words.join(" "), &ORDERS).map(Self).ok_or(
            "expected `releaseTitle`, `purchaseDate` or `artistName`, a space, and `asc` or `desc`",
        )
    }
}

const ORDERS: [&str; 6] = [
    "releaseTitle asc",
    "releaseTitle desc",
    "purchaseDate asc",
    "purchaseDate desc",
    "artistName asc",
    "artistName desc",
];

/// Ways to use what a locker has, with commas between them, as 7digital spells them.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Text")]
#[schemars(with = "String")]
pub struct UsageTypes(String);

impl TryFrom<Text> for UsageTypes {
    type Error = &'static str;
    fn try_from(Text(text): Text) -> Result<Self, Self::Error> {
        let types = text.split(',').map(|word| known(word.trim(), &USAGE_TYPES));
        let types: Option<Vec<String>> = types.collect();
        types.map(|types| Self(types.join(","))).ok_or(
            "expected `download`, `subscriptionstreaming` or `adsupportedstreaming`, several with commas between them",
        )
    }
}

const USAGE_TYPES: [&str; 3] = ["download", "subscriptionstreaming", "adsupportedstreaming"];

/// How much of a document is returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Text", rename_all = "lowercase")]
#[schemars(with = "String", extend("enum" = VIEWS))]
pub enum View {
    /// All of it.
    Full,
    /// What tells its items apart.
    Summary,
}

impl TryFrom<Text> for View {
    type Error = &'static str;
    fn try_from(Text(text): Text) -> Result<Self, Self::Error> {
        match known(text.trim(), &VIEWS).as_deref() {
            Some("full") => Ok(Self::Full),
            Some("summary") => Ok(Self::Summary),
            _ => Err("expected `full` or `summary`"),
        }
    }
}

const VIEWS: [&str; 2] = ["full", "summary"];

/// A word in its known spelling.
fn known(word: &str, all: &[&str]) -> Option<String> {
    let mut all = all.iter();
    let found = all.find(|known| known.eq_ignore_ascii_case(word))?;
    Some((*found).to_owned())
}
