//! JSON schemas that every client can read: no references, unions, nulls, formats or dialects.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform as _};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

/// The schema of arguments, or of a document with all its fields.
pub(crate) fn whole<T: JsonSchema>() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    let settings = settings.with_transform(RecursiveTransform(tidy));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("title");
    // The descriptions of the Rust types are for programmers; a tool has its own.
    schema.remove("description");
    let fields = schema.ensure_object();
    fields.entry("properties").or_insert_with(|| json!({}));
    fields.entry("required").or_insert_with(|| json!([]));
    std::mem::take(fields)
}

/// The schema of arguments, as REST describes it.
pub(crate) fn input<T: JsonSchema>() -> Map<String, Value> {
    transformed::<T>(&[unmark])
}

/// The schema of a document, as REST describes it: without the inside of fields that are marked with [`BRIEF`].
pub(crate) fn output<T: JsonSchema>() -> Map<String, Value> {
    transformed::<T>(&[shorten, unmark])
}

/// The schema of arguments as MCP lists it. A text that is too long is refused in words, so its limit is left out.
pub(crate) fn listed_input<T: JsonSchema>() -> Map<String, Value> {
    transformed::<T>(&[unmark, |schema| drop(schema.remove("maxLength"))])
}

/// The schema of a document as MCP lists it: every field of the payload with its type, and words only where its name does not say it ([`HELP`]).
///
/// Each client pays for the list in every conversation. Whatever meets the whole schema meets this one.
pub(crate) fn listed_output<T: JsonSchema>() -> Map<String, Value> {
    transformed::<T>(&[shorten, condense, unmark])
}

fn transformed<T: JsonSchema>(transforms: &[fn(&mut Schema)]) -> Map<String, Value> {
    let mut schema = Schema::from(whole::<T>());
    for transform in transforms {
        RecursiveTransform(*transform).transform(&mut schema);
    }
    std::mem::take(schema.ensure_object())
}

/// Marks a field whose inside another tool describes: each tool would repeat it, and every client pays for its length.
const BRIEF: &str = "x-brief";

/// Marks a field whose description a model needs, since its name does not say it.
const HELP: &str = "x-help";

/// Marks a field that MCP's list leaves out: it stands around every payload, or only few answers have it.
const UNLISTED: &str = "x-unlisted";

/// Marks a type, or a field whose type is none of its own, with the kind of its values, for our own use (`declared.rs`).
pub(crate) const KIND: &str = "x-kind";

fn unmark(schema: &mut Schema) {
    for mark in [KIND, HELP, UNLISTED] {
        schema.remove(mark);
    }
}

fn shorten(schema: &mut Schema) {
    if schema.remove(BRIEF).is_some() {
        schema.remove("properties");
        schema.remove("required");
    }
}

fn condense(schema: &mut Schema) {
    if schema.get(HELP).is_none() {
        schema.remove("description");
    }
    if schema.get("required") == Some(&json!([])) {
        schema.remove("required");
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.retain(|_, property| property.get(UNLISTED).is_none());
    }
}

/// Takes out what one client or another can't read (Gemini, OpenAI, Claude Desktop; each has refused a whole list for one of these).
fn tidy(schema: &mut Schema) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    fields.remove("format");
    fields.remove("default");
    fields.remove("writeOnly");
    if fields.get("additionalProperties") == Some(&Value::Bool(true)) {
        fields.remove("additionalProperties");
    }
    // `Option<T>`: null is accepted, but the schema does not offer it.
    if let Some(Value::Array(kinds)) = fields.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            fields.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = fields.get_mut("enum") {
        choices.retain(|choice| !choice.is_null());
    }
    if let Some(Value::Array(mut choices)) = fields.remove("anyOf") {
        choices.retain(|choice| choice != &json!({"type": "null"}));
        if let [Value::Object(only)] = choices.as_slice() {
            for (key, value) in only {
                fields.entry(key.clone()).or_insert_with(|| value.clone());
            }
        } else {
            fields.insert("anyOf".into(), Value::Array(choices));
        }
    }
}
