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

/// The schema of arguments as clients see it.
pub(crate) fn input<T: JsonSchema>() -> Map<String, Value> {
    let mut schema = Schema::from(whole::<T>());
    RecursiveTransform(unmark).transform(&mut schema);
    std::mem::take(schema.ensure_object())
}

/// The schema of a document as clients see it: without the inside of fields that are marked with [`BRIEF`].
pub(crate) fn output<T: JsonSchema>() -> Map<String, Value> {
    let mut schema = Schema::from(whole::<T>());
    RecursiveTransform(shorten).transform(&mut schema);
    RecursiveTransform(unmark).transform(&mut schema);
    std::mem::take(schema.ensure_object())
}

/// Marks a field whose inside another tool describes: each tool would repeat it, and every client pays for its length.
const BRIEF: &str = "x-brief";

/// Marks a type, or a field whose type is none of its own, with the kind of its values, for our own use (`declared.rs`).
pub(crate) const KIND: &str = "x-kind";

fn unmark(schema: &mut Schema) {
    schema.remove(KIND);
}

fn shorten(schema: &mut Schema) {
    if schema.remove(BRIEF).is_some() {
        schema.remove("properties");
        schema.remove("required");
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
