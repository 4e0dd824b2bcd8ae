//! Character sets: from the bytes of an answer to text.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// The text of a body: by a byte order mark, then the header's charset, then the XML declaration's, then UTF-8.
///
/// A label that does not fit the bytes is passed over; Windows-1252 fits everything.
pub(crate) fn decode(content_type: &str, body: &[u8]) -> String {
    if let Some((encoding, _)) = Encoding::for_bom(body) {
        return encoding.decode(body).0.into_owned();
    }
    let start = String::from_utf8_lossy(body.get(..200).unwrap_or(body));
    let declared = start
        .starts_with("<?xml")
        .then(|| label(&start, "encoding="))
        .flatten();
    [label(content_type, "charset="), declared, Some(UTF_8)]
        .into_iter()
        .flatten()
        .find_map(|encoding| encoding.decode_without_bom_handling_and_without_replacement(body))
        .unwrap_or_else(|| WINDOWS_1252.decode(body).0)
        .into_owned()
}

/// The encoding that stands behind this key.
fn label(text: &str, key: &str) -> Option<&'static Encoding> {
    let start = text.to_ascii_lowercase().find(key)? + key.len();
    let rest = text.get(start..)?.trim_start_matches(['"', '\'']);
    let end = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && !"-_:.".contains(c))
        .unwrap_or(rest.len());
    Encoding::for_label(rest.get(..end)?.as_bytes())
}
