//! Each field of each tool is a flag, made from the contract.

use serde_json::{Map, Value, json};
use sevendigital_sandbox::Sandbox;
use sevendigital_tools::TOOLS;

use crate::settings::cli::check;
use crate::support::calls::ROWS;
use crate::support::variables;

/// The flag of a field.
fn flag(name: &str) -> String {
    let words = name.chars().map(|c| match c {
        'A'..='Z' => format!("-{}", c.to_ascii_lowercase()),
        c => c.to_string(),
    });
    format!("--{}", words.collect::<String>())
}

/// The fields of a schema that have no fields themselves: name and description.
fn leaves(schema: &Value) -> Vec<(String, String)> {
    let properties = schema["properties"].as_object().unwrap();
    let mut fields = Vec::new();
    for (name, property) in properties {
        if property["properties"].is_object() {
            fields.extend(leaves(property));
        } else {
            let description = property["description"].as_str().unwrap();
            fields.push((name.clone(), description.to_owned()));
        }
    }
    fields
}

/// Arguments as flags.
fn flags(arguments: &Map<String, Value>) -> Vec<String> {
    let mut words = Vec::new();
    for (name, value) in arguments {
        match value {
            Value::Object(fields) => words.extend(flags(fields)),
            Value::String(text) => words.extend([flag(name), text.clone()]),
            other => words.extend([flag(name), other.to_string()]),
        }
    }
    words
}

#[tokio::test]
async fn every_field_of_every_tool_has_a_flag_with_its_description() {
    for tool in TOOLS {
        let name = tool.contract.name;
        let (code, help, err) = check(&["call", name, "--help"], &[]).await;
        assert_eq!(code, 0, "{name}: {err}");
        let squeezed = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for (field, description) in leaves(&Value::Object(tool.input_schema())) {
            let flag = format!("{} <", flag(&field));
            assert!(help.contains(&flag), "{name}: no {flag}: {help}");
            let description = description.trim_end_matches('.');
            assert!(squeezed.contains(description), "{name}, {field}: {help}");
        }
    }
}

#[tokio::test]
async fn flags_make_the_same_request_as_the_arguments_they_stand_for() {
    let sandbox = Sandbox::start().await.unwrap();
    let variables = variables(&sandbox.base_uri(), &[]);
    let variables: Vec<_> = variables.iter().map(|(n, v)| (&**n, &**v)).collect();
    for row in ROWS {
        let (name, arguments) = (row.name, row.arguments());
        let text = arguments.to_string();
        let (code, by_args, err) =
            check(&["call", name, "--dry-run", "--args", &text], &variables).await;
        assert_eq!(code, 0, "{name}: {err}");
        let flags = flags(arguments.as_object().unwrap());
        let mut words = vec!["call", name, "--dry-run"];
        words.extend(flags.iter().map(String::as_str));
        let (_, by_flags, err) = check(&words, &variables).await;
        let read = |out: &str| {
            let shown: Value = serde_json::from_str(out).unwrap_or(json!(out));
            let mut request = shown["request"].clone();
            let made_anew = row.sent.iter().filter_map(|sent| sent.strip_suffix("=*"));
            for name in made_anew {
                request["parameters"][name].take();
            }
            // Not what was looked up: on a loaded machine that may take too long.
            (shown["action"].clone(), request)
        };
        let (by_flags, by_args) = (read(&by_flags), read(&by_args));
        assert!(by_args.1.is_object(), "{name}: {by_args:?}");
        assert_eq!(by_flags, by_args, "{words:?}: {err}");
    }
}

#[tokio::test]
async fn a_password_that_is_a_flag_arrives_as_it_was_typed() {
    let sandbox = Sandbox::start().await.unwrap();
    let variables = variables(&sandbox.base_uri(), &[]);
    let variables: Vec<_> = variables.iter().map(|(n, v)| (&**n, &**v)).collect();
    let words = "call authenticate-user --email-address jane.smith@example.com --password";
    let mut words: Vec<_> = words.split(' ').collect();
    words.push("12 0x0 \"é~*");
    let (code, _, _) = check(&words, &variables).await;
    assert_eq!(code, 1);
    let form = sandbox.arrivals().pop().unwrap().form;
    let password = ("password".to_owned(), "12 0x0 \"é~*".to_owned());
    assert!(form.contains(&password), "{form:?}");
}
