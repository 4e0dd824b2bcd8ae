//! Values that are written as texts and held as something stricter.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IntoDeserializer as _};
use sevendigital_tools::values::Country;

/// Longest duration that a setting takes, some seven weeks: adding it to the clock never overflows.
const LONGEST: Duration = Duration::from_millis(u32::MAX as u64);

/// A duration as people write it, such as `500ms`, `10s` or `1h 30m`: from 1ms to some seven weeks. A number without a unit is an error.
pub(super) fn human_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    duration(deserializer, Duration::from_millis(1)..=LONGEST)
}

/// How long something is kept, written as a [`human_duration`]: from a day to a hundred years.
pub(super) fn keeping<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    duration(deserializer, DAY..=DAY * 36_525)
}

fn duration<'de, D: Deserializer<'de>>(
    deserializer: D,
    range: RangeInclusive<Duration>,
) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let duration = humantime::parse_duration(&text).map_err(D::Error::custom)?;
    let in_range = Some(duration).filter(|duration| range.contains(duration));
    in_range.ok_or_else(|| D::Error::custom("out of range"))
}

/// A whole number that is not zero, nor so large that adding to it could overflow.
pub(super) fn whole<'de, D: Deserializer<'de>, T: TryFrom<u32>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let number = NonZeroU32::deserialize(deserializer)?.get();
    T::try_from(number).map_err(|_| D::Error::custom("out of range"))
}

/// A country as 7digital takes it: two letters, in capitals.
pub(super) fn country<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.map(String::into_deserializer);
    let country = text.map(Country::deserialize).transpose()?;
    Ok(country.map(|country| country.as_str().to_owned()))
}

/// Empty, or a placeholder such as `${SECRET}` that the client which started us did not fill in.
pub(super) fn is_unset(value: &str) -> bool {
    let value = value.trim();
    value.is_empty() || (value.starts_with("${") && value.ends_with('}'))
}
