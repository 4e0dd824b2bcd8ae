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
    /// The reference for refunds and support.
    #[schemars(extend("x-help" = true))]
    pub id: Option<String>,
    /// When it was made, ISO 8601 with offset.
    pub purchase_date: Option<String>,
    /// As get-user-locker has it.
    #[schemars(extend("x-brief" = true, "x-unlisted" = true))]
    pub locker_releases: Option<LockerReleases>,
}
