//! Character sets: from the bytes of an answer to text.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The text of a body: by a byte order mark, then the header's charset, then the XML declaration's, then UTF-8.
///
/// A label that does not fit the bytes is passed over. What fits none is UTF-8 with broken bytes if any of its characters needs several of them, and Windows-1252 otherwise. Two labels are often wrong, and are believed only where nothing speaks against them:
/// UTF-16, which .NET's string writers declare in UTF-8, needs a zero byte at the start; and valid UTF-8 is no text of single bytes.
pub(crate) fn decode<'a>(content_type: &str, body: &'a [u8]) -> Cow<'a, str> {
    if let Some((encoding, _)) = Encoding::for_bom(body) {
        return encoding.decode(body).0;
    }
    let start = String::from_utf8_lossy(body.get(..200).unwrap_or(body));
    let declared = start
        .starts_with("<?xml")
        .then(|| label(&start, "encoding="))
        .flatten();
    let utf8 = std::str::from_utf8(body);
    let fits = |encoding: &&'static Encoding| {
        let is_wide = [UTF_16LE, UTF_16BE].contains(encoding);
        let has_zero = || body.iter().take(2).any(|byte| *byte == 0);
        let is_narrow = encoding.is_single_byte() && utf8.is_ok();
        (!is_wide || has_zero()) && !is_narrow
    };
    [label(content_type, "charset="), declared, Some(UTF_8)]
        .into_iter()
        .flatten()
        .filter(fits)
        .find_map(|encoding| encoding.decode_without_bom_handling_and_without_replacement(body))
        .unwrap_or_else(|| {
            let lossy = String::from_utf8_lossy(body);
            let wide = |c: char| !c.is_ascii() && c != char::REPLACEMENT_CHARACTER;
            if lossy.contains(wide) {
                lossy
            } else {
                WINDOWS_1252.decode(body).0
            }
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_believed_more_than_the_label() {
        let declared =
            |encoding: &str| format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?><a>Björk</a>");
        let wide =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        for (label, body, expected) in [
            ("", declared("utf-16").into_bytes(), declared("utf-16")),
            (
                "text/xml; charset=utf-16",
                declared("utf-8").into_bytes(),
                declared("utf-8"),
            ),
            (
                "text/xml; charset=utf-16le",
                wide("<a>ö</a>"),
                "<a>ö</a>".to_owned(),
            ),
            (
                "",
                declared("iso-8859-1").into_bytes(),
                declared("iso-8859-1"),
            ),
            (
                "text/xml; charset=us-ascii",
                b"<a>\xc3\xb6</a>".to_vec(),
                "<a>ö</a>".to_owned(),
            ),
            (
                "text/xml; charset=windows-1252",
                b"<a>\xf6</a>".to_vec(),
                "<a>ö</a>".to_owned(),
            ),
            (
                "text/xml; charset=shift_jis",
                b"<a>\x83n</a>".to_vec(),
                "<a>ハ</a>".to_owned(),
            ),
            ("", b"\xff\xfe<\0b\0>\0".to_vec(), "<b>".to_owned()),
            (
                "",
                b"{\"a\": \"\x80\"}".to_vec(),
                "{\"a\": \"€\"}".to_owned(),
            ),
            (
                "application/json; charset=utf-8",
                b"Bj\xc3\xb6rk \xf6 \xc3\xbc".to_vec(),
                "Björk \u{fffd} ü".to_owned(),
            ),
            (
                "application/json; charset=utf-8",
                b"Bj\xf6rk".to_vec(),
                "Björk".to_owned(),
            ),
        ] {
            assert_eq!(decode(label, &body), expected, "{label}");
        }
    }
}
