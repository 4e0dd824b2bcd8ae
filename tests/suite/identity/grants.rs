//! Callers by name: what each is shown and may call. The list is the same each time, and differs by the grant alone.

use serde_json::json;
use sevendigital_tools::TOOLS;

use crate::identity::{
    BY_TOKEN, OFTEN, Somebody, TOKEN, access_token, authority, hello, principal, token_of, trusting,
};
use crate::rest::routes::problem;
use crate::support::calls::calls;
use crate::support::{LEGACY, World};

const READS: [&str; 4] = [
    "get-user-unlimited-streaming",
    "get-user-locker",
    "list-user-payment-cards",
    "get-user-card-registration",
];

#[tokio::test]
async fn a_caller_is_shown_what_it_may_call_and_may_call_nothing_else() {
    let rows: [(&str, &[&str], Vec<&str>); 5] = [
        ("reader", &["reads"], READS.to_vec()),
        ("buyer", &["purchase-user-item"], vec!["purchase-user-item"]),
        (
            "mixed",
            &[
                "create-user",
                "cards",
                "get-user-locker",
                "cards",
                "get-user-locker",
            ],
            vec![
                "get-user-locker",
                "select-user-payment-card",
                "delete-user-payment-card",
                "register-user-payment-card",
                "create-user",
            ],
        ),
        (
            "partner",
            &["partner"],
            vec!["update-user-unlimited-streaming", "get-user-details"],
        ),
        (
            "all",
            &["spend", "reads", "partner", "cards", "account"],
            TOOLS.iter().map(|tool| tool.contract.name).collect(),
        ),
    ];
    let file = rows
        .iter()
        .map(|(name, allow, _)| principal(name, allow, ""));
    let file = file.collect::<Vec<_>>().concat();
    let world = World::with_file(&[&OFTEN[..], &[BY_TOKEN]].concat(), &file).await;
    for (name, _, expected) in &rows {
        let caller = Somebody::named(&world, name);
        assert_eq!(caller.tools().await, *expected, "{name}");
        let session = caller.session().await;
        for (tool, arguments) in calls() {
            if expected.contains(&tool) {
                continue;
            }
            let row = format!("{tool} by {name}");
            let params = json!({"name": tool, "arguments": arguments});
            let message =
                json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params});
            let modern = caller.mcp(tool, &arguments).await;
            let legacy = caller.legacy(Some(&session), &message).await;
            let unknown = caller.mcp("get-user-nothing", &arguments).await.message();
            for reply in [modern, legacy] {
                let error = reply.message()["error"].clone();
                assert_eq!(error["code"], -32602, "{row}: {reply:?}");
                // As of a tool that does not exist.
                let words = unknown["error"]["message"].as_str().unwrap();
                let words = words.replace("get-user-nothing", tool);
                assert_eq!(error["message"], words, "{row}");
            }
            problem(&caller.rest(tool, &arguments).await, 403, "not-allowed");
        }
        assert_eq!(world.arrivals().len(), 0, "{name}");
    }
    // The grants are good for what they name.
    for (name, tool, arguments) in [
        ("reader", "get-user-locker", json!({})),
        (
            "buyer",
            "purchase-user-item",
            json!({"releaseId": "11700062"}),
        ),
        ("mixed", "get-user-locker", json!({})),
        (
            "mixed",
            "select-user-payment-card",
            json!({"body": {"cardId": "8154431"}}),
        ),
        ("partner", "get-user-details", json!({"userId": "500123"})),
    ] {
        let caller = Somebody::named(&world, name);
        let result = caller.mcp(tool, &arguments).await.result();
        assert!(result["structuredContent"].is_object(), "{name}: {result}");
        let reply = caller.rest(tool, &arguments).await;
        assert_eq!(reply.status, 200, "{name}: {reply:?}");
    }
    assert_eq!(Somebody::with_token(&world, TOKEN).tools().await.len(), 17);
}

#[tokio::test]
async fn what_the_settings_leave_out_no_grant_brings_back() {
    let file = principal("jane", &["reads", "spend", "get-user-details"], "");
    let settings = [
        (
            "SEVENDIGITAL_MCP_TOOLS",
            "get-user-locker,purchase-user-item",
        ),
        ("SEVENDIGITAL_MCP_EXCLUDE_TOOLS", "purchase-user-item"),
    ];
    let world = World::with_file(&settings, &file).await;
    let jane = Somebody::named(&world, "jane");
    assert_eq!(jane.tools().await, ["get-user-locker"]);
    for (tool, arguments) in calls() {
        if tool == "get-user-locker" {
            continue;
        }
        let reply = jane.mcp(tool, &arguments).await;
        assert_eq!(
            reply.message()["error"]["code"],
            -32602,
            "{tool}: {reply:?}"
        );
        let reply = jane.rest(tool, &arguments).await;
        assert!([404, 405].contains(&reply.status), "{tool}: {reply:?}");
    }
    assert_eq!(world.arrivals().len(), 0);
}

/// The list in bytes, over a connection of its own.
async fn list(world: &World, http: &reqwest::Client, token: &str, legacy: bool) -> String {
    let ask = async |session: &str, message: String| {
        let version = if legacy {
            LEGACY[0]
        } else {
            crate::support::MODERN
        };
        let mut request = http
            .post(&world.url)
            .bearer_auth(token)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        if !message.contains("\"initialize\"") {
            request = request
                .header("mcp-protocol-version", version)
                .header("mcp-method", "tools/list");
        }
        if !session.is_empty() {
            request = request.header("mcp-session-id", session);
        }
        let reply = request.body(message).send().await.unwrap();
        crate::support::Reply::of(reply).await
    };
    let mut params = json!({});
    let mut session = String::new();
    if legacy {
        let open = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello()});
        let reply = ask("", open.to_string()).await;
        let id = reply.headers["mcp-session-id"].to_str();
        id.unwrap().clone_into(&mut session);
    } else {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": crate::support::MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
    }
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params});
    let reply = ask(&session, message.to_string()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    // An event has a number and a length of its own; its message is what is compared.
    if legacy {
        reply.message().to_string()
    } else {
        reply.text
    }
}

#[tokio::test]
async fn the_list_is_the_same_byte_for_byte_over_a_hundred_connections() {
    let authority = authority().await;
    let keys = authority.url("/keys");
    let file = [
        principal("jane", &["reads", "spend"], ""),
        principal("joan", &["spend", "reads"], "user_id = \"500124\""),
        principal("john", &["cards"], ""),
    ];
    let settings = [
        &trusting(&keys)[..],
        &OFTEN,
        &[BY_TOKEN, ("SEVENDIGITAL_MCP_LIMIT_CALLER_SESSIONS", "1000")],
    ]
    .concat();
    let world = World::with_file(&settings, &file.concat()).await;
    let user = access_token("user-1", "spend reads");
    // Without a pool, each request has a connection of its own.
    let http = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0);
    let http = http.build().unwrap();
    for legacy in [false, true] {
        let first = list(&world, &http, &token_of("jane"), legacy).await;
        for _ in 0..100 {
            assert_eq!(list(&world, &http, &token_of("jane"), legacy).await, first);
        }
        // The same grant, in whatever words and from whomever, is the same list.
        assert_eq!(list(&world, &http, &token_of("joan"), legacy).await, first);
        assert_eq!(list(&world, &http, &user, legacy).await, first);
        let other = list(&world, &http, &token_of("john"), legacy).await;
        assert_ne!(other, first);
        assert_ne!(list(&world, &http, TOKEN, legacy).await, first);
        println!("{} bytes", first.len());
    }
}
