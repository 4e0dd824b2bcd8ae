//! A request as it arrived, taken apart by hand so that signatures are checked over the raw bytes.

use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;

/// Names and values in the order they came.
pub(crate) type Pairs = Vec<(String, String)>;

/// What one request says, decoded and as sent.
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
    /// Takes a request apart. A body counts as form fields only when it says that it is a form.
    pub(crate) fn new(method: &str, target: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let body = String::from_utf8_lossy(body).into_owned();
        let is_form = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                value.split(';').next().is_some_and(|kind| {
                    kind.trim()
                        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
                })
            });
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            path: path.to_owned(),
            query: decode_form(query),
            form: if is_form {
                decode_form(&body)
            } else {
                Pairs::new()
            },
            headers: headers
                .iter()
                .map(|(name, value)| {
                    (
                        name.to_string(),
                        String::from_utf8_lossy(value.as_bytes()).into_owned(),
                    )
                })
                .collect(),
            body,
        }
    }

    /// The first header of that name, given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the client would rather have JSON than XML, which is the default.
    pub(crate) fn prefers_json(&self) -> bool {
        self.quality("json") > self.quality("xml")
    }

    /// Whether the client names XML and would not rather have JSON.
    pub(crate) fn prefers_xml(&self) -> bool {
        self.quality("xml") > 0 && !self.prefers_json()
    }

    /// The best weight, in thousandths, that `Accept` gives the type by name.
    fn quality(&self, subtype: &str) -> u32 {
        let named = |range: &&str| {
            let kind = range
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase();
            kind.split_once('/').is_some_and(|(_, sub)| sub == subtype)
        };
        let weight = |range: &str| {
            let weight = range.split(';').skip(1).find_map(|parameter| {
                parameter
                    .trim()
                    .to_ascii_lowercase()
                    .strip_prefix("q=")
                    .map(str::to_owned)
            });
            weight.map_or(1000, |weight| thousandths(&weight))
        };
        let accept = self.header("accept").unwrap_or_default();
        accept
            .split(',')
            .filter(named)
            .map(weight)
            .max()
            .unwrap_or(0)
    }
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

/// A quality value such as `0.5` in thousandths; nonsense counts as nothing.
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
