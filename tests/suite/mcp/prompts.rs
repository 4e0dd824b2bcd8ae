//! Prompts, and completions of their arguments.

use serde_json::{Value, json};
use sevendigital_tools::TOOLS;

use crate::support::{Client, LEGACY, Server, World, program};

/// The names of what is listed.
fn names(list: &Value) -> Vec<&str> {
    let prompts = list["prompts"].as_array().unwrap().iter();
    prompts
        .map(|prompt| prompt["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn prompts_are_listed_and_worded_in_both_eras_and_over_stdio() {
    let world = World::start().await;
    let session = Client::of(&world).in_session(LEGACY[0]).await;
    let mut server = Server::spawn(program(&["--sandbox", "stdio"], &[]));
    server.hello().await;
    let list = world.modern("prompts/list", json!({})).await.result();
    assert_eq!(
        names(&list),
        ["what-i-own", "buy-safely", "subscription-status"]
    );
    for prompt in list["prompts"].as_array().unwrap() {
        for field in ["title", "description"] {
            assert!(prompt[field].as_str().unwrap().len() > 5, "{prompt}");
        }
        for argument in prompt["arguments"].as_array().into_iter().flatten() {
            assert!(
                argument["description"].as_str().unwrap().len() > 5,
                "{prompt}"
            );
        }
        let arguments = json!({"releaseId": "11700062"});
        let takes_some = prompt["arguments"].is_array();
        let arguments = if takes_some { arguments } else { json!({}) };
        let params = json!({"name": prompt["name"], "arguments": arguments});
        let modern = world.modern("prompts/get", params.clone()).await.result();
        assert_eq!(modern["resultType"], "complete", "{modern}");
        let legacy = session
            .ask_in_session(json!(1), "prompts/get", &params)
            .await;
        let id = prompt["name"].as_str().unwrap();
        let piped = server.ask(id, "prompts/get", &params).await["result"].take();
        for result in [legacy.result(), piped] {
            assert!(result["resultType"].is_null(), "{result}");
            assert_eq!(result["messages"], modern["messages"], "{id}");
        }
        let text = modern["messages"][0]["content"]["text"].as_str().unwrap();
        let mut named = TOOLS.iter().map(|tool| tool.contract.name);
        assert!(named.any(|name| text.contains(name)), "{text}");
    }
}

#[tokio::test]
async fn a_prompt_is_there_only_where_its_tools_are_served() {
    for (settings, expected) in [
        (
            ("SEVENDIGITAL_MCP_READ_ONLY", "true"),
            vec!["what-i-own", "subscription-status"],
        ),
        (
            ("SEVENDIGITAL_MCP_TOOLS", "purchase-user-rrp-item"),
            vec!["buy-safely"],
        ),
    ] {
        let world = World::with(&[settings]).await;
        let list = world.modern("prompts/list", json!({})).await.result();
        assert_eq!(names(&list), expected);
        let served = Client::of(&world).tool_names().await;
        for name in ["what-i-own", "buy-safely", "subscription-status"] {
            let params = json!({"name": name, "arguments": {"releaseId": "11700062"}});
            let reply = world.modern("prompts/get", params).await.message();
            if !expected.contains(&name) {
                assert_eq!(reply["error"]["code"], -32602, "{reply}");
                let told = reply["error"]["message"].as_str().unwrap();
                assert!(told.contains(expected[0]), "{told}");
                continue;
            }
            let text = reply["result"]["messages"].to_string();
            for tool in TOOLS.iter().map(|tool| tool.contract.name) {
                let named = text.contains(tool);
                assert!(
                    !named || served.iter().any(|served| served == tool),
                    "{tool}: {text}"
                );
            }
        }
    }
    // A client that asks for fewer tools has fewer prompts.
    let world = World::start().await;
    let client = Client::of(&world).with("x-mcp-tools", "get-user-locker");
    let list = client.ask("prompts/list", json!({})).await.result();
    assert_eq!(names(&list), ["what-i-own"]);
}

#[tokio::test]
async fn buying_safely_shows_the_catalogue_and_asks_before_it_buys() {
    let world = World::start().await;
    let arguments = json!({"releaseId": "11700062", "country": "gb", "currency": "gbp"});
    let params = json!({"name": "buy-safely", "arguments": arguments});
    let result = world.modern("prompts/get", params).await.result();
    let text = result["messages"][0]["content"]["text"].as_str().unwrap();
    for part in [
        "release 11700062",
        "`country` GB",
        "not in GBP",
        "wait for a clear yes",
        "purchase-user-item",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let shown = &result["messages"][1]["content"]["resource"];
    assert_eq!(shown["uri"], "sevendigital://releases/11700062");
    let shown: Value = serde_json::from_str(shown["text"].as_str().unwrap()).unwrap();
    assert_eq!(shown["title"], "Harbour Lights");
    assert_eq!(shown["price"], "7.99 GBP");
    assert_eq!(world.sandbox.sales().len(), 0);

    // An item that is not there is no reason not to be told what to do.
    let params = json!({"name": "buy-safely", "arguments": {"releaseId": "999"}});
    let result = world.modern("prompts/get", params).await.result();
    assert_eq!(result["messages"].as_array().unwrap().len(), 1, "{result}");

    for (arguments, named) in [
        (json!({}), "releaseId"),
        (json!({"releaseId": "a/b"}), "releaseId"),
        (
            json!({"releaseId": "1", "country": "UK"}),
            "did you mean GB?",
        ),
        (
            json!({"releaseId": "1", "release": "1"}),
            "did you mean `releaseId`?",
        ),
    ] {
        let params = json!({"name": "buy-safely", "arguments": arguments});
        let reply = world.modern("prompts/get", params).await.message();
        assert_eq!(reply["error"]["code"], -32602, "{reply}");
        let told = reply["error"]["message"].as_str().unwrap();
        assert!(told.contains(named), "{arguments}: {told}");
    }
}

#[tokio::test]
async fn countries_and_currencies_are_completed_by_their_beginning() {
    let world = World::start().await;
    let session = Client::of(&world).in_session(LEGACY[0]).await;
    let prompt = json!({"type": "ref/prompt", "name": "buy-safely"});
    let template = json!({"type": "ref/resource", "uri": "sevendigital://releases/{releaseId}"});
    let complete = async |reference: &Value, name: &str, value: &str| {
        let argument = json!({"name": name, "value": value});
        let params = json!({"ref": reference, "argument": argument});
        let modern = world
            .modern("completion/complete", params.clone())
            .await
            .message();
        let legacy = session
            .ask_in_session(json!(1), "completion/complete", &params)
            .await;
        let legacy = legacy.message();
        assert_eq!(
            legacy["result"]["completion"],
            modern["result"]["completion"]
        );
        assert_eq!(legacy["error"]["code"], modern["error"]["code"]);
        modern
    };
    for (reference, name, value, expected) in [
        (&prompt, "country", "ger", json!(["DE"])),
        (&prompt, "country", "GB", json!(["GB"])),
        (&prompt, "currency", "gb", json!(["GBP"])),
        (&prompt, "releaseId", "1", json!([])),
        (&template, "releaseId", "1", json!([])),
    ] {
        let found = complete(reference, name, value).await;
        assert_eq!(found["result"]["completion"]["values"], expected, "{value}");
    }
    let all = complete(&prompt, "country", "").await;
    let all = &all["result"]["completion"];
    assert_eq!(all["values"].as_array().unwrap().len(), 100);
    assert_eq!(all["hasMore"], true);
    assert!(all["total"].as_u64().unwrap() > 200);
    let other = json!({"type": "ref/prompt", "name": "other"});
    let elsewhere = json!({"type": "ref/resource", "uri": "file:///{path}"});
    for (reference, name) in [
        (&prompt, "city"),
        (&template, "trackId"),
        (&other, "a"),
        (&elsewhere, "path"),
    ] {
        let found = complete(reference, name, "x").await;
        assert_eq!(found["error"]["code"], -32602, "{found}");
    }
}
