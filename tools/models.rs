//! The documents that several tools share, in their one shape.
//!
//! Lists are always arrays, identifiers always strings, counts numbers; what is not named here is kept as it came.

use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::cards::{Card, CardRegistration, CardRegistrations};
pub use self::locker::{
    Artist, DownloadUrl, DownloadUrls, Format, LockerRelease, LockerReleases, LockerTrack,
    LockerTracks, Named, Release, Track,
};
use crate::values::Text;

mod cards;
mod locker;

/// Fields that are not described here.
pub type More = Map<String, Value>;

/// A whole answer: the payload with the envelope's attributes beside it.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Document<T> {
    /// `ok`; some answers leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Text>,
    /// Version of the API, such as `1.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Text>,
    /// What was asked for.
    #[serde(flatten)]
    pub payload: T,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// An answer that only says that it was done.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Done {}

/// An answer about a user.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Users {
    /// The user.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub user: Option<User>,
}

/// A user of 7digital, or of a partner.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The user's id, to be used as `userId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// Kind of account, such as `7digital`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Text>,
    /// The user's e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_address: Option<Text>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// An answer about a streaming subscription.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Subscriptions {
    /// The subscription; left out where the user has none.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub streaming: Option<Streaming>,
}

/// A streaming subscription.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Streaming {
    /// Level of access, such as `premium`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Text>,
    /// When access ends, ISO 8601 in UTC, such as `2021-10-11T10:54:35Z`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_date: Option<Text>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// An answer to a purchase.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Purchases {
    /// The purchase.
    #[serde(
        default,
        deserialize_with = "element",
        skip_serializing_if = "Option::is_none"
    )]
    pub purchase: Option<Purchase>,
}

/// A purchase that was made.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Purchase {
    /// 7digital's purchase id: the reference for refunds and support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// When it was made, ISO 8601 with offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchase_date: Option<Text>,
    /// What was bought, as get-user-locker describes it; left out by newer versions of the API.
    // Five tools would repeat this schema, and every client pays for its length.
    #[serde(
        default,
        deserialize_with = "if_readable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<More>")]
    pub locker_releases: Option<LockerReleases>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_purchase_with_a_strange_content_is_a_purchase_all_the_same() {
        for content in [
            json!("?"),
            json!([1]),
            json!({"page": "one"}),
            json!({"lockerRelease": [[]]}),
        ] {
            let answer = json!({"purchase": {"id": 7, "lockerReleases": content}});
            let read: Document<Purchases> = serde_json::from_value(answer).unwrap();
            assert_eq!(read.payload.purchase.unwrap().id, Some(Text("7".into())));
        }
    }
}
