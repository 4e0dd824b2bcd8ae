//! Purchases that were made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::document::More;
use super::lenient::{element, if_readable};
use super::locker::LockerReleases;
use crate::values::Text;

/// An answer to a purchase.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Purchases {
    /// The purchase.
    #[serde(default, deserialize_with = "element")]
    pub purchase: Option<Purchase>,
}

/// A purchase that was made.
#[skip_serializing_none]
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Purchase {
    /// 7digital's purchase id: the reference for refunds and support.
    pub id: Option<Text>,
    /// When it was made, ISO 8601 with offset.
    pub purchase_date: Option<Text>,
    /// What was bought, as get-user-locker describes it; left out by newer versions of the API.
    // Every tool that buys would repeat this schema, and every client pays for its length.
    #[serde(default, deserialize_with = "if_readable")]
    #[schemars(with = "Option<More>")]
    pub locker_releases: Option<LockerReleases>,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::models::document::Document;

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
