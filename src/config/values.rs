//! Values of settings, as TOML writes them and as people write them in an environment variable.

use serde::Deserialize;
use serde::de::{self, Deserializer, IntoDeserializer as _};

/// What `FromStr` takes.
pub(super) fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    String::deserialize(deserializer)?
        .trim()
        .parse()
        .map_err(de::Error::custom)
}

/// A yes or no as TOML writes it, or as people write it in an environment variable.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Plain(bool),
        Text(String),
    }
    match Written::deserialize(deserializer)? {
        Written::Plain(flag) => Ok(flag),
        Written::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(de::Error::custom("neither true nor false")),
        },
    }
}

/// What may be left out, and is a number in TOML or a text.
pub(super) fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u64),
        Text(String),
    }
    let text = match Option::<Written>::deserialize(deserializer)? {
        None => return Ok(None),
        Some(Written::Number(number)) => number.to_string(),
        Some(Written::Text(text)) => text,
    };
    text.trim().parse().map(Some).map_err(de::Error::custom)
}

/// A list as TOML writes it, or words with commas between them.
pub(super) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        List(Vec<String>),
        Text(String),
    }
    let words = match Written::deserialize(deserializer)? {
        Written::List(words) => words,
        Written::Text(text) => text.split(',').map(str::to_owned).collect(),
    };
    Ok(words
        .iter()
        .map(|word| word.trim().to_owned())
        .filter(|word| !word.is_empty())
        .collect())
}

/// A country as 7digital takes it: two letters, in capitals.
pub(super) fn country<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    sevendigital_tools::values::Country::deserialize(text.into_deserializer())
        .map(|country| Some(country.as_str().to_owned()))
}
