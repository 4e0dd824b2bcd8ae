//! Documents for people: values by name, and each list as a table.

use std::io::{self, Write as _};

use serde_json::Value;

use super::terminal::HEADING;
use super::{table, terminal};

/// Columns that say what a row is, in the order in which they are read; the others follow.
const FIRST: [&str; 5] = ["id", "title", "name", "artist", "type"];

/// Prints a document on stdout.
pub(super) fn print(document: &Value) -> io::Result<()> {
    let mut parts = Parts::default();
    parts.add("", document);
    let mut out = anstream::stdout().lock();
    let names = parts.values.iter().map(|(name, _)| name.len());
    let width = names.max().unwrap_or_default();
    for (name, value) in &parts.values {
        writeln!(out, "{HEADING}{name:<width$}{HEADING:#}  {value}")?;
    }
    let mut has_more = false;
    for (name, rows) in &parts.lists {
        let list = List::new(rows);
        let (text, is_cut) = table::fitting(&list.headings(), list.rows(), terminal::width());
        has_more |= is_cut || list.is_short;
        write!(out, "\n{HEADING}{name}{HEADING:#}\n\n{text}")?;
    }
    if has_more {
        terminal::note("this is not all: `--json` prints all");
    }
    Ok(())
}

/// A document in two parts: single values, and lists of objects, each by its path.
#[derive(Default)]
struct Parts<'a> {
    values: Vec<(String, String)>,
    lists: Vec<(String, &'a [Value])>,
}

impl<'a> Parts<'a> {
    fn add(&mut self, path: &str, value: &'a Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.add(&joined(path, name), value);
                }
            }
            Value::Array(items) if items.iter().any(Value::is_object) => {
                self.lists.push((path.to_owned(), items));
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(text).collect();
                self.values.push((path.to_owned(), items.join(", ")));
            }
            value => self.values.push((path.to_owned(), text(value))),
        }
    }
}

fn joined(path: &str, name: &str) -> String {
    let dot = if path.is_empty() { "" } else { "." };
    [path, dot, name].concat()
}

/// A value on one line.
fn text(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// A list of objects as rows with the same columns.
struct List {
    /// What each row has: path and text.
    cells: Vec<Vec<(String, String)>>,
    /// The paths of all rows, in the order of the columns.
    paths: Vec<String>,
    /// Whether the rows have more than the cells say.
    is_short: bool,
}

impl List {
    fn new(rows: &[Value]) -> Self {
        let mut list = Self {
            cells: Vec::new(),
            paths: Vec::new(),
            is_short: false,
        };
        for row in rows {
            let mut cells = Vec::new();
            list.is_short |= flatten(&mut cells, "", row);
            list.paths
                .extend(cells.iter().map(|(path, _)| path.clone()));
            list.cells.push(cells);
        }
        list.paths.sort_by(|one, other| {
            let rank = |path| FIRST.iter().position(|first| *first == last(path));
            let rank = |path| rank(path).unwrap_or(FIRST.len());
            (rank(one), one).cmp(&(rank(other), other))
        });
        list.paths.dedup();
        list
    }

    /// The last name of each path, or the whole path where another ends with the same name.
    fn headings(&self) -> Vec<String> {
        let is_alone = |path: &str| {
            let same = self.paths.iter().filter(|other| last(other) == last(path));
            same.count() == 1
        };
        let heading = |path: &String| if is_alone(path) { last(path) } else { path }.to_owned();
        self.paths.iter().map(heading).collect()
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |cells: &Vec<(String, String)>| {
            let cell = |path: &String| {
                let cell = cells.iter().find(|(other, _)| other == path);
                cell.map(|(_, text)| text.clone()).unwrap_or_default()
            };
            self.paths.iter().map(cell).collect()
        };
        self.cells.iter().map(row).collect()
    }
}

/// Adds the cells of a value: none for what is empty or a link, one for an object that has a name, and for a list its length. Says whether the value has more than that.
fn flatten(cells: &mut Vec<(String, String)>, path: &str, value: &Value) -> bool {
    let name = value.get("name").filter(|_| !path.is_empty());
    let text = match value {
        Value::Object(fields) if name.is_none() => {
            let parts = fields.iter();
            let parts = parts.map(|(name, value)| flatten(cells, &joined(path, name), value));
            return parts.fold(false, |any, is_short| any | is_short);
        }
        Value::Array(items) => items.len().to_string(),
        value => text(name.unwrap_or(value)),
    };
    let is_link = text.contains("://");
    if !text.is_empty() && !is_link {
        cells.push((path.to_owned(), text));
    }
    is_link || value.is_object() || value.is_array()
}

/// The last name of a path.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
