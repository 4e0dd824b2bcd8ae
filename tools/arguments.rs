//! Arguments as a client sent them, and how they become a typed input.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sevendigital::text::quotable_name;

use crate::ToolError;
use crate::declared::{self, Declared};
use crate::{card_data, filled, hosts};

/// Arguments as a JSON object.
pub type Arguments = Map<String, Value>;

/// The arguments of an operation that is called with POST: the fields of its input are in `body`, as the capability has it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Body<T> {
    // Without a doc comment, which would replace that of `T` in the contract.
    pub(crate) body: T,
}

/// Parses arguments into an input; the error names the field and what was expected, never a value.
pub(crate) fn parse<T: DeserializeOwned + JsonSchema + 'static>(
    mut arguments: Arguments,
) -> Result<T, ToolError> {
    // Some clients send an object argument as its JSON text.
    if let Some(Value::String(text)) = arguments.get("body")
        && let Ok(object @ Value::Object(_)) = serde_json::from_str(text)
    {
        arguments.insert("body".into(), object);
    }
    let declared = declared::of::<T>();
    hosts::pass_over(&mut arguments, declared);
    card_data::refuse(&arguments, declared)?;
    filled::settle(&mut arguments, declared)?;
    check_names(&arguments, declared)?;
    serde_path_to_error::deserialize(Value::Object(arguments)).map_err(|error| {
        let path = error.path().to_string();
        let problem = without_value(error.into_inner().to_string());
        // `missing field` and `unknown field` name the field themselves.
        if path == "." || problem.contains(" field `") {
            ToolError::Input(problem)
        } else {
            ToolError::input(&path, &problem)
        }
    })
}

/// Refuses names that no argument has, with the nearest that one has.
fn check_names(arguments: &Arguments, declared: &Declared) -> Result<(), ToolError> {
    let mut names = arguments.keys();
    let unknown = names.find(|name| !declared.open && declared.get(name).is_none());
    let Some(name) = unknown else { return Ok(()) };
    let plain = |name: &str| name.replace(['_', '-'], "").to_ascii_lowercase();
    let known = declared.names();
    let shown = quotable_name(name);
    let likeness = known
        .iter()
        .map(|(path, known)| (strsim::jaro_winkler(&plain(known), &plain(name)), path));
    let nearest = likeness.max_by(|one, other| one.0.total_cmp(&other.0));
    if let Some((_, path)) = nearest.filter(|(likeness, _)| *likeness > 0.85) {
        let problem = format!("unknown field `{shown}`: did you mean `{path}`?");
        return Err(ToolError::Input(problem));
    }
    let known = known.iter().filter(|(path, last)| path == last);
    let known: Vec<String> = known.map(|(path, _)| format!("`{path}`")).collect();
    let one_of = if known.len() > 1 { "one of " } else { "" };
    let problem = format!(
        "unknown field `{shown}`, expected {one_of}{}",
        known.join(", ")
    );
    Err(ToolError::Input(problem))
}

/// What is wrong with a value, without the value, which may be a password: serde's own message quotes it before what was expected.
fn without_value(problem: String) -> String {
    let quotes_it = [
        "invalid type",
        "invalid value",
        "invalid length",
        "unknown variant",
    ]
    .iter()
    .any(|start| problem.starts_with(start));
    match problem.rsplit_once(", expected ") {
        Some((_, expected)) if quotes_it => format!("expected {expected}"),
        _ => problem,
    }
}
