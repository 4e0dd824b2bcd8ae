//! Users and their streaming subscriptions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::document::More;
use super::lenient::element;
use crate::values::Text;

/// An answer about a user.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Users {
    /// The user.
    #[serde(default, deserialize_with = "element")]
    pub user: Option<User>,
}

/// A user of 7digital, or of a partner.
#[skip_serializing_none]
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The user's id, to be used as `userId`.
    pub id: Option<Text>,
    /// Kind of account, such as `7digital`.
    #[serde(rename = "type")]
    pub kind: Option<Text>,
    /// The user's e-mail address.
    pub email_address: Option<Text>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// An answer about a streaming subscription.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Subscriptions {
    /// The subscription; left out where the user has none.
    #[serde(default, deserialize_with = "element")]
    pub streaming: Option<Streaming>,
}

/// A streaming subscription.
#[skip_serializing_none]
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Streaming {
    /// Level of access, such as `premium`.
    pub level: Option<Text>,
    /// When access ends, ISO 8601 in UTC, such as `2021-10-11T10:54:35Z`.
    pub expiry_date: Option<Text>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}
