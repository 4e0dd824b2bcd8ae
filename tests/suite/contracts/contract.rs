//! What clients are told of the tools: the contract files, and rules that hold for every tool.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sevendigital::Auth;
use sevendigital_tools::{AnyTool, TOOLS};

use crate::support::calls::{ROWS, Row};
use crate::support::{World, root};

/// Calls `check` with each row of the card, its tool, and the tool as it is served.
async fn check(settings: &[(&str, &str)], check: impl Fn(&Row, &AnyTool, &Value)) {
    let world = World::with(settings).await;
    let served = world.tools().await;
    assert_eq!(served.len(), ROWS.len());
    assert_eq!(TOOLS.len(), ROWS.len(), "one row for each tool");
    for ((row, tool), served) in ROWS.iter().zip(TOOLS).zip(&served) {
        check(row, tool, served);
    }
}

#[tokio::test]
async fn what_is_served_is_what_the_contract_files_say() {
    let world = World::start().await;
    let folder = root().join("tools/contracts");
    let mut names = BTreeSet::new();
    for tool in world.tools().await {
        let name = format!("{}.json", tool["name"].as_str().unwrap());
        let path = folder.join(&name);
        // serde_json keeps keys sorted, so a file has one spelling.
        let text = format!("{}\n", serde_json::to_string_pretty(&tool).unwrap());
        let may_create = std::env::var_os("CI").is_none() && !path.exists();
        if std::env::var_os("UPDATE_CONTRACTS").is_some() || may_create {
            std::fs::write(&path, &text).unwrap();
        }
        let file = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{name}: {error}; write it with UPDATE_CONTRACTS=1"));
        assert_eq!(
            file, text,
            "{name} is not what is served; if the change is meant: UPDATE_CONTRACTS=1, read the diff, write a changelog line"
        );
        names.insert(name);
    }
    let files: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.insert("openapi.json".to_owned());
    assert_eq!(
        files, names,
        "each file has a tool, and the REST surface one"
    );
}

#[tokio::test]
async fn the_tools_are_the_cards_in_its_order() {
    check(&[], |row, tool, served| {
        assert_eq!(served["name"], row.name);
        assert_eq!(tool.contract.name, row.name);
        assert_eq!(served["title"], row.title, "{}", row.name);
        assert_eq!(served["annotations"]["title"], row.title, "{}", row.name);
        let (rest, upstream) = (tool.contract.rest, tool.contract.upstream);
        let route = format!("{} {}", upstream.method.as_str(), rest);
        assert_eq!(route, row.rest, "{}", row.name);
        let endpoint = format!("{} {}", upstream.method.as_str(), upstream.path);
        assert_eq!(endpoint, row.upstream, "{}", row.name);
        let legs = match upstream.auth {
            Auth::Consumer => "Consumer",
            Auth::User => "User",
        };
        let nature = format!("{legs} {:?}", upstream.effect);
        assert_eq!(nature, row.nature, "{}", row.name);
        assert_eq!(tool.contract.scope.as_str(), row.scope, "{}", row.name);
        let confirmed = tool.requires_confirmation;
        assert_eq!(confirmed, row.confirmed, "{}", row.name);
    })
    .await;
}

#[tokio::test]
async fn every_input_of_the_capability_is_there_and_no_more_is_required() {
    check(&[], |row, _, served| {
        let schema = &served["inputSchema"];
        let mut required: BTreeSet<&str> = BTreeSet::new();
        for input in row.inputs.split_whitespace() {
            let (name, kind) = input.split_once(':').unwrap();
            let kind = kind.strip_suffix('!').inspect(|_| {
                required.insert(name);
            });
            let kind = kind.unwrap_or_else(|| input.split_once(':').unwrap().1);
            assert_eq!(
                schema["properties"][name]["type"], kind,
                "{} {name}",
                row.name
            );
        }
        let said: BTreeSet<&str> = schema["required"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect();
        assert_eq!(said, required, "{}", row.name);
    })
    .await;
}

/// Letters such as `TFT` as the hints of those names.
fn hints(names: &[&str], letters: &str) -> Value {
    assert_eq!(names.len(), letters.len());
    let pairs = names.iter().zip(letters.chars());
    pairs
        .map(|(name, letter)| ((*name).to_owned(), json!(letter == 'T')))
        .collect()
}

#[tokio::test]
async fn hints_are_accurate_unless_the_published_ones_are_asked_for() {
    const HINTS: [&str; 4] = [
        "readOnlyHint",
        "destructiveHint",
        "idempotentHint",
        "openWorldHint",
    ];
    for set in ["", "accurate", "published"] {
        check(&[("SEVENDIGITAL_MCP_HINTS", set)], |row, tool, served| {
            let mut expected = match set {
                "published" => hints(&HINTS[..3], row.published),
                _ => hints(&HINTS, row.accurate),
            };
            expected["title"] = json!(row.title);
            assert_eq!(served["annotations"], expected, "{}", row.name);
            let card = hints(&["readOnly", "destructive", "idempotent"], row.published);
            assert_eq!(served["_meta"]["io.naftiko/hints"], card, "{}", row.name);
            let accurate = tool.contract.hints.accurate;
            assert!(
                !(accurate.read_only && row.nature.ends_with("Charges")),
                "{}",
                row.name
            );
        })
        .await;
    }
}

/// Every schema in a schema, with the place where it stands.
fn schemas<'a>(place: &str, schema: &'a Value, found: &mut Vec<(String, &'a Value)>) {
    found.push((place.to_owned(), schema));
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        schemas(&format!("{place}.{name}"), property, found);
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner_schema) = schema.get(inner).filter(|inner| inner.is_object()) {
            schemas(&format!("{place}.{inner}"), inner_schema, found);
        }
    }
}

/// Calls `check` with every schema of every tool: tool, side, place in it, schema.
async fn check_schemas(check_one: impl Fn(&str, &str, &Value)) {
    check(&[], |row, _, served| {
        for side in ["inputSchema", "outputSchema"] {
            let mut found = Vec::new();
            schemas("$", &served[side], &mut found);
            for (place, schema) in found {
                check_one(side, &format!("{} {side} {place}", row.name), schema);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn schemas_hold_nothing_that_some_client_can_not_read() {
    const KEYWORDS: [&str; 12] = [
        "type",
        "description",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "pattern",
    ];
    check_schemas(|_, place, schema| {
        let fields = schema
            .as_object()
            .unwrap_or_else(|| panic!("{place}: not an object"));
        for keyword in fields.keys() {
            // So no `$ref`, `$defs`, `anyOf`, `oneOf`, `allOf`, `format`, `$schema` or `const`.
            assert!(KEYWORDS.contains(&keyword.as_str()), "{place}: `{keyword}`");
        }
        let kind = schema["type"].as_str();
        let kinds = ["object", "array", "string", "integer", "number", "boolean"];
        match kind {
            Some(kind) => assert!(kinds.contains(&kind), "{place}: type `{kind}`"),
            None => panic!("{place}: type {}", schema["type"]),
        }
        assert_eq!(
            kind == Some("array"),
            fields.contains_key("items"),
            "{place}"
        );
    })
    .await;
}

#[tokio::test]
async fn every_property_is_described() {
    check_schemas(|_, place, schema| {
        let root = place.ends_with('$');
        let inner = [".items", ".additionalProperties"];
        let named = !root && !inner.iter().any(|end| place.ends_with(end));
        let description = schema["description"].as_str().unwrap_or_default();
        assert!(
            !named || description.len() > 5,
            "{place} has no description"
        );
    })
    .await;
}

#[tokio::test]
async fn only_the_root_of_arguments_is_closed() {
    check_schemas(|side, place, schema| {
        let root = place.ends_with('$');
        if root {
            assert_eq!(schema["type"], "object", "{place}");
            assert!(schema["properties"].is_object(), "{place}");
            assert!(schema["required"].is_array(), "{place}");
        }
        let closed = schema["additionalProperties"] == false;
        assert_eq!(closed, root && side == "inputSchema", "{place}");
    })
    .await;
}

#[tokio::test]
async fn names_and_texts_keep_to_the_limits_of_clients() {
    check(&[], |row, _, served| {
        let mut letters = row.name.bytes();
        assert!(letters.next().unwrap().is_ascii_lowercase(), "{}", row.name);
        assert!(
            letters.all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')),
            "{}",
            row.name
        );
        assert!(row.name.len() <= 41, "{}", row.name);
        let description = served["description"].as_str().unwrap();
        assert!((80..2048).contains(&description.len()), "{}", row.name);
        assert!(description.contains("Example: {"), "{}", row.name);
    })
    .await;
}

#[tokio::test]
async fn the_list_and_the_instructions_are_short() {
    let world = World::start().await;
    let discovered = world.modern("server/discover", json!({})).await.result();
    let instructions = discovered["instructions"].as_str().unwrap();
    assert!(
        (100..2048).contains(&instructions.len()),
        "{}",
        instructions.len()
    );
    let list = world.modern("tools/list", json!({})).await;
    println!("tools/list: {} bytes", list.text.len());
    assert!(list.text.len() < 60_000, "{} bytes", list.text.len());
}

#[tokio::test]
async fn both_eras_are_told_the_same_of_the_tools() {
    let world = World::start().await;
    let session = world.legacy_session(crate::support::LEGACY[0]).await;
    let list = session
        .ask(json!(1), "tools/list", json!({}))
        .await
        .result();
    assert_eq!(list["tools"].as_array().unwrap(), &world.tools().await);
}
