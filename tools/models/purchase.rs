//! Purchases that were made.

use schemars::JsonSchema;

use super::locker::LockerReleases;

/// An answer to a purchase.
#[derive(JsonSchema)]
pub struct Purchases {
    /// The purchase.
    pub purchase: Option<Purchase>,
}

/// A purchase that was made.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Purchase {
    /// 7digital's purchase id: the reference for refunds and support.
    pub id: Option<String>,
    /// When it was made, ISO 8601 with offset.
    pub purchase_date: Option<String>,
    /// What was bought, as get-user-locker describes it; left out by newer versions of the API.
    #[schemars(extend("x-brief" = true))]
    pub locker_releases: Option<LockerReleases>,
}
