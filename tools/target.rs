//! The user and the shop that a call names: the fields that are the same in every operation.

use serde::Serialize;
use serde_json::Value;
use serde_with::skip_serializing_none;

use crate::arguments::Arguments;

/// The user and the shop that a call names. Serialized, they are parameters of a look-up for the same user and shop.
#[skip_serializing_none]
#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The managed user.
    pub user_id: Option<String>,
    /// ISO 3166-1 alpha-2 country, in capitals.
    pub country: Option<String>,
    /// Shop id, 7digital's older alternative to `country`.
    pub shop_id: Option<String>,
}

impl Target {
    /// Read once from canonical arguments, so that no tool can forget to say for which user it is.
    pub(crate) fn from_canonical(canonical: &Arguments) -> Self {
        let body = canonical.get("body").and_then(Value::as_object);
        let fields = body.unwrap_or(canonical);
        let text = |name: &str| match fields.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Self {
            user_id: text("userId"),
            country: text("country"),
            shop_id: text("shopId"),
        }
    }
}
