//! Readers for the several forms in which 7digital sends one value: XML has no lists, and an empty element arrives as an empty text.

use serde::Deserialize as _;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde_json::Value;

/// An element that may be there and empty: XML's `<artist/>` arrives as an empty text.
pub(crate) fn element<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(Some(T::default())),
        value => serde_path_to_error::deserialize(value)
            .map(Some)
            .map_err(D::Error::custom),
    }
}

/// An element that is left out where it is not as described: a purchase that was made must not become one that is unknown.
pub(crate) fn if_readable<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    Ok(element(Value::deserialize(deserializer)?).unwrap_or_default())
}

/// A number or flag that may be there and empty, which says no more than one that is not there.
pub(crate) fn filled<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        value => serde_json::from_value(value)
            .map(Some)
            .map_err(D::Error::custom),
    }
}

/// A list, also where it arrives as its only element, as nothing or as an empty text.
pub(crate) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let all = match Value::deserialize(deserializer)? {
        Value::Null => Vec::new(),
        Value::String(text) if text.trim().is_empty() => Vec::new(),
        Value::Array(all) => all,
        one => vec![one],
    };
    all.into_iter()
        .map(|value| match value {
            Value::String(text) if text.trim().is_empty() => Ok(T::default()),
            value => serde_path_to_error::deserialize(value).map_err(D::Error::custom),
        })
        .collect()
}
