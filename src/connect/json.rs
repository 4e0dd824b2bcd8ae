//! Edits of JSON, with or without comments: one piece of text goes in or out, and nothing else changes.

use std::ops::Range;

use jsonc_parser::ast::{Object, ObjectProp, Value as Node};
use jsonc_parser::common::Ranged;
use jsonc_parser::tokens::Token;
use jsonc_parser::{
    CollectOptions, CommentCollectionStrategy, ParseOptions, ParseResult, parse_to_ast,
};
use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::entry::Entry;
use super::error::{ConnectError, Result};
use super::facts::Syntax;
use super::found::Found;

/// A text, and where its servers stand.
pub(super) struct Servers<'a> {
    text: &'a str,
    key: &'a str,
    /// How the text is written; an edit leads to a text of the same kind.
    syntax: Syntax,
    /// The whole; nothing where the text holds no value yet.
    root: Option<Object<'a>>,
    /// Where the commas are, in their order.
    commas: Vec<Range<usize>>,
}

impl<'a> Servers<'a> {
    /// Reads a text of which the servers stand under `key`. The error is the end of a sentence about the file.
    pub(super) fn parse(text: &'a str, key: &'a str, syntax: Syntax) -> Result<Self> {
        // All that JSON does not allow, and no client reads, is off.
        let options = ParseOptions {
            allow_comments: syntax != Syntax::Json,
            allow_trailing_commas: syntax == Syntax::JsonWithCommas,
            allow_loose_object_property_names: false,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        };
        let collect = CollectOptions {
            comments: CommentCollectionStrategy::Off,
            tokens: true,
        };
        let ParseResult { value, tokens, .. } =
            parse_to_ast(text, &collect, &options).map_err(|error| {
                let (line, column) = (error.line_display(), error.column_display());
                let problem = error.kind().to_string().to_lowercase();
                ConnectError(format!(
                    "is not valid JSON at line {line}, column {column}: {problem}"
                ))
            })?;
        let root = match value {
            None => None,
            Some(Node::Object(root)) => Some(root),
            Some(other) => {
                let kind = kind(&other);
                return Err(ConnectError(format!(
                    "holds {kind} where an object with the key `{key}` should be"
                )));
            }
        };
        let tokens = tokens.into_iter().flatten();
        let commas = tokens.filter(|token| matches!(token.token, Token::Comma));
        let commas = commas.map(|token| token.range.start..token.range.end);
        Ok(Self {
            text,
            key,
            syntax,
            root,
            commas: commas.collect(),
        })
    }

    /// All entries, in their order.
    pub(super) fn entries(&self) -> Result<Vec<Found>> {
        let Some(servers) = self.servers()? else {
            return Ok(Vec::new());
        };
        let entry = |property: &ObjectProp| Found {
            name: property.name.as_str().to_owned(),
            value: property.value.clone().into(),
        };
        Ok(servers.properties.iter().map(entry).collect())
    }

    /// The text with an entry, in place of another of its name or before all others.
    pub(super) fn with(&self, name: &str, entry: &Entry) -> Result<String> {
        let Some(root) = &self.root else {
            let newline = self.newline();
            let before = if self.text.is_empty() || self.text.ends_with('\n') {
                ""
            } else {
                newline
            };
            let unit = self.unit();
            let member = self.table(name, entry, Some(unit));
            let whole = format!("{before}{{{newline}{unit}{member}{newline}}}{newline}");
            return Ok([self.text, &whole].concat());
        };
        let Some(servers) = self.servers()? else {
            let (at, piece) = self.piece(root, |indent| self.table(name, entry, indent));
            return Ok(self.replaced(at..at, &piece));
        };
        if let Some((_, there)) = property(servers, name)? {
            let value = there.value.range();
            let indent = self.own_line(there.start());
            let new = self.value(entry, indent);
            return Ok(self.replaced(value.start..value.end, &new));
        }
        let (at, piece) = self.piece(servers, |indent| self.member(name, entry, indent));
        Ok(self.replaced(at..at, &piece))
    }

    /// The text without the entry of that name, and without the table if that was all it had.
    pub(super) fn without(&self, name: &str) -> Result<String> {
        let Some(servers) = self.servers()? else {
            return Ok(self.text.to_owned());
        };
        let Some((index, _)) = property(servers, name)? else {
            return Ok(self.text.to_owned());
        };
        let edited = self.without_property(servers, index);
        let left = Servers::parse(&edited, self.key, self.syntax)?;
        let is_empty = left.servers()?.is_some_and(|table| left.is_blank(table));
        match &left.root {
            Some(root) if is_empty => {
                let table = property(root, self.key)?;
                Ok(table.map_or_else(
                    || edited.clone(),
                    |(index, _)| left.without_property(root, index),
                ))
            }
            _ => Ok(edited),
        }
    }

    /// The object under the key, if there is one.
    fn servers(&self) -> Result<Option<&Object<'a>>> {
        let Some(root) = &self.root else {
            return Ok(None);
        };
        match property(root, self.key)? {
            None => Ok(None),
            Some((_, found)) => match &found.value {
                Node::Object(servers) => Ok(Some(servers)),
                other => {
                    let (key, kind) = (self.key, kind(other));
                    Err(ConnectError(format!(
                        "has {kind} under `{key}`, where an object should be"
                    )))
                }
            },
        }
    }

    /// A new first member of an object: where it goes in, and its text with what separates it.
    fn piece(&self, object: &Object, member: impl Fn(Option<&str>) -> String) -> (usize, String) {
        let newline = self.newline();
        let open = object.range.start + 1;
        let inside = &self.text[open..object.range.end - 1];
        if let Some(first) = object.properties.first() {
            return match self.own_line(first.start()) {
                Some(indent) => {
                    let member = member(Some(indent));
                    (
                        self.behind_brace(open),
                        format!("{newline}{indent}{member},"),
                    )
                }
                None => (first.start(), format!("{}, ", member(None))),
            };
        }
        let outer = self.indent_of_line(open);
        let indent = [outer, self.unit()].concat();
        let member = member(Some(&indent));
        if inside.contains('\n') {
            (
                self.behind_brace(open),
                format!("{newline}{indent}{member}"),
            )
        } else {
            (open, format!("{newline}{indent}{member}{newline}{outer}"))
        }
    }

    /// Right behind the brace, or behind the comment that ends its line.
    fn behind_brace(&self, open: usize) -> usize {
        let line = self.text[open..].lines().next().unwrap_or_default();
        let rest = line.trim();
        let is_whole = rest.starts_with("/*") && rest.find("*/") == Some(rest.len() - 2);
        if rest.starts_with("//") || is_whole {
            open + line.len()
        } else {
            open
        }
    }

    /// The text without a property: with its comma, and with its line where nothing else stands there.
    fn without_property(&self, object: &Object, index: usize) -> String {
        let Some(property) = object.properties.get(index) else {
            return self.text.to_owned();
        };
        let range = property.range();
        let next = object.properties.get(index + 1).map(Ranged::start);
        let until = next.unwrap_or(object.range.end);
        let after = self.comma(range.end..until);
        let before = index.checked_sub(1).and_then(|before| {
            let previous = object.properties.get(before)?;
            self.comma(previous.end()..range.start)
        });
        let (mut start, mut end) = (range.start, range.end);
        if let Some(comma) = &after {
            end = comma.end;
        }
        let line = self.text[end..].lines().next().unwrap_or_default();
        let above = &self.text[object.range.start + 1..start];
        match self.own_line(start) {
            // The brace's own comment goes back to it.
            Some(_) if above.trim().is_empty() && line.trim().starts_with("/*") => {
                start -= above.len();
            }
            Some(indent) if line.trim().is_empty() => {
                start -= indent.len();
                let above = &self.text[..start];
                let above = above.strip_suffix('\n').unwrap_or(above);
                start = above.strip_suffix('\r').unwrap_or(above).len();
            }
            None if after.is_none() => {
                start = self.text[..start].trim_end_matches([' ', '\t']).len();
            }
            _ => end += line.len() - line.trim_start().len(),
        }
        let mut edited = self.replaced(start..end, "");
        if let (None, Some(comma)) = (after, before) {
            edited.replace_range(comma, "");
        }
        // An object that had nothing else is `{}`, as programs write it.
        let gone = self.text.len() - edited.len();
        let inside = object.range.start + 1..object.range.end - 1 - gone;
        if edited[inside.clone()].trim().is_empty() {
            edited.replace_range(inside, "");
        }
        edited
    }

    fn is_blank(&self, object: &Object) -> bool {
        let inside = &self.text[object.range.start + 1..object.range.end - 1];
        inside.trim().is_empty()
    }

    fn comma(&self, within: Range<usize>) -> Option<Range<usize>> {
        let mut commas = self.commas.iter();
        let comma = commas.find(|comma| within.contains(&comma.start));
        comma.cloned()
    }

    fn replaced(&self, range: Range<usize>, piece: &str) -> String {
        [&self.text[..range.start], piece, &self.text[range.end..]].concat()
    }

    /// The key with an entry below it. Without an indent all is on one line.
    fn table(&self, name: &str, entry: &Entry, indent: Option<&str>) -> String {
        let key = self.key;
        let Some(indent) = indent else {
            let member = self.member(name, entry, None);
            return format!("\"{key}\": {{{member}}}");
        };
        let (newline, inner) = (self.newline(), [indent, self.unit()].concat());
        let member = self.member(name, entry, Some(&inner));
        format!("\"{key}\": {{{newline}{inner}{member}{newline}{indent}}}")
    }

    fn member(&self, name: &str, entry: &Entry, indent: Option<&str>) -> String {
        format!("\"{name}\": {}", self.value(entry, indent))
    }

    /// An entry's text; its lines begin with the indent, the first apart.
    fn value(&self, entry: &Entry, indent: Option<&str>) -> String {
        let mut bytes = Vec::new();
        let format = PrettyFormatter::with_indent(self.unit().as_bytes());
        let written = if indent.is_some() {
            entry.serialize(&mut Serializer::with_formatter(&mut bytes, format))
        } else {
            entry.serialize(&mut Serializer::new(&mut bytes))
        };
        debug_assert!(written.is_ok(), "texts and numbers are always JSON");
        let text = String::from_utf8_lossy(&bytes);
        let line_start = [self.newline(), indent.unwrap_or_default()].concat();
        text.replace('\n', &line_start)
    }

    fn newline(&self) -> &'static str {
        if self.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        }
    }

    /// One level of indentation, as the first property has it.
    fn unit(&self) -> &str {
        let first = self.root.as_ref().and_then(|root| root.properties.first());
        let indent = first.and_then(|first| self.own_line(first.start()));
        indent.filter(|indent| !indent.is_empty()).unwrap_or("  ")
    }

    /// What stands before a position on its line.
    fn before_on_line(&self, position: usize) -> &str {
        let start = self.text[..position].rfind('\n').map_or(0, |end| end + 1);
        &self.text[start..position]
    }

    /// The indentation of a position that begins its line; nothing on the text's first line, or where something stands before.
    fn own_line(&self, position: usize) -> Option<&str> {
        let before = self.before_on_line(position);
        let is_first = before.len() == position;
        (before.trim().is_empty() && !is_first).then_some(before)
    }

    fn indent_of_line(&self, position: usize) -> &str {
        let before = self.before_on_line(position);
        &before[..before.len() - before.trim_start().len()]
    }
}

/// The property of that name, and its number.
fn property<'a, 'b>(
    object: &'b Object<'a>,
    name: &str,
) -> Result<Option<(usize, &'b ObjectProp<'a>)>> {
    let mut found = object.properties.iter().enumerate();
    let first = found.by_ref().find(|(_, each)| each.name.as_str() == name);
    if found.any(|(_, each)| each.name.as_str() == name) {
        return Err(ConnectError(format!(
            "has `{name}` twice: take one of them out"
        )));
    }
    Ok(first)
}

fn kind(value: &Node) -> &'static str {
    match value {
        Node::StringLit(_) => "a text",
        Node::NumberLit(_) => "a number",
        Node::BooleanLit(_) => "a truth value",
        Node::Object(_) => "an object",
        Node::Array(_) => "a list",
        Node::NullKeyword(_) => "`null`",
    }
}

/// A value on one line, a list's with spaces between them.
pub(super) fn one_line(value: &Value) -> String {
    match value {
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(one_line).collect();
            format!("[{}]", values.join(", "))
        }
        value => value.to_string(),
    }
}
