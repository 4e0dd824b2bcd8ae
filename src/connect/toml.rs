//! Edits of TOML: an entry is a table with a header of its own, which goes in at the end and out as it came.

use std::ops::Range;

use serde_json::Value;
use toml_edit::{Document, Item, Table, TableLike};

use super::entry::Entry;
use super::error::{ConnectError, Result};
use super::found::Found;
use super::json::one_line;
use crate::config::own_file::last_value;

/// All entries, in their order.
pub(super) fn entries(text: &str, key: &str) -> Result<Vec<Found>> {
    let document = parse(text)?;
    let Some(servers) = document.get(key) else {
        return Ok(Vec::new());
    };
    let entry = |(name, item): (&str, &Item)| Found {
        name: name.to_owned(),
        value: value(item),
    };
    Ok(table(servers, key)?.iter().map(entry).collect())
}

/// The text with an entry, in place of another of its name or at the end.
pub(super) fn with(text: &str, key: &str, name: &str, entry: &Entry) -> Result<String> {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let header = format!("[{key}.{name}]");
    let lines: Vec<String> = [header].into_iter().chain(lines(entry)).collect();
    let body = lines.join(newline);
    let pieces = pieces(text, key, name)?;
    if let Some(first) = pieces.first() {
        let mut edited = without_pieces(text, &pieces);
        edited.insert_str(first.start, &[&body, newline].concat());
        return Ok(edited);
    }
    let (before, after) = match text {
        "" => (String::new(), newline),
        text if text.ends_with('\n') => (newline.to_owned(), newline),
        // A text without an end to its last line stays one.
        _ => (newline.repeat(2), ""),
    };
    Ok([text, &before, &body, after].concat())
}

/// The text without the entry of that name.
pub(super) fn without(text: &str, key: &str, name: &str) -> Result<String> {
    let mut pieces = pieces(text, key, name)?;
    for piece in &mut pieces {
        // The blank line that was put before it.
        let mut above = &text[..piece.start];
        if let Some(rest) = without_newline(above).filter(|rest| rest.ends_with('\n')) {
            above = rest;
        }
        if piece.end == text.len() && !text.ends_with('\n') {
            above = without_newline(above).unwrap_or(above);
        }
        piece.start = above.len();
    }
    Ok(without_pieces(text, &pieces))
}

fn without_newline(text: &str) -> Option<&str> {
    let text = text.strip_suffix('\n')?;
    Some(text.strip_suffix('\r').unwrap_or(text))
}

fn without_pieces(text: &str, pieces: &[Range<usize>]) -> String {
    let mut edited = text.to_owned();
    for piece in pieces.iter().rev() {
        edited.replace_range(piece.clone(), "");
    }
    edited
}

fn parse(text: &str) -> Result<Document<&str>> {
    Document::parse(text).map_err(|error| {
        let before = &text[..error.span().map_or(0, |span| span.start)];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        // The rest of the error shows the line, and with it perhaps a secret.
        let problem = error.message().lines().next().unwrap_or_default();
        ConnectError(format!(
            "is not valid TOML at line {line}, column {column}: {problem}"
        ))
    })
}

fn table<'a>(item: &'a Item, key: &str) -> Result<&'a dyn TableLike> {
    item.as_table_like().ok_or_else(|| {
        let kind = item.type_name();
        ConnectError(format!(
            "has an {kind} under `{key}`, where a table should be"
        ))
    })
}

/// Where the entry stands: whole lines, from each of its headers to its last value.
fn pieces(text: &str, key: &str, name: &str) -> Result<Vec<Range<usize>>> {
    let document = parse(text)?;
    let Some(servers) = document.get(key) else {
        return Ok(Vec::new());
    };
    let by_hand = || {
        ConnectError(format!(
            "has `{key}.{name}` without a header `[{key}.{name}]`: edit it by hand"
        ))
    };
    let Some(entry) = table(servers, key)?.get(name) else {
        return match servers {
            Item::Table(_) => Ok(Vec::new()),
            _ => Err(by_hand()),
        };
    };
    let Item::Table(entry) = entry else {
        return Err(by_hand());
    };
    if entry.is_dotted() {
        return Err(by_hand());
    }
    let mut pieces = Vec::new();
    add_pieces(entry, &mut pieces);
    for piece in &mut pieces {
        piece.start = text[..piece.start].rfind('\n').map_or(0, |end| end + 1);
        let rest = text[piece.end..].find('\n');
        piece.end = rest.map_or(text.len(), |rest| piece.end + rest + 1);
    }
    pieces.sort_by_key(|piece| piece.start);
    Ok(pieces)
}

/// A piece for each header: of the table itself, unless it has none, and of the tables below it.
fn add_pieces(table: &Table, pieces: &mut Vec<Range<usize>>) {
    let has_header = !table.is_implicit() && !table.is_dotted();
    if let Some(header) = table.span().filter(|_| has_header) {
        pieces.push(header.start..header.end.max(last_value(table)));
    }
    for (_, item) in table {
        match item {
            Item::Table(below) => add_pieces(below, pieces),
            Item::ArrayOfTables(tables) => {
                tables.iter().for_each(|below| add_pieces(below, pieces));
            }
            _ => {}
        }
    }
}

/// A line for each field. Texts, numbers and lists of them are written in TOML as in JSON.
fn lines(entry: &Entry) -> Vec<String> {
    fn add(path: &str, value: &Value, lines: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    add(&format!("{path}.{key}"), value, lines);
                }
            }
            value => lines.push(format!("{path} = {}", one_line(value))),
        }
    }
    let mut lines = Vec::new();
    for (key, value) in &entry.0 {
        add(key, value, &mut lines);
    }
    lines
}

/// The same as JSON. What JSON lacks, such as a date, is its text.
fn value(item: &Item) -> Value {
    if let Some(table) = item.as_table_like() {
        let fields = table.iter();
        return fields
            .map(|(key, item)| (key.to_owned(), value(item)))
            .collect::<serde_json::Map<_, _>>()
            .into();
    }
    if let Some(tables) = item.as_array_of_tables() {
        let tables = tables.iter();
        return tables
            .map(|table| value(&Item::Table(table.clone())))
            .collect();
    }
    match item.as_value() {
        Some(toml_edit::Value::Array(values)) => {
            let values = values.iter();
            values
                .map(|each| value(&Item::Value(each.clone())))
                .collect()
        }
        Some(toml_edit::Value::Integer(number)) => (*number.value()).into(),
        Some(toml_edit::Value::Float(number)) => (*number.value()).into(),
        Some(toml_edit::Value::Boolean(truth)) => (*truth.value()).into(),
        Some(toml_edit::Value::String(text)) => text.value().as_str().into(),
        Some(toml_edit::Value::Datetime(time)) => time.value().to_string().into(),
        Some(toml_edit::Value::InlineTable(_)) | None => Value::Null,
    }
}
