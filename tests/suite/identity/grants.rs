//! Callers by name: what each is shown and may call. The list is the same each time, and differs by the grant alone.

use serde_json::json;

use crate::identity::{
    BY_TOKEN, OFTEN, TOKEN, access_token, named, of_scope, principal, trusting_world, without_pool,
};
use crate::support::calls::{ROWS, calls, good};
use crate::support::{Client, LEGACY, World, problem};

/// Callers, what each was granted, and the tools that this means.
fn grants() -> [(&'static str, &'static [&'static str], Vec<&'static str>); 5] {
    let mixed = [
        &["get-user-locker"],
        &of_scope("cards")[..],
        &["create-user"],
    ]
    .concat();
    #[rustfmt::skip]
    let grants: [(_, &'static [&'static str], _); 5] = [
        ("reader", &["reads"], of_scope("reads")),
        ("buyer", &["purchase-user-item"], vec!["purchase-user-item"]),
        ("mixed", &["create-user", "cards", "get-user-locker", "cards", "get-user-locker"], mixed),
        ("partner", &["partner"], of_scope("partner")),
        ("all", &["spend", "reads", "partner", "cards", "account"], ROWS.iter().map(|row| row.name).collect()),
    ];
    grants
}

async fn world() -> World {
    let file = grants().map(|(name, allow, _)| principal(name, allow, ""));
    World::with_file(&[&OFTEN[..], &[BY_TOKEN]].concat(), &file.concat()).await
}

#[tokio::test]
async fn a_caller_is_shown_what_it_may_call_and_may_call_nothing_else() {
    let world = world().await;
    for (name, _, expected) in grants() {
        let caller = named(&world, name);
        assert_eq!(caller.tool_names().await, expected, "{name}");
        let session = caller.in_session(LEGACY[0]).await;
        let unknown = caller.mcp("get-user-nothing", &json!({})).await.message();
        let unknown = unknown["error"]["message"].as_str().unwrap();
        for (tool, arguments) in calls() {
            if expected.contains(&tool) {
                continue;
            }
            let row = format!("{tool} by {name}");
            let modern = caller.mcp(tool, &arguments).await;
            let legacy = session.call_as(json!(2), tool, &arguments).await;
            for reply in [modern, legacy] {
                let error = reply.message()["error"].clone();
                assert_eq!(error["code"], -32602, "{row}: {reply:?}");
                // As of a tool that does not exist.
                let words = unknown.replace("get-user-nothing", tool);
                assert_eq!(error["message"], words, "{row}");
            }
            problem(&caller.rest(tool, &arguments).await, 403, "not-allowed");
        }
        assert_eq!(world.arrivals().len(), 0, "{name}");
    }
    let operator = Client::of(&world).showing(TOKEN);
    assert_eq!(operator.tool_names().await.len(), ROWS.len());
}

#[tokio::test]
async fn a_grant_is_good_for_what_it_names() {
    let world = world().await;
    for (name, tool) in [
        ("reader", "get-user-locker"),
        ("buyer", "purchase-user-item"),
        ("mixed", "get-user-locker"),
        ("mixed", "select-user-payment-card"),
        ("partner", "get-user-details"),
    ] {
        let caller = named(&world, name);
        let result = caller.mcp(tool, &good(tool)).await.result();
        assert!(result["structuredContent"].is_object(), "{name}: {result}");
        let reply = caller.rest(tool, &good(tool)).await;
        assert_eq!(reply.status, 200, "{name}: {reply:?}");
    }
}

#[tokio::test]
async fn what_the_settings_leave_out_no_grant_brings_back() {
    let file = principal("jane", &["reads", "spend", "get-user-details"], "");
    #[rustfmt::skip]
    let settings = [
        ("SEVENDIGITAL_MCP_TOOLS", "get-user-locker,purchase-user-item"),
        ("SEVENDIGITAL_MCP_EXCLUDE_TOOLS", "purchase-user-item"),
    ];
    let world = World::with_file(&settings, &file).await;
    let jane = named(&world, "jane");
    assert_eq!(jane.tool_names().await, ["get-user-locker"]);
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

/// The list in bytes.
async fn list(somebody: &Client, legacy: bool) -> String {
    if !legacy {
        return somebody.ask("tools/list", json!({})).await.text;
    }
    let session = somebody.in_session(LEGACY[0]).await;
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
    // An event has a number and a length of its own; its message is what is compared.
    session.say(&message).await.message().to_string()
}

#[tokio::test]
async fn the_list_is_the_same_byte_for_byte_over_a_hundred_connections() {
    let file = [
        principal("jane", &["reads", "spend"], ""),
        principal("joan", &["spend", "reads"], "user_id = \"500124\""),
        principal("john", &["cards"], ""),
    ];
    let many = ("SEVENDIGITAL_MCP_LIMIT_CALLER_MAX_SESSIONS", "1000");
    let settings = [&OFTEN[..], &[BY_TOKEN, many]].concat();
    let (_authority, mut world) = trusting_world(&settings, &file.concat()).await;
    world.http = without_pool();
    let [jane, joan, other] = ["jane", "joan", "john"].map(|name| named(&world, name));
    let user = Client::of(&world).showing(&access_token("user-1", "spend reads"));
    let operator = Client::of(&world).showing(TOKEN);
    for legacy in [false, true] {
        let first = list(&jane, legacy).await;
        for _ in 0..100 {
            assert_eq!(list(&jane, legacy).await, first);
        }
        // The same grant, in whatever words and of whichever caller, is the same list.
        for same in [&joan, &user] {
            assert_eq!(list(same, legacy).await, first);
        }
        for other in [&other, &operator] {
            assert_ne!(list(other, legacy).await, first);
        }
        println!("{} bytes", first.len());
    }
}
