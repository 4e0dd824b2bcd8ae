//! What a client takes as an answer, as its `Accept` says (RFC 9110, section 12.5.1).

use http::{HeaderMap, header};

/// As much as there can be.
const FULL: u16 = 1000;

/// How much a client wants a media type, in thousandths: 0 where it does not take it. Without an `Accept` it takes all alike.
pub fn quality(headers: &HeaderMap, wanted: &str) -> u16 {
    let given = headers.get_all(header::ACCEPT).iter();
    let given = given.filter_map(|value| value.to_str().ok());
    let ranges = given.flat_map(|value| value.split(',')).map(str::trim);
    let mut ranges = ranges.filter(|range| !range.is_empty()).peekable();
    if ranges.peek().is_none() {
        return FULL;
    }
    // The closest range decides, and of two as close the one that wants it more.
    let matching = ranges.filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let closeness = closeness(parts.next()?, wanted)?;
        let weight = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("q")
                .then(|| thousandths(value.trim()))
        });
        Some((closeness, weight.unwrap_or(FULL)))
    });
    matching.max().map_or(0, |(_, weight)| weight)
}

/// How closely a range names a media type; none where it names others.
fn closeness(range: &str, wanted: &str) -> Option<u8> {
    if range.eq_ignore_ascii_case(wanted) {
        return Some(2);
    }
    let family = range.strip_suffix("/*")?;
    match wanted.split_once('/') {
        Some((of, _)) if family.eq_ignore_ascii_case(of) => Some(1),
        _ => (family == "*").then_some(0),
    }
}

/// A weight; one that is written badly is a whole one, since its client named the type.
fn thousandths(weight: &str) -> u16 {
    let Some(fraction) = weight.strip_prefix('0') else {
        return FULL;
    };
    let digits = fraction.strip_prefix('.').unwrap_or(fraction);
    let digits: String = digits.chars().chain("000".chars()).take(3).collect();
    digits.parse().unwrap_or(FULL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_range_decides() {
        for (accept, json, html) in [
            ("", 1000, 1000),
            ("*/*", 1000, 1000),
            ("application/*", 1000, 0),
            ("text/html, */*;q=0.8", 800, 1000),
            ("text/html;q=0.2, application/json;q=0.25", 250, 200),
            ("*/*, application/json;q=0", 0, 1000),
            ("Application/JSON; charset=utf-8; Q=1.0", 1000, 0),
            ("application/json;q=x, text/html;q=0.000", 1000, 0),
            ("text/plain", 0, 0),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            let told = ["application/json", "text/html"].map(|kind| quality(&headers, kind));
            assert_eq!(told, [json, html], "{accept}");
        }
        assert_eq!(quality(&HeaderMap::new(), "text/event-stream"), 1000);
    }
}
