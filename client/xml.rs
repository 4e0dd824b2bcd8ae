//! XML to JSON: attributes and children become keys, repeated children a list, namespaces and their noise go.

use std::borrow::Cow;

use quick_xml::escape::{escape, resolve_html5_entity};
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

use crate::error::Unreadable;
use crate::json::insert;

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 64;
/// Attributes on one element at most.
const MAX_ATTRIBUTES: usize = 64;
/// Elements and attributes in one document at most.
const MAX_NODES: usize = 250_000;

/// The root element's name and its content.
///
/// `xmlns` and `xsi` attributes are dropped, `xsi:nil="true"` is null, and text beside attributes or children is `_`.
/// HTML's named entities are read besides XML's own; any other, and a lone `&`, is the text that it is. Nothing is ever expanded or fetched.
pub(crate) fn parse(text: &str) -> Result<(String, Value), Unreadable> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().allow_dangling_amp = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut nodes = 0;
    loop {
        let event = reader.read_event().map_err(|_| BROKEN)?;
        let closed = match event {
            Event::Start(start) => {
                open.push(Element::open(&start, &mut nodes)?);
                if open.len() > MAX_DEPTH {
                    return Err(Unreadable::Xml("XML nested too deeply"));
                }
                None
            }
            Event::Empty(start) => Some(Element::open(&start, &mut nodes)?),
            Event::End(_) => open.pop(),
            Event::Text(text) => {
                append(&mut open, &text.xml10_content())?;
                None
            }
            Event::CData(text) => {
                append(&mut open, &text.xml10_content())?;
                None
            }
            Event::GeneralRef(reference) => {
                append(&mut open, &resolved(&reference.xml10_content()))?;
                None
            }
            Event::DocType(_) => return Err(Unreadable::Xml("XML with a document type")),
            Event::Eof => {
                let whole = root.filter(|_| open.is_empty());
                return whole.ok_or(Unreadable::Xml("XML that ends too early"));
            }
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => None,
        };
        if let Some(element) = closed {
            match open.last_mut() {
                Some(parent) => {
                    let (name, value) = element.close();
                    insert(&mut parent.fields, name, value);
                }
                None if root.is_some() => return Err(Unreadable::Xml("XML with a second root")),
                None => root = Some(element.close()),
            }
        }
    }
}

/// Not the parser's own words, which quote the answer.
const BROKEN: Unreadable = Unreadable::Xml("broken XML");

/// An element whose end has not been seen yet.
struct Element {
    name: String,
    fields: Map<String, Value>,
    text: String,
    nil: bool,
}

impl Element {
    fn open(start: &BytesStart<'_>, nodes: &mut usize) -> Result<Self, Unreadable> {
        let mut element = Self {
            name: start.local_name().as_ref().to_owned(),
            fields: Map::new(),
            text: String::new(),
            nil: false,
        };
        // quick-xml's own check for doubled attributes is quadratic, hence the limit and our own `insert`.
        for (count, attribute) in start.attributes().with_checks(false).enumerate() {
            let attribute = attribute.map_err(|_| BROKEN)?;
            let value = Attribute {
                value: mended(&attribute.value),
                ..attribute
            };
            let value = value
                .normalized_value(XmlVersion::Explicit1_0)
                .map_err(|_| BROKEN)?;
            if count >= MAX_ATTRIBUTES {
                return Err(Unreadable::Xml("XML with too many attributes"));
            }
            *nodes += 1;
            let (key, local) = (attribute.key.as_ref(), attribute.key.local_name());
            match local.as_ref() {
                // Whatever the prefix is: nothing else in 7digital's answers has attributes of another namespace by these names.
                "nil" if key.contains(':') => element.nil = value == "true" || value == "1",
                "schemaLocation" | "noNamespaceSchemaLocation" if key.contains(':') => {}
                _ if key == "xmlns" || key.starts_with("xmlns:") || key.starts_with("xsi:") => {}
                _ => {
                    insert(
                        &mut element.fields,
                        local.as_ref().to_owned(),
                        Value::String(value.into_owned()),
                    );
                }
            }
        }
        *nodes += 1;
        if *nodes > MAX_NODES {
            return Err(Unreadable::Xml("XML with too many elements"));
        }
        Ok(element)
    }

    fn close(self) -> (String, Value) {
        let blank = self.text.trim().is_empty();
        let value = if self.fields.is_empty() {
            match (self.nil, blank) {
                (true, true) => Value::Null,
                (_, true) => Value::String(String::new()),
                (_, false) => Value::String(self.text),
            }
        } else {
            let mut fields = self.fields;
            if !blank {
                insert(
                    &mut fields,
                    "_".to_owned(),
                    Value::String(self.text.trim().to_owned()),
                );
            }
            Value::Object(fields)
        };
        (self.name, value)
    }
}

/// What stands for a reference: a character, an entity's text, or for an unknown one what was written.
fn resolved(reference: &str) -> Cow<'_, str> {
    if let Some(number) = reference.strip_prefix('#') {
        let digits = number.strip_prefix(['x', 'X']);
        let code = match digits {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        let character = code.ok().and_then(char::from_u32);
        let character = character.filter(|c| *c != '\0');
        return character
            .unwrap_or(char::REPLACEMENT_CHARACTER)
            .to_string()
            .into();
    }
    match resolve_html5_entity(reference) {
        Some(text) => text.into(),
        None => format!("&{reference};").into(),
    }
}

/// A text with its references resolved. A lone `&` stays.
pub(crate) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains(';') {
        return text.into();
    }
    with_references(text, resolved, "&")
}

/// An attribute's value in which each `&` begins a reference that XML knows.
fn mended(value: &str) -> Cow<'_, str> {
    with_references(value, known_to_xml, "&amp;")
}

fn known_to_xml(reference: &str) -> Cow<'_, str> {
    match resolved(reference) {
        // The parser tells a line break that is written as a reference from one that is not.
        character if reference.starts_with('#') && character != "\u{fffd}" => {
            format!("&{reference};").into()
        }
        text => escape(text),
    }
}

/// A text with something else in the place of each reference, and of each `&` that begins none.
fn with_references<'a>(
    text: &'a str,
    reference: fn(&str) -> Cow<'_, str>,
    lone: &str,
) -> Cow<'a, str> {
    if !text.contains('&') {
        return text.into();
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '#';
    let mut parts = text.split('&');
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let named = part.split_once(';');
        let named = named.filter(|(name, _)| !name.is_empty() && name.chars().all(is_part));
        if let Some((name, rest)) = named {
            written.push_str(&reference(name));
            written.push_str(rest);
        } else {
            written.push_str(lone);
            written.push_str(part);
        }
    }
    written.into()
}

fn append(open: &mut [Element], text: &str) -> Result<(), Unreadable> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(Unreadable::Xml("text beside XML")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_become_json() {
        for (xml, expected) in [
            (
                "<response status=\"ok\" version=\"1.2\"/>",
                json!({"status": "ok", "version": "1.2"}),
            ),
            (
                "<?xml version=\"1.0\"?>\n<response>\n  <a>1</a>\n</response>\n",
                json!({"a": "1"}),
            ),
            (
                "<response><a>1</a><a>2</a><a>3</a></response>",
                json!({"a": ["1", "2", "3"]}),
            ),
            (
                "<response><a id=\"1\"><b/></a></response>",
                json!({"a": {"id": "1", "b": ""}}),
            ),
            (
                "<response><price code=\"GBP\">£</price></response>",
                json!({"price": {"code": "GBP", "_": "£"}}),
            ),
            (
                "<response xmlns:xsi=\"urn:i\" xsi:noNamespaceSchemaLocation=\"urn:s\"><a xsi:nil=\"true\"/></response>",
                json!({"a": null}),
            ),
            (
                "<x:response xmlns:x=\"urn:x\"><x:a x:b=\"1\">t</x:a></x:response>",
                json!({"a": {"b": "1", "_": "t"}}),
            ),
            (
                "<response><a>Tom &amp; Jerry &#x1F3B5;&lt;&#60;</a></response>",
                json!({"a": "Tom & Jerry 🎵<<"}),
            ),
            (
                "<response><a><![CDATA[<b> & c]]></a></response>",
                json!({"a": "<b> & c"}),
            ),
            (
                "<response><a id=\"1\"><id>2</id></a></response>",
                json!({"a": {"id": ["1", "2"]}}),
            ),
            (
                "<response><!-- note --><a> in </a></response>",
                json!({"a": " in "}),
            ),
            (
                "<response><a b=\"x?c=1&d=2&amp;e&#10;&eacute;\">&eacute;t&eacute;&nbsp;&#0;</a></response>",
                json!({"a": {"b": "x?c=1&d=2&e\né", "_": "été\u{a0}\u{fffd}"}}),
            ),
            (
                "<response><a>Tom & Jerry, AT&T; R&B & &lol; &</a></response>",
                json!({"a": "Tom & Jerry, AT&T; R&B & &lol; &"}),
            ),
        ] {
            let expected = ("response".to_owned(), expected);
            assert_eq!(parse(xml).unwrap(), expected, "{xml}");
        }
    }

    #[test]
    fn hostile_and_broken_documents_are_errors() {
        let deep = "<a>".repeat(10_000);
        let attributes: String = (0..1_000_000).fold(String::new(), |all, n| {
            all + " a" + &n.to_string() + "=\"\""
        });
        let many = format!("<a>{}</a>", "<b/>".repeat(1_000_000));
        for (xml, expected) in [
            (
                "<!DOCTYPE lolz [<!ENTITY lol \"lol\">]><a>&lol;</a>",
                "XML with a document type",
            ),
            (
                "<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/x\"><a/>",
                "XML with a document type",
            ),
            ("<a><b></a>", "broken XML"),
            ("<a>", "XML that ends too early"),
            ("", "XML that ends too early"),
            ("text", "text beside XML"),
            ("<a/>text", "text beside XML"),
            ("<a/><b/>", "XML with a second root"),
            ("<a/><b>", "XML that ends too early"),
            (&deep, "XML nested too deeply"),
            (&format!("<a{attributes}/>"), "XML with too many attributes"),
            (&many, "XML with too many elements"),
        ] {
            let start: String = xml.chars().take(60).collect();
            assert_eq!(parse(xml), Err(Unreadable::Xml(expected)), "{start}");
        }
    }
}
