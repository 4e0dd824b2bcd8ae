//! Values that are written as texts and held as something stricter.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IntoDeserializer as _, value};
use sevendigital::Secret;
use sevendigital_tools::values::Country;

use super::text::trimmed;

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

/// The same as [`whole`], where there may be none.
pub(super) fn optional_whole<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    Ok(Option::<NonZeroU32>::deserialize(deserializer)?.map(NonZeroU32::get))
}

/// An address with its port, by number; of names, `localhost` alone.
pub(super) fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.split_once(':') {
        Some((name, port)) if name.eq_ignore_ascii_case("localhost") => {
            let port = port.parse().map_err(D::Error::custom)?;
            Ok((Ipv4Addr::LOCALHOST, port).into())
        }
        _ => text.parse().map_err(D::Error::custom),
    }
}

/// The same, where there may be none.
pub(super) fn optional_address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.map(String::into_deserializer);
    text.map(address).transpose()
}

/// A secret of a table, without what tools leave around it.
pub(super) fn secret<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Secret>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.map(|text| trimmed(&text).into()))
}

/// The same for a text that is checked later.
pub(super) fn plain<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.map(|text| trimmed(&text).to_owned()))
}

/// A country as 7digital takes it: two letters, in capitals, of which one is meant.
pub(super) fn country<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let country = Country::deserialize(text.clone().into_deserializer());
    let country = country.map_err(|_: value::Error| match Country::meant_by(&text) {
        Some(code) => D::Error::custom(format!("did you mean {code}?")),
        None => D::Error::custom("that is no country"),
    });
    Ok(Some(country?.as_str().to_owned()))
}
