//! The description of the REST surface, and the page that shows it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sevendigital_tools::TOOLS;

use crate::support::rest::get;
use crate::support::{World, root};

/// The description as it is served.
async fn description() -> Value {
    let world = World::start().await;
    let served = get(&world, "/openapi.json", &[]).await;
    assert_eq!((served.status, served.kind()), (200, "application/json"));
    served.message()
}

#[tokio::test]
async fn what_is_described_is_what_the_contract_file_says() {
    let served = description().await;
    let path = root().join("tools/contracts/openapi.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&served).unwrap());
    if std::env::var_os("UPDATE_CONTRACTS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let file = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        file, text,
        "openapi.json is not what is served; if the change is meant: UPDATE_CONTRACTS=1, read the diff, write a changelog line"
    );
}

/// Every `$ref` in a document.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str);
            let below = fields.values().flat_map(references);
            own.into_iter().chain(below).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn each_reference_names_something_that_is_there() {
    let served = description().await;
    let references = references(&served);
    assert!(references.len() > TOOLS.len(), "{references:?}");
    for reference in references {
        let place = reference.strip_prefix('#').unwrap();
        assert!(served.pointer(place).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn every_tool_is_described_once_with_all_that_it_takes() {
    let served = description().await;
    assert_eq!(served["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for tool in TOOLS {
        let rest = tool.contract.rest;
        let method = tool.contract.upstream.method.as_str().to_ascii_lowercase();
        let operation = &served["paths"][rest][&method];
        assert!(ids.insert(operation["operationId"].to_string()));
        let schema = Value::from(tool.input_schema());
        let mut expected: BTreeSet<&str> = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        if expected.remove("body") {
            let content = &operation["requestBody"]["content"];
            for kind in ["application/json", "application/x-www-form-urlencoded"] {
                assert_eq!(
                    content[kind]["schema"], schema["properties"]["body"],
                    "{rest}"
                );
            }
        }
        let parameters = operation["parameters"].as_array().unwrap();
        let named: BTreeSet<&str> = parameters
            .iter()
            .filter(|parameter| parameter["in"] != "header")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(named, expected, "{rest}");
        let document = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        assert_eq!(*document, json!(tool.output_schema()), "{rest}");
    }
    assert_eq!(ids.len(), TOOLS.len());
}

#[tokio::test]
async fn a_tool_that_is_not_served_is_not_described() {
    let world = World::with(&[("SEVENDIGITAL_MCP_READ_ONLY", "true")]).await;
    let served = get(&world, "/openapi.json", &[]).await;
    assert!(!served.text.contains("/v1/user/purchase/"));
    let gone = get(&world, "/v1/user/purchase/item?releaseId=1", &[]).await;
    assert_eq!(gone.status, 404, "{gone:?}");
}

#[tokio::test]
async fn the_page_is_whole_and_loads_nothing_from_elsewhere() {
    let world = World::start().await;
    let page = get(&world, "/docs/", &[]).await;
    assert_eq!((page.status, page.kind()), (200, "text/html"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    for rule in [
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!page.text.contains("http"), "{}", page.text);
    let files = page.text.split(['"']).filter(|part| {
        [".js", ".css", ".png"]
            .iter()
            .any(|ending| part.ends_with(ending))
    });
    let mut seen = 0;
    for file in files {
        let name = file.trim_start_matches("./");
        let asset = get(&world, &format!("/docs/{name}"), &[]).await;
        assert_eq!(asset.status, 200, "{name}");
        assert_eq!(asset.headers["cache-control"], "no-store", "{name}");
        let compressed = name.starts_with("swagger-ui");
        assert_eq!(
            asset.headers.contains_key("content-encoding"),
            compressed,
            "{name}"
        );
        seen += 1;
    }
    assert!(seen >= 4, "{}", page.text);
    let start = get(&world, "/docs/start.js", &[]).await;
    assert!(start.text.contains(r#"url: "/openapi.json""#), "{start:?}");
    for nowhere in ["/docs/nothing.js", "/docs/..%2fopenapi.json", "/docs/a/b"] {
        assert_eq!(get(&world, nowhere, &[]).await.status, 404, "{nowhere}");
    }
}
