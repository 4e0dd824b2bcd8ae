//! What people write for numbers and flags, and what says nothing.

use serde_json::Value;

/// Whether a value is one of the forms of nothing.
pub(crate) fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A whole number that came as a float, as far as a float holds each.
pub(crate) fn whole(number: Option<f64>) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = number.filter(|number| number.fract() == 0.0 && number.abs() <= EXACT)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is whole, and within bounds"
    )]
    let number = number as i64;
    Some(number.into())
}

pub(crate) fn flag(text: &str) -> Option<Value> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" | "1.0" => Some(true.into()),
        "false" | "no" | "0" | "0.0" => Some(false.into()),
        _ => None,
    }
}
