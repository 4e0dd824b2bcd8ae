//! The user's own configuration file, as `setup` writes it: some values change, and every other byte stays.

use std::path::{Path, PathBuf};

use serde_json::Value;
use sevendigital::Secret;
use toml_edit::{Document, Item, Table};

use super::error::{ConfigError, Fault};
use super::private_file;
use super::text::{self, is_placeholder, is_unset, trimmed};

/// What a new file begins with.
const HEAD: &str =
    "# Settings of sevendigital-mcp. Keep this file to yourself: it may hold secrets.\n";

/// Sets values in the file, each a text or a list of texts. The file is made if there is none, and is readable by its owner alone afterwards.
pub fn set(path: &Path, values: &[(&str, Value)]) -> Result<(), ConfigError> {
    let path = behind_links(path);
    let wrong = |problem: &str| {
        let shown = path.display();
        ConfigError::of(
            Fault::File,
            format!("configuration file `{shown}` {problem}"),
        )
    };
    let mut text = if path.exists() {
        text::read(&path).map_err(|problem| wrong(&problem))?
    } else {
        HEAD.to_owned()
    };
    for (key, value) in values {
        text = with(&text, key, value).map_err(|problem| wrong(&problem))?;
    }
    private_file::write(&path, &text)
        .map_err(|error| wrong(&format!("can't be written, and is as it was: {error}")))
}

/// The file that a link leads to, also where there is none yet: the link stays one.
fn behind_links(path: &Path) -> PathBuf {
    /// As many as Linux follows.
    const MAX_LINKS: usize = 40;
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = path.read_link() else { break };
        path.set_file_name(target);
    }
    path
}

/// A key or secret as a person types or pipes it; nothing where it is empty. The error never shows it.
pub fn credential(text: &str) -> Result<Option<Secret>, String> {
    let text = trimmed(text);
    if text.is_empty() {
        return Ok(None);
    }
    if is_unset(text) || is_placeholder(text) {
        return Err("that is a placeholder: expected what 7digital gave you".to_owned());
    }
    if !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err(
            "there is a blank or an invisible character inside: copy it anew, without what stands around it"
                .to_owned(),
        );
    }
    Ok(Some(text.into()))
}

/// The same out of a file. The error is the end of a sentence about the file.
pub fn credential_of_file(path: &Path) -> Result<Secret, String> {
    let secret = credential(&text::read(path)?);
    let secret = secret.map_err(|problem| format!("is not used: {problem}"))?;
    secret.ok_or_else(|| "is empty".to_owned())
}

/// The text with a value: in place of the one before, else below the last value that stands above all tables.
fn with(text: &str, key: &str, value: &Value) -> Result<String, String> {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    // Texts without control characters, and lists of them, are written in TOML as in JSON.
    let value = value.to_string();
    let document = parse(text)?;
    let mut edited = text.to_owned();
    if let Some(item) = document.get(key) {
        let span = item.as_value().and_then(toml_edit::Value::span);
        let span = span.ok_or_else(|| format!("has a table `{key}`, where a value should be"))?;
        edited.replace_range(span, &value);
    } else {
        let (at, before) = place(text, document.as_table(), newline);
        edited.insert_str(at, &format!("{before}{key} = {value}{newline}"));
    }
    parse(&edited)?;
    Ok(edited)
}

/// Where a new value goes, and what has to stand before it.
fn place<'a>(text: &str, table: &Table, newline: &'a str) -> (usize, &'a str) {
    let end = match last_value(table) {
        0 if table.is_empty() => text.len(),
        // Above the first header, and what is said of it.
        0 => return (0, ""),
        end => end,
    };
    match text[end..].find('\n') {
        Some(rest) => (end + rest + 1, ""),
        None if end == text.len() && (text.is_empty() || text.ends_with('\n')) => (end, ""),
        None => (text.len(), newline),
    }
}

fn parse(text: &str) -> Result<Document<&str>, String> {
    // The parser's own message would show the line, and with it perhaps a secret.
    Document::parse(text)
        .map_err(|_| "is not TOML that can be added to: edit it by hand".to_owned())
}

/// Where the last value of a table ends that stands below no other header: 0 without one, or without spans.
pub fn last_value(table: &Table) -> usize {
    let ends = table.iter().map(|(_, item)| match item {
        Item::Value(value) => value.span().map_or(0, |span| span.end),
        Item::Table(below) if below.is_dotted() => last_value(below),
        _ => 0,
    });
    ends.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_goes_in_and_every_other_byte_stays() {
        #[rustfmt::skip]
        let rows = [
            ("", "country = \"GB\"\n"),
            ("# mine", "# mine\ncountry = \"GB\"\n"),
            ("# mine\n", "# mine\ncountry = \"GB\"\n"),
            ("hints = 'accurate' # why\n\n# limits\n[limits]\nmax_sessions = 5\n", "hints = 'accurate' # why\ncountry = \"GB\"\n\n# limits\n[limits]\nmax_sessions = 5\n"),
            ("# mine\n[limits]\n", "country = \"GB\"\n# mine\n[limits]\n"),
            ("limits.max_sessions = 5", "limits.max_sessions = 5\ncountry = \"GB\"\n"),
            ("country = '' # here\r\nhints = \"accurate\"\r\n", "country = \"GB\" # here\r\nhints = \"accurate\"\r\n"),
            ("tools = [\n  'a', # one\n]\r\n[[principals]]\n", "tools = [\n  'a', # one\n]\r\ncountry = \"GB\"\r\n[[principals]]\n"),
        ];
        for (before, after) in rows {
            assert_eq!(with(before, "country", &json!("GB")).unwrap(), after);
        }
        for broken in ["country = 1\ncountry = 2", "canary", "[country]\n"] {
            let error = with(broken, "country", &json!("GB")).unwrap_err();
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_credential_is_trimmed_and_a_placeholder_is_none() {
        let read = |text| credential(text).map(|it| it.map(|it| it.expose().to_owned()));
        assert_eq!(read("\u{feff} k3y+/=\r\n"), Ok(Some("k3y+/=".to_owned())));
        assert_eq!(read(" \n"), Ok(None));
        for text in ["${SECRET}", "<your key>", "two words", "a\u{200b}b"] {
            let error = read(text).unwrap_err();
            assert!(!error.contains(text), "{error}");
        }
    }
}
