//! One tree for every answer, written as XML or as JSON.

use quick_xml::escape::escape;
use serde_json::{Map, Value, json};

const SCHEMA: &str = "http://api.7digital.com/1.2/static/7digitalAPI.xsd";

/// An element: what it holds, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    fields: Vec<(&'static str, Field)>,
}

#[derive(Debug, Clone)]
enum Field {
    Attribute(Scalar),
    Element(Scalar),
    Text(Scalar),
    Child(Node),
    List(Vec<Node>),
    /// A list that has an element of its own around it in XML, whose items are called by the name here.
    Wrapped(&'static str, Vec<Node>),
}

/// A value without inner structure. Digits that are no number, such as a barcode, are `Text`.
#[derive(Debug, Clone)]
pub(crate) enum Scalar {
    Text(String),
    Number(u64),
    Flag(bool),
}

/// Whether the JSON form carries `status` and `version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Envelope {
    Full,
    /// As the documented answers of `unlimitedStreaming`.
    Bare,
}

impl Node {
    /// Adds a value that is an attribute in XML.
    pub(crate) fn attribute(mut self, name: &'static str, value: impl Into<Scalar>) -> Self {
        self.fields.push((name, Field::Attribute(value.into())));
        self
    }

    /// Adds a value that is an element in XML.
    pub(crate) fn element(mut self, name: &'static str, value: impl Into<Scalar>) -> Self {
        self.fields.push((name, Field::Element(value.into())));
        self
    }

    /// Adds the element's own text, which is `_` in JSON.
    pub(crate) fn text(mut self, value: impl Into<Scalar>) -> Self {
        self.fields.push(("_", Field::Text(value.into())));
        self
    }

    /// Adds an element with inner structure.
    pub(crate) fn child(mut self, name: &'static str, node: Node) -> Self {
        self.fields.push((name, Field::Child(node)));
        self
    }

    /// Adds a list: repeated elements in XML, always an array in JSON.
    pub(crate) fn list(mut self, name: &'static str, nodes: Vec<Node>) -> Self {
        self.fields.push((name, Field::List(nodes)));
        self
    }

    /// Adds a list that is one element with an element for each item in XML, and just an array in JSON.
    pub(crate) fn wrapped_list(
        mut self,
        name: &'static str,
        item: &'static str,
        nodes: Vec<Node>,
    ) -> Self {
        self.fields.push((name, Field::Wrapped(item, nodes)));
        self
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Scalar {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Scalar {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Scalar {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// Writes the payload as 7digital's XML, `status` being `ok` or `error`.
pub(crate) fn xml(payload: &Node, status: &str) -> Vec<u8> {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<response");
    out.push_str(" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"");
    out.push_str(" xsi:noNamespaceSchemaLocation=\"");
    out.push_str(SCHEMA);
    out.push_str("\" status=\"");
    out.push_str(status);
    out.push_str("\" version=\"1.2\"");
    write_content(&mut out, "response", payload);
    out.into_bytes()
}

/// Writes the payload as JSON, where attributes and elements look the same.
pub(crate) fn json(payload: &Node, status: &str, envelope: Envelope) -> Vec<u8> {
    let mut object = Map::new();
    if envelope == Envelope::Full {
        object.insert("status".to_owned(), json!(status));
        object.insert("version".to_owned(), json!("1.2"));
        if status == "ok" {
            object.insert("schema".to_owned(), json!(SCHEMA));
        }
    }
    object.extend(members(payload));
    Value::Object(object).to_string().into_bytes()
}

/// Finishes a start tag with the node's attributes, then writes its elements and the end tag.
fn write_content(out: &mut String, name: &str, node: &Node) {
    for (name, field) in &node.fields {
        if let Field::Attribute(value) = field {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            out.push_str(&text(value));
            out.push('"');
        }
    }
    let start = out.len();
    out.push('>');
    for (name, field) in &node.fields {
        match field {
            Field::Attribute(_) => {}
            Field::Element(value) => write_scalar(out, name, value),
            Field::Text(value) => out.push_str(&text(value)),
            Field::Child(node) => write_node(out, name, node),
            Field::List(nodes) => nodes.iter().for_each(|node| write_node(out, name, node)),
            Field::Wrapped(item, nodes) => {
                write_node(out, name, &Node::default().list(item, nodes.clone()));
            }
        }
    }
    if out.len() == start + 1 {
        out.truncate(start);
        out.push_str("/>");
    } else {
        write_end(out, name);
    }
}

fn write_node(out: &mut String, name: &str, node: &Node) {
    out.push('<');
    out.push_str(name);
    write_content(out, name, node);
}

fn write_scalar(out: &mut String, name: &str, value: &Scalar) {
    let text = text(value);
    out.push('<');
    out.push_str(name);
    if text.is_empty() {
        out.push_str("/>");
    } else {
        out.push('>');
        out.push_str(&text);
        write_end(out, name);
    }
}

fn write_end(out: &mut String, name: &str) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// The value as escaped XML text; XML 1.0 has no way to write control characters.
fn text(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => {
            let text: String = text.chars().filter(|char| !char.is_control()).collect();
            escape(text.as_str()).into_owned()
        }
        Scalar::Number(number) => number.to_string(),
        Scalar::Flag(flag) => flag.to_string(),
    }
}

fn members(node: &Node) -> Map<String, Value> {
    let member = |(name, field): &(&'static str, Field)| {
        let value = match field {
            Field::Attribute(value) | Field::Element(value) | Field::Text(value) => match value {
                Scalar::Text(text) => json!(text),
                Scalar::Number(number) => json!(number),
                Scalar::Flag(flag) => json!(flag),
            },
            Field::Child(node) => Value::Object(members(node)),
            Field::List(nodes) | Field::Wrapped(_, nodes) => {
                nodes.iter().map(members).map(Value::Object).collect()
            }
        };
        ((*name).to_owned(), value)
    };
    node.fields.iter().map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Node {
        let card = |id: u64, last: &str| {
            Node::default()
                .attribute("id", id)
                .element("last4digits", last)
        };
        Node::default().child(
            "cards",
            Node::default().list("card", vec![card(1, "0485"), card(2, "")]),
        )
    }

    #[test]
    fn xml_has_attributes_empty_elements_and_escaped_text() {
        let node = Node::default()
            .attribute("id", 7)
            .element("title", "Salt & <Sand>\u{0}")
            .element("version", "");
        let text = String::from_utf8(xml(&Node::default().child("release", node), "ok")).unwrap();
        assert!(
            text.ends_with(
                "status=\"ok\" version=\"1.2\"><release id=\"7\"><title>Salt &amp; &lt;Sand&gt;</title><version/></release></response>"
            ),
            "{text}"
        );
    }

    #[test]
    fn an_empty_payload_is_an_empty_response_element() {
        let text = String::from_utf8(xml(&Node::default(), "ok")).unwrap();
        assert!(text.ends_with("version=\"1.2\"/>"), "{text}");
    }

    #[test]
    fn json_keeps_lists_and_digit_strings() {
        let value: Value = serde_json::from_slice(&json(&sample(), "ok", Envelope::Bare)).unwrap();
        assert_eq!(
            value,
            json!({"cards": {"card": [{"id": 1, "last4digits": "0485"}, {"id": 2, "last4digits": ""}]}})
        );
        let empty = Node::default().list("card", vec![]);
        let value: Value = serde_json::from_slice(&json(&empty, "error", Envelope::Full)).unwrap();
        assert_eq!(
            value,
            json!({"status": "error", "version": "1.2", "card": []})
        );
    }
}
