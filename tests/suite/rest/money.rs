//! REST: nothing is bought by accident, or twice.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::money::purchases::ITEM;
use crate::rest::routes::{Header, ask, call, get, problem};
use crate::support::upstream::{Act, Upstream, http, refusal};
use crate::support::{
    Caller, Setting, World, folder, is_replayed, purchase_id, states, until, within, world_on,
};

const TOOL: &str = "purchase-user-item";
const BUY: &str = "/v1/user/purchase/item?releaseId=11700062";
const OTHER: &str = "/v1/user/purchase/item?releaseId=11700063";
const CONFIRM: Setting<'static> = ("SEVENDIGITAL_MCP_SPENDING", "confirm");

fn key(name: &str) -> [Header<'_>; 1] {
    [("idempotency-key", name)]
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

async fn shop(settings: &[Setting<'_>]) -> (tempfile::TempDir, Upstream, World) {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(ITEM, [Act::Sell]);
    let world = world_on(folder.path(), &upstream.base_uri(), settings).await;
    (folder, upstream, world)
}

#[tokio::test]
async fn the_same_key_with_the_same_arguments_gets_the_stored_outcome() {
    let (_folder, upstream, world) = shop(&[]).await;
    let first = get(&world, BUY, &key("a")).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let id = document(&first.text)["purchase"]["id"].clone();
    for (target, name) in [
        (BUY, Some("a")),
        (
            "/v1/user/purchase/item?country=gb&releaseId=11700062",
            Some("a"),
        ),
        // Another key, or none, makes no other purchase of it.
        (BUY, Some("b")),
        (BUY, None),
    ] {
        let headers = name.map(key);
        let headers = headers.as_ref().map_or(&[][..], |headers| &headers[..]);
        let again = get(&world, target, headers).await;
        assert_eq!(again.status, 200, "{again:?}");
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert!(again.headers.contains_key("x-first-made-at"));
        assert_eq!(document(&again.text)["purchase"]["id"], id);
    }
    assert_eq!(upstream.arrivals(ITEM), 1);
}

#[tokio::test]
async fn the_same_key_with_other_arguments_is_refused() {
    let (_folder, upstream, world) = shop(&[]).await;
    assert_eq!(get(&world, BUY, &key("a")).await.status, 200);
    for target in [
        OTHER,
        "/v1/user/purchase/item?releaseId=11700062&trackId=1",
        "/v1/user/purchase/rrpitem?releaseId=11700062",
        "/v1/user/deliveritem?releaseId=11700062",
    ] {
        let reply = get(&world, target, &key("a")).await;
        let document = problem(&reply, 422, "key-reused");
        assert_eq!(document["mayHaveCharged"], false);
    }
    // A key that only ever got a replay belongs to that purchase too.
    assert_eq!(get(&world, BUY, &key("b")).await.status, 200);
    problem(&get(&world, OTHER, &key("b")).await, 422, "key-reused");
    assert_eq!(upstream.counts().len(), 1, "{:?}", upstream.counts());
    for wrong in ["", "ü", &"x".repeat(256)] {
        let reply = get(&world, OTHER, &key(wrong)).await;
        problem(&reply, 400, "invalid-header");
    }
    let twice = [("idempotency-key", "c"), ("idempotency-key", "d")];
    problem(&get(&world, OTHER, &twice).await, 400, "invalid-header");
    assert_eq!(
        get(
            &world,
            "/v1/user/purchase/item?releaseId=11700064",
            &key(&"x".repeat(255))
        )
        .await
        .status,
        200
    );
}

#[tokio::test]
async fn one_key_for_two_purchases_at_once_buys_one() {
    let (_folder, upstream, world) = shop(&[]).await;
    let headers = key("a");
    let (one, other) = tokio::join!(get(&world, BUY, &headers), get(&world, OTHER, &headers));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
    assert_eq!(upstream.arrivals(ITEM), 1);
}

#[tokio::test]
async fn a_refusal_is_stored_under_its_key_and_under_no_other() {
    let (_folder, upstream, world) = shop(&[]).await;
    upstream.script(ITEM, [Act::Say(refusal(200, 3102)), Act::Sell]);
    let first = problem(&get(&world, BUY, &key("a")).await, 422, "refused");
    assert_eq!(
        (&first["code"], &first["outcome"]),
        (&json!(3102), &json!("refused"))
    );
    let again = get(&world, BUY, &key("a")).await;
    assert_eq!(problem(&again, 422, "refused")["code"], 3102);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(upstream.arrivals(ITEM), 1);
    assert_eq!(get(&world, BUY, &key("b")).await.status, 200);
    assert_eq!(
        get(&world, BUY, &key("a")).await.status,
        200,
        "it was bought since"
    );
    assert_eq!(upstream.arrivals(ITEM), 2);
}

#[tokio::test]
async fn a_purchase_without_a_trustworthy_answer_says_so_and_is_not_sent_again() {
    let (folder, upstream, world) = shop(&[]).await;
    upstream.script(ITEM, [Act::Say(http(500, "", "<html>"))]);
    let first = problem(&get(&world, BUY, &key("a")).await, 503, "unavailable");
    assert_eq!(first["outcome"], "unknown");
    assert_eq!(
        (&first["mayHaveCharged"], &first["repeat"]),
        (&json!(true), &json!("after_check"))
    );
    let again = problem(&get(&world, BUY, &key("a")).await, 409, "outcome-unknown");
    assert_eq!(again["mayHaveCharged"], true);
    assert_eq!(upstream.arrivals(ITEM), 1);
    assert_eq!(states(folder.path()), ["unknown"]);
}

#[tokio::test]
async fn rest_and_mcp_share_one_purchase() {
    let (folder, upstream, world) = shop(&[]).await;
    upstream.script(ITEM, [Act::Held(Box::new(Act::Sell))]);
    let world = std::sync::Arc::new(world);
    let mut calls = JoinSet::new();
    for number in 0..25 {
        let (world, caller) = (world.clone(), Caller::of(&world));
        calls.spawn(async move {
            let reply = get(&world, BUY, &key(&format!("k{number}"))).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            let replayed = reply.headers.contains_key("idempotency-replayed");
            (document(&reply.text)["purchase"]["id"].clone(), replayed)
        });
        calls.spawn(async move {
            let result = caller.call(TOOL, &json!({"releaseId": "11700062"})).await;
            (json!(purchase_id(&result)), is_replayed(&result))
        });
    }
    upstream.wait_for(ITEM, 1).await;
    upstream.open_gate();
    let answers = within("the answers", calls.join_all()).await;
    assert_eq!(answers.iter().filter(|(_, replayed)| !replayed).count(), 1);
    assert!(
        answers.iter().all(|(id, _)| *id == answers[0].0),
        "{answers:?}"
    );
    assert_eq!(upstream.arrivals(ITEM), 1);
    assert_eq!(states(folder.path()), ["done"]);
}

#[tokio::test]
async fn a_question_goes_to_the_caller_and_a_yes_is_good_for_one_call() {
    let (folder, upstream, world) = shop(&[CONFIRM]).await;
    let asked = problem(
        &get(&world, BUY, &key("a")).await,
        409,
        "confirmation-needed",
    );
    let message = asked["message"].as_str().unwrap();
    assert!(message.contains("11700062"), "{message}");
    assert_eq!(
        (&asked["outcome"], &asked["mayHaveCharged"]),
        (&json!("not_sent"), &json!(false))
    );
    let yes = asked["confirmation"].as_str().unwrap();
    let confirmed = [("x-confirmation", yes)];
    for target in [OTHER, "/v1/user/purchase/rrpitem?releaseId=11700062"] {
        let reply = get(&world, target, &confirmed).await;
        problem(&reply, 409, "confirmation-invalid");
    }
    let forged = format!("{}x", &yes[..yes.len() - 1]);
    for wrong in [forged.as_str(), "yes", "true"] {
        let reply = get(&world, BUY, &[("x-confirmation", wrong)]).await;
        problem(&reply, 409, "confirmation-invalid");
    }
    assert_eq!(upstream.arrivals(ITEM), 0);
    let with_key = [("x-confirmation", yes), ("idempotency-key", "a")];
    let done = get(&world, BUY, &with_key).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(upstream.arrivals(ITEM), 1);
    crate::support::empty(folder.path());
    let again = get(&world, BUY, &confirmed).await;
    problem(&again, 409, "confirmation-invalid");
    assert_eq!(upstream.arrivals(ITEM), 1);
}

#[tokio::test]
async fn what_is_deleted_is_asked_about_too() {
    let world = World::with(&[CONFIRM]).await;
    let arguments = json!({"body": {"cardId": "8154431"}});
    let tool = "delete-user-payment-card";
    let asked = problem(
        &call(&world, tool, &arguments, &[]).await,
        409,
        "confirmation-needed",
    );
    let yes = [("x-confirmation", asked["confirmation"].as_str().unwrap())];
    assert_eq!(call(&world, tool, &arguments, &yes).await.status, 200);
    problem(
        &call(&world, tool, &arguments, &yes).await,
        409,
        "confirmation-invalid",
    );
}

#[tokio::test]
async fn an_address_that_a_browser_opens_changes_nothing() {
    let world = World::start().await;
    for (tool, arguments) in crate::support::calls::calls() {
        let tool_of = sevendigital_tools::TOOLS
            .iter()
            .find(|other| other.contract.name == tool);
        if tool_of.unwrap().contract.upstream.effect == sevendigital::Effect::Reads {
            continue;
        }
        for dest in ["document", "image", "iframe", "prefetch", "nonsense"] {
            for site in ["none", "same-origin"] {
                let headers = [("sec-fetch-dest", dest), ("sec-fetch-site", site)];
                let reply = call(&world, tool, &arguments, &headers).await;
                problem(&reply, 403, "foreign-request");
            }
        }
    }
    assert_eq!(world.arrivals().len(), 0);
    let script = [
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-site", "same-origin"),
    ];
    assert_eq!(get(&world, BUY, &script).await.status, 200);
}

#[tokio::test]
async fn where_spending_is_off_or_bounded_rest_is_told() {
    let off = World::with(&[("SEVENDIGITAL_MCP_SPENDING", "off")]).await;
    problem(&get(&off, BUY, &[]).await, 403, "spending-off");
    assert_eq!(off.arrivals().len(), 0);
    let bounded = World::with(&[("SEVENDIGITAL_MCP_MAX_CHARGES_PER_DAY", "1")]).await;
    assert_eq!(get(&bounded, BUY, &[]).await.status, 200);
    problem(&get(&bounded, OTHER, &[]).await, 403, "spending-limit");
}

#[tokio::test]
async fn who_hangs_up_during_a_purchase_finds_it_made() {
    let (folder, upstream, world) = shop(&[]).await;
    upstream.script(ITEM, [Act::Held(Box::new(Act::Sell))]);
    let address = world.rest.strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!("GET {BUY} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    upstream.wait_for(ITEM, 1).await;
    drop(socket);
    upstream.open_gate();
    until("the outcome", || states(folder.path()) == ["done"]).await;
    let again = ask(&world, "GET", BUY, &[], Vec::new()).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(upstream.arrivals(ITEM), 1);
}
