//! Headers as requests bring them.

use http::HeaderMap;
use http::header::AsHeaderName;

/// The value of a header that may be given once, in visible ASCII.
pub(crate) fn single_header(
    headers: &HeaderMap,
    name: impl AsHeaderName,
) -> Result<Option<&str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}
