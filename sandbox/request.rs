//! A request as it arrived, parsed by hand so that signatures are checked over the raw bytes.

use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;

/// Names and values in the order they came.
pub(crate) type Pairs = Vec<(String, String)>;

/// One request, decoded and as sent.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The request target exactly as sent.
    pub(crate) target: String,
    /// The path of the target, still encoded.
    pub(crate) path: String,
    pub(crate) query: Pairs,
    pub(crate) form: Pairs,
    pub(crate) body: String,
    pub(crate) headers: Pairs,
}

impl Request {
    /// Takes a request apart. A body counts as form fields only when its type says that it is a form.
    pub(crate) fn new(method: &str, target: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers: Pairs = headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
            .collect();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let content_type = find(&headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
        let (kind, _) = content_type.split_once(';').unwrap_or((content_type, ""));
        let body = text(body);
        let form = match kind.trim().to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => decode_form(&body),
            _ => Pairs::new(),
        };
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            path: path.to_owned(),
            query: decode_form(query),
            form,
            body,
            headers,
        }
    }

    /// Whether the client prefers JSON to XML, which is the default.
    pub(crate) fn prefers_json(&self) -> bool {
        self.quality("json") > self.quality("xml")
    }

    /// Whether the client names XML and does not prefer JSON.
    pub(crate) fn prefers_xml(&self) -> bool {
        self.quality("xml") > 0 && !self.prefers_json()
    }

    /// The best weight, in thousandths, that `Accept` gives the type by name.
    fn quality(&self, subtype: &str) -> u32 {
        let accept = find(&self.headers, "accept").unwrap_or_default();
        let accept = accept.to_ascii_lowercase();
        let weights = accept.split(',').filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let (_, name) = parts.next()?.split_once('/')?;
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            (name == subtype).then(|| weight.map_or(1000, thousandths))
        });
        weights.max().unwrap_or(0)
    }
}

/// The first value of exactly that name.
pub(crate) fn find<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    let found = pairs.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// The first value of that name in upper or lower case, without surrounding space.
pub(crate) fn find_in_any_case<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    let found = pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim())
}

/// Decodes `a=1&b=x%20y` as a form: percent signs and plus signs.
pub(crate) fn decode_form(text: &str) -> Pairs {
    let decode = |part: &str| {
        percent_decode_str(&part.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// A quality value such as `0.5` in thousandths; what is no number counts as 0.
fn thousandths(text: &str) -> u32 {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let padded: String = fraction.chars().chain("000".chars()).take(3).collect();
    format!("{whole}{padded}")
        .parse::<u32>()
        .map_or(0, |value| value.min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(accept: &str) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        Request::new("GET", "/1.2/user/locker?a=1", &headers, b"")
    }

    #[test]
    fn json_is_given_only_where_accept_prefers_it() {
        let rows = [
            ("application/json", true),
            ("application/json, application/xml;q=0.5", true),
            ("application/json;q=0.4, text/xml;q=0.5", false),
            ("application/json;q=0", false),
            ("*/*", false),
            ("application/xml", false),
            ("application/json, text/plain, */*", true),
        ];
        for (accept, json) in rows {
            assert_eq!(accepting(accept).prefers_json(), json, "{accept}");
        }
    }

    #[test]
    fn forms_are_decoded_with_plus_signs_and_percent_signs() {
        let pairs = decode_form("c2&a3=2+q&n=caf%C3%A9&&p=%2B");
        let expected = [("c2", ""), ("a3", "2 q"), ("n", "café"), ("p", "+")];
        assert_eq!(
            pairs,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }
}
