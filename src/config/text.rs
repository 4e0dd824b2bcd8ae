//! Texts as other tools leave them: the encoding of a file, what stands around a value, and what was never filled in.

use std::path::Path;

use sevendigital::text::is_invisible;

/// The text of a file, without a byte order mark. The error is the end of a sentence about the file.
pub(super) fn read(path: &Path) -> Result<String, String> {
    decoded(std::fs::read(path).map_err(|error| format!("can't be read: {error}"))?)
}

/// Bytes as text, without a byte order mark. The error is the end of a sentence about where they came from.
pub fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    // No text of ours holds a NUL; in UTF-16 every second byte of ASCII is one.
    let is_wide =
        bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || bytes.contains(&0);
    if is_wide {
        return Err(
            "is UTF-16, and must be UTF-8: save it anew, in PowerShell with `Set-Content -Encoding utf8`"
                .to_owned(),
        );
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| "is not UTF-8: save it anew in that encoding".to_owned())?;
    Ok(text
        .strip_prefix('\u{feff}')
        .map(str::to_owned)
        .unwrap_or(text))
}

/// A value without the line ends, blanks and byte order marks that tools and people leave around it.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c))
}

/// Empty, or a placeholder such as `${SECRET}` that the client which started us did not fill in.
pub(super) fn is_unset(value: &str) -> bool {
    let value = trimmed(value);
    value.is_empty() || (value.starts_with("${") && value.ends_with('}'))
}

/// Whether it stands where a key, an id or a country should, and is none: copied from a README, or a variable that nobody replaced.
pub(super) fn is_placeholder(value: &str) -> bool {
    let value = trimmed(value).trim_matches(['"', '\'', '`']);
    let only = |marks: &str| value.chars().all(|c| marks.contains(c));
    let around = |(open, close): &(char, char)| value.starts_with(*open) && value.ends_with(*close);
    let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_');
    let lower = value.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    let plain: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let bare = plain.trim_start_matches("sevendigital");
    value.contains('…')
        || only(".*-_?#")
        || (value.len() > 2 && only("xX"))
        || PAIRS.iter().any(around)
        || value.strip_prefix('$').is_some_and(is_name)
        || words.any(|word| WORDS.contains(&word))
        || PHRASES.contains(&bare)
        || NAMED.iter().any(|name| bare.starts_with(name))
}

/// What stands around the name of a value.
const PAIRS: [(char, char); 5] = [('<', '>'), ('[', ']'), ('{', '}'), ('(', ')'), ('%', '%')];
/// Words that no value has among its own.
const WORDS: [&str; 8] = [
    "your",
    "here",
    "changeme",
    "replaceme",
    "placeholder",
    "todo",
    "tbd",
    "undefined",
];
/// How a placeholder in one word begins.
const NAMED: [&str; 6] = [
    "yourkey",
    "yoursecret",
    "yourtoken",
    "yourconsumer",
    "youraccess",
    "youruser",
];
/// What whole values say, without what separates their words.
#[rustfmt::skip]
const PHRASES: [&str; 14] = [
    "changethis", "changeit", "replacethis", "fillme", "fillmein", "fillin", "redacted", "null",
    "consumerkey", "consumersecret", "accesstoken", "accesstokensecret", "changeme", "replaceme",
];
