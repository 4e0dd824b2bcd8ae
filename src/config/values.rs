//! Values that are written as texts and held as something stricter.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IntoDeserializer as _};
use sevendigital_tools::values::Country;

/// Longest duration that a setting takes, some seven weeks: adding it to the clock never overflows.
const LONGEST: Duration = Duration::from_millis(u32::MAX as u64);

/// A duration as people write it, from 1ms to some seven weeks; for `#[serde(with = "HumanDuration")]`.
pub(super) struct HumanDuration;

impl HumanDuration {
    /// Reads `500ms`, `10s` or `1h 30m`. A number without a unit is an error.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        let duration = humantime::parse_duration(&text).map_err(D::Error::custom)?;
        if duration < Duration::from_millis(1) || duration > LONGEST {
            return Err(D::Error::custom("out of range"));
        }
        Ok(duration)
    }
}

impl JsonSchema for HumanDuration {
    fn schema_name() -> Cow<'static, str> {
        "HumanDuration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "expected": "a duration with its unit, such as `500ms`, `10s` or `2m`, from `1ms` to `49d`",
        })
    }
}

/// What `FromStr` reads.
pub(super) fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(D::Error::custom)
}

/// What `FromStr` reads, and may be absent.
pub(super) fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    let value = text.map(|text| text.parse()).transpose();
    value.map_err(D::Error::custom)
}

/// A country as 7digital takes it: two letters, in capitals.
pub(super) fn country<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    Country::deserialize(text.into_deserializer()).map(|country| Some(country.as_str().to_owned()))
}

/// Empty, or a placeholder such as `${SECRET}` that the client which started us did not fill in.
pub(super) fn is_unset(value: &str) -> bool {
    let value = value.trim();
    value.is_empty() || (value.starts_with("${") && value.ends_with('}'))
}
