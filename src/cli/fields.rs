//! The fields of a tool's arguments as flags, made from its contract.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches};
use serde_json::{Map, Value};
use sevendigital_tools::{AnyTool, Arguments};

/// A field of a tool's arguments. The fields inside `body` have flags of their own.
pub(super) struct Field {
    /// The names that lead to it, such as `body` and `cardId`.
    path: Vec<String>,
    schema: Map<String, Value>,
    /// Whether a call without it is wrong.
    pub(super) is_required: bool,
}

/// The fields of a tool, the required ones first.
pub(super) fn fields(tool: &AnyTool) -> Vec<Field> {
    let mut fields = Vec::new();
    collect(&mut fields, &[], &tool.input_schema());
    fields.sort_by_key(|field| !field.is_required);
    fields
}

fn collect(fields: &mut Vec<Field>, path: &[String], schema: &Map<String, Value>) {
    let required = schema.get("required").and_then(Value::as_array);
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        let Value::Object(property) = property else {
            continue;
        };
        let path = [path, std::slice::from_ref(name)].concat();
        if property.contains_key("properties") {
            collect(fields, &path, property);
        } else {
            fields.push(Field {
                path,
                schema: property.clone(),
                is_required: required.is_some_and(|names| names.contains(&name.as_str().into())),
            });
        }
    }
}

impl Field {
    /// The name of its flag: `page-size` for `pageSize`.
    pub(super) fn flag(&self) -> String {
        let mut flag = String::new();
        for c in self.path.last().into_iter().flat_map(|name| name.chars()) {
            if c.is_ascii_uppercase() {
                flag.push('-');
            }
            flag.push(c.to_ascii_lowercase());
        }
        flag
    }

    /// Its flag, with the contract's description as its help.
    pub(super) fn argument(&self) -> Arg {
        let help = self.text("description").trim_end_matches('.');
        let required = if self.is_required { " [required]" } else { "" };
        let argument = Arg::new(self.id()).long(self.flag());
        let argument = argument.help(format!("{help}{required}"));
        let choices = self.schema.get("enum").and_then(Value::as_array);
        if let Some(choices) = choices {
            let choices = choices.iter().filter_map(Value::as_str).map(str::to_owned);
            return argument.value_parser(PossibleValuesParser::new(choices));
        }
        match self.text("type") {
            "integer" | "number" => argument.value_name("NUMBER").allow_negative_numbers(true),
            "string" => argument.value_name("TEXT"),
            _ => argument.value_name("JSON"),
        }
    }

    /// The value of its flag, if that was given: a text as it is, all else as JSON. What is no JSON the tool refuses, with what it expected.
    pub(super) fn value(&self, matches: &ArgMatches) -> Option<Value> {
        let text = matches.get_one::<String>(&self.id())?;
        let read = match self.text("type") {
            "string" => None,
            _ => serde_json::from_str(text).ok(),
        };
        Some(read.unwrap_or_else(|| text.clone().into()))
    }

    /// Puts a value into arguments, in place of the one that is there. The error is a whole sentence.
    pub(super) fn put(&self, arguments: &mut Arguments, value: Value) -> Result<(), String> {
        let Some((name, outer)) = self.path.split_last() else {
            return Ok(());
        };
        let mut object = arguments;
        for name in outer {
            let inner = object.entry(name).or_insert_with(|| Map::new().into());
            object = inner.as_object_mut().ok_or_else(|| {
                let flag = self.flag();
                format!("`{name}` in `--args` must be an object, so that `--{flag}` can be added")
            })?;
        }
        object.insert(name.clone(), value);
        Ok(())
    }

    /// Unlike any id of a setting.
    fn id(&self) -> String {
        format!("field {}", self.path.join("."))
    }

    fn text(&self, key: &str) -> &str {
        let value = self.schema.get(key).and_then(Value::as_str);
        value.unwrap_or_default()
    }
}
