//! What clients are told of the tools: the contract files, and rules that hold for every tool.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sevendigital::Auth;
use sevendigital_tools::{AnyTool, TOOLS};

use crate::support::calls::{ROWS, Row};
use crate::support::{Client, World, root};

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
            let expected = match set {
                "published" => hints(&HINTS[..3], row.published),
                _ => hints(&HINTS, row.accurate),
            };
            assert_eq!(served["annotations"], expected, "{}", row.name);
            let card = match set {
                "published" => hints(&["readOnly", "destructive", "idempotent"], row.published),
                _ => Value::Null,
            };
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
async fn every_argument_is_described() {
    check_schemas(|side, place, schema| {
        let root = place.ends_with('$');
        let inner = [".items", ".additionalProperties"];
        let named = !root && !inner.iter().any(|end| place.ends_with(end));
        let description = schema["description"].as_str().unwrap_or_default();
        assert!(
            !named || side == "outputSchema" || description.len() > 5,
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
            let names = schema["required"].is_array();
            assert!(names || side == "outputSchema", "{place}");
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
async fn the_list_is_short_in_both_eras() {
    let world = World::start().await;
    let modern = world.modern("tools/list", json!({})).await;
    let session = world.legacy_session(crate::support::LEGACY[0]).await;
    let legacy = session.ask(json!(1), "tools/list", json!({})).await;
    for list in [modern, legacy] {
        println!("tools/list: {} bytes", list.text.len());
        assert!(list.text.len() <= 24_000, "{} bytes", list.text.len());
    }
}

#[tokio::test]
async fn instructions_are_short_and_name_only_tools_that_are_served() {
    let read_only = ("SEVENDIGITAL_MCP_READ_ONLY", "true");
    let two = ("SEVENDIGITAL_MCP_TOOLS", "create-user,purchase-user-item");
    let narrowed = [("x-mcp-readonly", "true")];
    for (settings, headers) in [
        (&[][..], &[][..]),
        (&[read_only], &[]),
        (&[two], &[]),
        (&[], &narrowed),
    ] {
        let world = World::with(settings).await;
        let client = Client::of(&world).with_all(headers);
        let discovered = client.ask("server/discover", json!({})).await.result();
        let instructions = discovered["instructions"].as_str().unwrap();
        let length = instructions.chars().count();
        assert!((100..=2_000).contains(&length), "{length}: {instructions}");
        let hello = client.initialize(crate::support::LEGACY[0]).await.result();
        assert_eq!(hello["instructions"], instructions);
        let served = client.tool_names().await;
        for tool in TOOLS {
            let name = tool.contract.name;
            let named = instructions.contains(name);
            assert!(
                !named || served.iter().any(|served| served == name),
                "{name}: {instructions}"
            );
        }
        let buys = served.iter().any(|name| name.starts_with("purchase"));
        assert_eq!(
            instructions.contains("buying music"),
            buys,
            "{instructions}"
        );
    }
    let world = World::start().await;
    let discovered = world.modern("server/discover", json!({})).await.result();
    let (first, _) = discovered["instructions"]
        .as_str()
        .unwrap()
        .split_once('\n')
        .unwrap();
    for word in [
        "music",
        "locker",
        "library",
        "albums",
        "tracks",
        "buy",
        "purchase",
        "payment card",
        "streaming",
    ] {
        assert!(first.contains(word), "{word}: {first}");
    }
}

#[tokio::test]
async fn the_server_shows_an_icon_and_where_it_is_from() {
    let world = World::start().await;
    let session = world.legacy_session(crate::support::LEGACY[0]).await;
    let discovered = world.modern("server/discover", json!({})).await.result();
    let modern = &discovered["_meta"]["io.modelcontextprotocol/serverInfo"];
    for info in [modern, &session.initialized["serverInfo"]] {
        let icon = &info["icons"][0];
        assert_eq!(icon["mimeType"], "image/png", "{info}");
        let uri = icon["src"].as_str().unwrap();
        assert!(
            uri.starts_with("data:image/png;base64,iVBORw0KGgo"),
            "{uri}"
        );
        assert!(uri.len() <= 4096, "{}", uri.len());
        assert!(info["websiteUrl"].as_str().unwrap().starts_with("https://"));
    }
    // It is not repeated with each result.
    let list = world.modern("tools/list", json!({})).await.result();
    assert!(list["_meta"]["io.modelcontextprotocol/serverInfo"]["icons"].is_null());
}

#[tokio::test]
async fn only_the_locker_says_that_its_results_are_long() {
    check(&[], |row, _, served| {
        let most = &served["_meta"]["anthropic/maxResultSizeChars"];
        assert_eq!(most.is_u64(), row.name == "get-user-locker", "{}", row.name);
    })
    .await;
}

#[tokio::test]
async fn no_sentence_stands_twice_in_what_is_listed_of_a_tool() {
    check(&[], |row, _, served| {
        let description = served["description"].as_str().unwrap();
        let mut found = Vec::new();
        schemas("$", &served["inputSchema"], &mut found);
        schemas("$", &served["outputSchema"], &mut found);
        let mut texts: Vec<&str> = found
            .iter()
            .filter_map(|(_, schema)| schema["description"].as_str())
            .collect();
        texts.push(description);
        let sentences = texts.iter().flat_map(|text| text.split_inclusive(". "));
        let mut seen = BTreeSet::new();
        for sentence in sentences.filter(|sentence| sentence.len() > 25) {
            assert!(seen.insert(sentence), "{}: {sentence}", row.name);
        }
    })
    .await;
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
