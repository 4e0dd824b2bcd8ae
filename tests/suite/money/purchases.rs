//! The same purchase is sent once: at once, one after another, over all surfaces, after restarts and broken connections.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{ITEM, TOOL, release, second_user};
use crate::support::upstream::{Act, Upstream, refusal};
use crate::support::{
    Client, LEGACY, Server, Surface, age, call_with, check_one, fails_with, folder, is_replayed,
    lifecycles, program, purchase_id, rows, states, stdio_client, variables, within, world_on,
};

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

#[tokio::test]
async fn fifty_identical_purchases_at_once_are_one() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(ITEM, [Act::Held(Box::new(Act::Sell))]);
    let world = world_on(folder.path(), &upstream.base_uri(), &[]).await;
    let caller = Client::of(&world);
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
    let session = Arc::new(world.client(legacy).await);
    let stdio = Arc::new(stdio_client(stdio, modern).await);
    let mut calls = JoinSet::new();
    for arguments in spellings().into_iter().cycle().take(13) {
        for caller in [Client::of(&world), other.caller()] {
            let arguments = arguments.clone();
            calls.spawn(async move { caller.call(TOOL, &arguments).await });
        }
        for client in [&session, &stdio] {
            let (client, arguments) = (Arc::clone(client), arguments.clone());
            calls.spawn(async move { call_with(&client, TOOL, arguments).await });
        }
    }
    upstream.wait_for(ITEM, 1).await;
    upstream.open_gate();
    check_one(&within("the answers", calls.join_all()).await);
    assert_eq!(upstream.arrivals(ITEM), 1);
    assert_eq!(states(folder.path()), ["done"]);
}

#[tokio::test]
async fn who_waits_for_a_purchase_that_is_refused_is_refused_with_it() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    let declined = Act::Say(refusal(200, 3102));
    upstream.script(ITEM, [Act::Held(Box::new(declined.clone())), declined]);
    upstream.script("/user/purchase/rrpitem", [Act::Sell]);
    let world = world_on(folder.path(), &upstream.base_uri(), &[]).await;
    let [legacy, _] = lifecycles();
    let session = Arc::new(world.client(legacy).await);
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        let client = Arc::clone(&session);
        calls.spawn(async move { call_with(&client, TOOL, release()).await });
    }
    upstream.wait_for(ITEM, 1).await;
    // A whole purchase in the same session, after the fifty: by its end the others wait for the one in flight.
    let other = json!({"releaseId": "11700063"});
    call_with(&session, "purchase-user-rrp-item", other).await;
    upstream.open_gate();
    let (mut asked, mut waited) = (0, 0);
    for result in within("the answers", calls.join_all()).await {
        let told = fails_with(&result, &["Nothing was charged"]);
        assert!(!told.contains("confirmation"), "no question: {told}");
        if told.contains("The same purchase was") {
            waited += 1;
        } else {
            asked += 1;
        }
    }
    println!("{waited} waited and were refused with the one in flight");
    assert!(waited > 0, "{waited}");
    // What a loaded machine brings only after the refusal may be sent anew, as any repeat of what was refused; nothing else is.
    assert_eq!(upstream.arrivals(ITEM), asked);
}

/// A purchase is made on a folder; then `repeat` makes it again and gives the result.
async fn repeated(repeat: impl AsyncFnOnce(&Path, &Upstream) -> Value) -> (Value, Value, usize) {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(ITEM, [Act::Sell]);
    let world = world_on(folder.path(), &upstream.base_uri(), &[]).await;
    let first = Client::of(&world).call(TOOL, &release()).await;
    drop(world);
    let second = repeat(folder.path(), &upstream).await;
    (first, second, upstream.arrivals(ITEM))
}

async fn again(folder: &Path, upstream: &Upstream) -> Value {
    let world = world_on(folder, &upstream.base_uri(), &[]).await;
    Client::of(&world).call(TOOL, &release()).await
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
    upstream.script(ITEM, [Act::Sell]);
    let settings = [("SEVENDIGITAL_MCP_USER_FROM_HEADERS", "true")];
    let world = world_on(folder.path(), &upstream.base_uri(), &settings).await;
    let own = Client::of(&world);
    let second = second_user(&own);
    let managed = |id| own.with("x-7digital-user-id", id);
    let track = json!({"releaseId": "11700062", "trackId": "1170006201"});
    let other = json!({"releaseId": "11700063"});
    let rows = [
        (&own, TOOL, release()),
        (&second, TOOL, release()),
        (&managed("500123"), TOOL, release()),
        (&managed("500124"), TOOL, release()),
        (&own, TOOL, track),
        (&own, TOOL, other),
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
    assert_eq!(states(folder.path()), ["done"; 6]);
}

#[tokio::test]
async fn what_was_refused_can_be_bought_again() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(ITEM, [Act::Say(refusal(200, 3102)), Act::Sell]);
    let world = world_on(folder.path(), &upstream.base_uri(), &[]).await;
    let caller = Client::of(&world);
    let refused = caller.call(TOOL, &release()).await;
    fails_with(&refused, &["3102", "Nothing was charged"]);
    let bought = caller.call(TOOL, &release()).await;
    assert!(!is_replayed(&bought), "{bought}");
    purchase_id(&bought);
    assert_eq!(upstream.arrivals(ITEM), 2);
    assert_eq!(states(folder.path()), ["refused", "done"]);
}

#[tokio::test]
async fn what_was_not_sent_can_be_bought_again() {
    let folder = folder();
    // A port that is closed for now.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let base_uri = format!("http://{address}/1.2");
    let world = world_on(folder.path(), &base_uri, &[]).await;
    let caller = Client::of(&world);
    let unreached = caller.call(TOOL, &release()).await;
    fails_with(&unreached, &["Nothing was charged"]);
    let upstream = Upstream::at(address).await;
    upstream.script(ITEM, [Act::Sell]);
    let bought = caller.call(TOOL, &release()).await;
    assert!(!is_replayed(&bought), "{bought}");
    assert_eq!(upstream.arrivals(ITEM), 1);
    assert_eq!(states(folder.path()), ["not_sent", "done"]);
}

#[tokio::test]
async fn a_purchase_cut_and_sent_again_three_times_is_made_once() {
    for surface in [Surface::Modern, Surface::Session] {
        let (folder, upstream) = (folder(), Upstream::start().await);
        upstream.script(ITEM, [Act::Held(Box::new(Act::Sell)), Act::Sell]);
        let world = world_on(folder.path(), &upstream.base_uri(), &[]).await;
        let client = Client::of(&world).in_session(LEGACY[0]).await;
        for _ in 0..3 {
            let wire = client.request(surface, TOOL, &release()).start().await;
            upstream.wait_for(ITEM, 1).await;
            drop(wire);
        }
        upstream.open_gate();
        let result = client.call(TOOL, &release()).await;
        assert!(is_replayed(&result), "{result}");
        purchase_id(&result);
        assert_eq!(upstream.arrivals(ITEM), 1);
        let [row] = &rows(folder.path())[..] else {
            panic!("{:?}", rows(folder.path()))
        };
        assert_eq!(row.state, "done", "{surface:?}");
        assert!(row.purchase_id.is_some(), "{surface:?}");
    }
}
