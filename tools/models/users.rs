//! Users and their streaming subscriptions.

use schemars::JsonSchema;

/// An answer about a user.
#[derive(JsonSchema)]
pub struct Users {
    /// The user.
    pub user: Option<User>,
}

/// A user of 7digital, or of a partner.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The user's id, to be used as `userId`.
    pub id: Option<String>,
    /// Kind of account, such as `7digital`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The user's e-mail address.
    pub email_address: Option<String>,
}

/// An answer about a streaming subscription.
#[derive(JsonSchema)]
pub struct Subscriptions {
    /// The subscription; left out where the user has none.
    pub streaming: Option<Streaming>,
}

/// A streaming subscription.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Streaming {
    /// Level of access, such as `premium`.
    pub level: Option<String>,
    /// When access ends, ISO 8601 in UTC, such as `2021-10-11T10:54:35Z`.
    pub expiry_date: Option<String>,
}
