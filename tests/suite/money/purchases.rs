//! The same purchase is sent once: at once, one after another, over all surfaces, after restarts and broken connections.

use std::path::Path;

use rmcp::model::CallToolRequestParams;
use rmcp::{Peer, RoleClient};
use serde_json::{Value, json};
use sevendigital_sandbox::demo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::support::upstream::{Act, Upstream, refusal};
use crate::support::{
    Caller, LEGACY, Server, World, age, call_with, check_one, failure, folder, is_replayed,
    lifecycles, program, purchase_id, rows, send, states, stdio_client, variables, within,
    world_on,
};

pub(crate) const ITEM: &str = "/user/purchase/item";
const TOOL: &str = "purchase-user-item";

fn release() -> Value {
    json!({"releaseId": "11700062"})
}

/// Ways to write one and the same purchase.
fn spellings() -> Vec<Value> {
    [
        r#"{"releaseId": "11700062", "trackId": "1170006201"}"#,
        r#"{"trackId": "1170006201", "releaseId": "11700062"}"#,
        r#"{"releaseId": 11700062, "trackId": 1170006201}"#,
        r#"{"releaseId": "11700062", "trackId": 1170006201, "country": "GB"}"#,
        r#"{"country": " gb ", "trackId": "1170006201", "releaseId": 11700062}"#,
    ]
    .map(|text| serde_json::from_str(text).unwrap())
    .to_vec()
}

async fn call_peer(peer: Peer<RoleClient>, arguments: Value) -> Value {
    let arguments = arguments.as_object().unwrap().clone();
    let request = CallToolRequestParams::new(TOOL).with_arguments(arguments);
    serde_json::to_value(peer.call_tool(request).await.unwrap()).unwrap()
}

#[tokio::test]
async fn fifty_identical_purchases_at_once_are_one() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(ITEM, [Act::Held(Box::new(Act::Sell))]);
    let world = world_on(folder.path(), &upstream.base_uri(), &[]).await;
    let caller = Caller::of(&world);
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        let caller = caller.clone();
        calls.spawn(async move { caller.call(TOOL, &release()).await });
    }
    upstream.wait_for(ITEM, 1).await;
    upstream.open_gate();
    check_one(&within("the answers", calls.join_all()).await);
    assert_eq!(upstream.arrivals(ITEM), 1);
    assert_eq!(states(folder.path()), ["done"]);
}

#[tokio::test]
async fn one_purchase_in_all_spellings_on_all_surfaces_and_processes_is_one() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(ITEM, [Act::Held(Box::new(Act::Sell))]);
    let base_uri = upstream.base_uri();
    let world = world_on(folder.path(), &base_uri, &[]).await;
    let other = Server::start(folder.path(), &base_uri, &[]).await;
    let state = folder.path().to_str().unwrap();
    let stdio = program(&["stdio", "--state-dir", state], &variables(&base_uri, &[]));
    let [legacy, modern] = lifecycles();
    let session = world.client(legacy).await;
    let stdio = stdio_client(stdio, modern).await;
    let mut calls = JoinSet::new();
    for arguments in spellings().into_iter().cycle().take(13) {
        for caller in [Caller::of(&world), other.caller()] {
            let arguments = arguments.clone();
            calls.spawn(async move { caller.call(TOOL, &arguments).await });
        }
        for peer in [session.peer().clone(), stdio.peer().clone()] {
            calls.spawn(call_peer(peer, arguments.clone()));
        }
    }
    assert_eq!(calls.len(), 52);
    upstream.wait_for(ITEM, 1).await;
    upstream.open_gate();
    check_one(&within("the answers", calls.join_all()).await);
    assert_eq!(upstream.arrivals(ITEM), 1);
    assert_eq!(states(folder.path()), ["done"]);
}

#[tokio::test]
async fn fifty_identical_purchases_at_once_that_are_refused_are_asked_for_once() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    let declined = Act::Say(refusal(200, 3102));
    upstream.script(ITEM, [Act::Held(Box::new(declined.clone())), declined]);
    upstream.script("/user/purchase/rrpitem", [Act::Sell]);
    let world = world_on(folder.path(), &upstream.base_uri(), &[]).await;
    let [legacy, _] = lifecycles();
    let session = world.client(legacy).await;
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        calls.spawn(call_peer(session.peer().clone(), release()));
    }
    upstream.wait_for(ITEM, 1).await;
    // A whole purchase in the same session, after the fifty: by its end the others wait for the one under way.
    call_with(&session, "purchase-user-rrp-item", release()).await;
    upstream.open_gate();
    for result in within("the answers", calls.join_all()).await {
        let told = failure(&result);
        assert!(told.contains("Nothing was charged"), "{told}");
        assert!(!told.contains("confirmation"), "nobody was asked: {told}");
    }
    assert_eq!(upstream.arrivals(ITEM), 1);
}

/// A purchase is made on a folder; then `repeat` makes it again and gives the result.
async fn repeated(repeat: impl AsyncFnOnce(&Path, &Upstream) -> Value) -> (Value, Value, usize) {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(ITEM, [Act::Sell]);
    let world = world_on(folder.path(), &upstream.base_uri(), &[]).await;
    let first = Caller::of(&world).call(TOOL, &release()).await;
    drop(world);
    let second = repeat(folder.path(), &upstream).await;
    (first, second, upstream.arrivals(ITEM))
}

async fn again(folder: &Path, upstream: &Upstream) -> Value {
    let world = world_on(folder, &upstream.base_uri(), &[]).await;
    Caller::of(&world).call(TOOL, &release()).await
}

#[tokio::test]
async fn a_purchase_is_remembered_after_a_restart() {
    let (first, second, arrivals) = repeated(again).await;
    assert_eq!(arrivals, 1);
    check_one(&[first, second]);
    let (first, second, arrivals) = repeated(async |folder, upstream| {
        let server = Server::start(folder, &upstream.base_uri(), &[]).await;
        server.caller().call(TOOL, &release()).await
    })
    .await;
    assert_eq!(arrivals, 1);
    check_one(&[first, second]);
}

#[tokio::test]
async fn a_purchase_is_remembered_for_a_day() {
    const DAY: i64 = 24 * 60 * 60 * 1_000;
    for (age_in_ms, arrivals) in [(DAY - 60_000, 1), (DAY + 1, 2)] {
        let (first, second, arrived) = repeated(async |folder, upstream| {
            age(folder, age_in_ms);
            again(folder, upstream).await
        })
        .await;
        assert_eq!(arrived, arrivals, "{age_in_ms}");
        assert_eq!(is_replayed(&second), arrivals == 1, "{second}");
        let same = purchase_id(&first) == purchase_id(&second);
        assert_eq!(same, arrivals == 1, "{second}");
    }
}

#[tokio::test]
async fn another_account_or_another_item_is_another_purchase() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script("/user/purchase/rrpitem", [Act::Sell]);
    upstream.script(ITEM, [Act::Sell]);
    let settings = [("SEVENDIGITAL_MCP_USER_FROM_HEADERS", "true")];
    let world = world_on(folder.path(), &upstream.base_uri(), &settings).await;
    let own = Caller::of(&world);
    let second = own
        .clone()
        .with("x-7digital-access-token", demo::SECOND_ACCESS_TOKEN)
        .with(
            "x-7digital-access-token-secret",
            demo::SECOND_ACCESS_TOKEN_SECRET,
        );
    let managed = |id| own.clone().with("x-7digital-user-id", id);
    let track = json!({"releaseId": "11700062", "trackId": "1170006201"});
    let priced = json!({"releaseId": "11700062", "price": 799});
    let rows = [
        (&own, TOOL, release()),
        (&second, TOOL, release()),
        (&managed("500123"), TOOL, release()),
        (&managed("500124"), TOOL, release()),
        (&own, TOOL, track),
        (&own, TOOL, priced),
        (&own, "purchase-user-rrp-item", release()),
    ];
    for (caller, tool, arguments) in &rows {
        for replayed in [false, true] {
            let result = caller.call(tool, arguments).await;
            assert_eq!(
                is_replayed(&result),
                replayed,
                "{tool} {arguments} {result}"
            );
        }
    }
    assert_eq!(states(folder.path()), ["done"; 7]);
}

#[tokio::test]
async fn what_was_refused_can_be_bought_again() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(ITEM, [Act::Say(refusal(200, 3102)), Act::Sell]);
    let world = world_on(folder.path(), &upstream.base_uri(), &[]).await;
    let caller = Caller::of(&world);
    let refused = caller.call(TOOL, &release()).await;
    let told = failure(&refused);
    assert!(told.contains("3102"), "{told}");
    assert!(told.contains("Nothing was charged"), "{told}");
    let bought = caller.call(TOOL, &release()).await;
    assert!(!is_replayed(&bought), "{bought}");
    purchase_id(&bought);
    assert_eq!(upstream.arrivals(ITEM), 2);
    assert_eq!(states(folder.path()), ["refused", "done"]);
}

#[tokio::test]
async fn what_was_not_sent_can_be_bought_again() {
    let folder = folder();
    // A port on which nobody listens yet.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let base_uri = format!("http://{address}/1.2");
    let world = world_on(folder.path(), &base_uri, &[]).await;
    let caller = Caller::of(&world);
    let unreached = caller.call(TOOL, &release()).await;
    let told = failure(&unreached);
    assert!(told.contains("Nothing was charged"), "{told}");
    let upstream = Upstream::at(address).await;
    upstream.script(ITEM, [Act::Sell]);
    let bought = caller.call(TOOL, &release()).await;
    assert!(!is_replayed(&bought), "{bought}");
    assert_eq!(upstream.arrivals(ITEM), 1);
    assert_eq!(states(folder.path()), ["not_sent", "done"]);
}

/// Sends the purchase three times, each time breaking the connection once it is under way; then asks once more.
async fn cut_thrice(
    world: &World,
    upstream: &Upstream,
    send: impl AsyncFn() -> tokio::net::TcpStream,
) {
    for _ in 0..3 {
        let socket = send().await;
        upstream.wait_for(ITEM, 1).await;
        drop(socket);
    }
    upstream.open_gate();
    let result = Caller::of(world).call(TOOL, &release()).await;
    assert!(is_replayed(&result), "{result}");
    purchase_id(&result);
    assert_eq!(upstream.arrivals(ITEM), 1);
}

#[tokio::test]
async fn a_purchase_cut_and_sent_again_three_times_is_made_once_and_its_outcome_kept() {
    for era in ["without a handshake", LEGACY[0]] {
        let (folder, upstream) = (folder(), Upstream::start().await);
        upstream.script(ITEM, [Act::Held(Box::new(Act::Sell)), Act::Sell]);
        let world = world_on(folder.path(), &upstream.base_uri(), &[]).await;
        if era == LEGACY[0] {
            let session = world.legacy_session(LEGACY[0]).await;
            let headers = [
                ("content-type", "application/json"),
                ("accept", "application/json, text/event-stream"),
                ("mcp-protocol-version", era),
                ("mcp-session-id", session.id.as_str()),
            ];
            let params = json!({"name": TOOL, "arguments": release()});
            let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
            let body = body.to_string();
            cut_thrice(&world, &upstream, async || {
                send(&world.url, &headers, &body).await
            })
            .await;
        } else {
            let caller = Caller::of(&world);
            cut_thrice(&world, &upstream, async || {
                caller.send(TOOL, &release()).await
            })
            .await;
        }
        let [row] = &rows(folder.path())[..] else {
            panic!("{:?}", rows(folder.path()))
        };
        assert_eq!(row.state, "done", "{era}");
        assert!(row.purchase_id.is_some(), "{era}");
    }
}
