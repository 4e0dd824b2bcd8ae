//! JSON schemas that every client can read: no references, unions, nulls, formats or dialects.

use schemars::JsonSchema;
use schemars::generate::{Contract, SchemaSettings};
use serde_json::{Map, Value, json};

/// The schema of arguments.
pub(crate) fn input<T: JsonSchema>() -> Map<String, Value> {
    root::<T>(Contract::Deserialize)
}

/// The schema of a document as clients see it: without the inside of fields that are marked with [`BRIEF`].
pub(crate) fn output<T: JsonSchema>() -> Map<String, Value> {
    let mut schema = whole::<T>();
    schema.values_mut().for_each(shorten);
    schema
}

/// The schema of a document with all its fields.
pub(crate) fn whole<T: JsonSchema>() -> Map<String, Value> {
    root::<T>(Contract::Deserialize)
}

/// Marks a field whose inside another tool describes: each tool would repeat it, and every client pays for its length.
const BRIEF: &str = "x-brief";

fn shorten(schema: &mut Value) {
    let Value::Object(fields) = schema else {
        return;
    };
    if fields.remove(BRIEF).is_some() {
        fields.remove("properties");
        fields.remove("required");
    }
    fields.values_mut().for_each(shorten);
}

fn root<T: JsonSchema>(contract: Contract) -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
        settings.contract = contract;
    });
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    tidy(&mut schema);
    let Value::Object(mut schema) = schema else {
        return Map::new();
    };
    schema.remove("title");
    // The descriptions of the Rust types are for programmers; a tool has its own.
    schema.remove("description");
    schema.entry("properties").or_insert_with(|| json!({}));
    schema.entry("required").or_insert_with(|| json!([]));
    schema
}

/// Takes out what one client or another can't read (Gemini, OpenAI, Claude Desktop; each has refused a whole list for one of these).
fn tidy(schema: &mut Value) {
    let Value::Object(fields) = schema else {
        return;
    };
    fields.remove("$schema");
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
    for (key, value) in fields.iter_mut() {
        match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => properties.values_mut().for_each(tidy),
            ("items" | "additionalProperties", inner) => tidy(inner),
            _ => {}
        }
    }
}
