//! REST: nothing is bought by accident, or twice.

use serde_json::{Value, json};
use sevendigital::Effect;
use tokio::task::JoinSet;

use crate::support::calls::calls_with;
use crate::support::client::Header;
use crate::support::draft::Draft;
use crate::support::rest::{BUY, call, get};
use crate::support::upstream::{Act, Upstream, http, refusal};
use crate::support::{
    Client, Reply, Setting, World, empty, folder, is_replayed, problem, purchase_id, states, until,
    within, world_on,
};

const ITEM: &str = "/user/purchase/item";

const TOOL: &str = "purchase-user-item";
const OTHER: &str = "/v1/user/purchase/item?releaseId=11700063";
const CONFIRM: Setting<'static> = ("SEVENDIGITAL_MCP_SPENDING", "confirm");

fn key(name: &str) -> [Header<'_>; 1] {
    [("idempotency-key", name)]
}

/// The id of a purchase that succeeded.
#[track_caller]
fn bought(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.message()["purchase"]["id"].clone()
}

/// The same of one that the ledger answered.
#[track_caller]
fn replayed(reply: &Reply) -> Value {
    assert_eq!(reply.headers["idempotency-replayed"], "true", "{reply:?}");
    assert!(reply.headers.contains_key("x-first-made-at"), "{reply:?}");
    bought(reply)
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
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let id = bought(&first);
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
        assert_eq!(replayed(&again), id);
    }
    assert_eq!(upstream.arrivals(ITEM), 1);
}

#[tokio::test]
async fn the_same_key_with_other_arguments_is_refused() {
    let (_folder, upstream, world) = shop(&[]).await;
    bought(&get(&world, BUY, &key("a")).await);
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
    bought(&get(&world, BUY, &key("b")).await);
    problem(&get(&world, OTHER, &key("b")).await, 422, "key-reused");
    assert_eq!(upstream.counts().len(), 1, "{:?}", upstream.counts());
    for wrong in ["", "ü", &"x".repeat(256)] {
        let reply = get(&world, OTHER, &key(wrong)).await;
        problem(&reply, 400, "invalid-header");
    }
    let twice = [("idempotency-key", "c"), ("idempotency-key", "d")];
    problem(&get(&world, OTHER, &twice).await, 400, "invalid-header");
    let another = "/v1/user/purchase/item?releaseId=11700064";
    bought(&get(&world, another, &key(&"x".repeat(255))).await);
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
    bought(&get(&world, BUY, &key("b")).await);
    // It was bought since.
    bought(&get(&world, BUY, &key("a")).await);
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
        let (world, caller) = (world.clone(), Client::of(&world));
        calls.spawn(async move {
            let reply = get(&world, BUY, &key(&format!("k{number}"))).await;
            let replayed = reply.headers.contains_key("idempotency-replayed");
            (bought(&reply), replayed)
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
async fn a_question_goes_to_the_caller_and_confirms_one_call() {
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
    bought(&get(&world, BUY, &with_key).await);
    assert_eq!(upstream.arrivals(ITEM), 1);
    empty(folder.path());
    let again = get(&world, BUY, &confirmed).await;
    problem(&again, 409, "confirmation-invalid");
    assert_eq!(upstream.arrivals(ITEM), 1);
}

#[tokio::test]
async fn what_is_deleted_is_asked_about_too() {
    let world = World::with(&[CONFIRM]).await;
    let arguments = json!({"body": {"cardId": "8154431"}});
    let tool = "delete-user-payment-card";
    let asked = call(&world, tool, &arguments, &[]).await;
    let asked = problem(&asked, 409, "confirmation-needed");
    let yes = [("x-confirmation", asked["confirmation"].as_str().unwrap())];
    assert_eq!(call(&world, tool, &arguments, &yes).await.status, 200);
    let again = call(&world, tool, &arguments, &yes).await;
    problem(&again, 409, "confirmation-invalid");
}

#[tokio::test]
async fn an_address_that_a_browser_opens_changes_nothing() {
    let world = World::start().await;
    for (tool, arguments) in calls_with(&[Effect::Charges, Effect::Writes]) {
        for dest in ["document", "image", "iframe", "prefetch", "nonsense"] {
            for site in ["none", "same-origin"] {
                let headers = [("sec-fetch-dest", dest), ("sec-fetch-site", site)];
                let reply = call(&world, tool, &arguments, &headers).await;
                problem(&reply, 403, "foreign-request");
            }
        }
    }
    // What says it alone, as the picture and the link of a page do in one browser or another.
    for (name, value) in [
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-mode", "navigate"),
        (
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ),
        ("accept", "image/avif,image/webp,*/*"),
        ("accept", "*/*, image/png"),
    ] {
        problem(
            &get(&world, BUY, &[(name, value)]).await,
            403,
            "foreign-request",
        );
    }
    assert_eq!(world.arrivals().len(), 0);
    let script = [
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-site", "same-origin"),
        ("accept", "application/json, */*"),
    ];
    assert_eq!(get(&world, BUY, &script).await.status, 200);
}

#[tokio::test]
async fn where_spending_is_off_or_bounded_rest_says_so() {
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
    let buy = Draft::new(&world.rest, "GET", BUY).start().await;
    upstream.wait_for(ITEM, 1).await;
    drop(buy);
    upstream.open_gate();
    until("the outcome", || states(folder.path()) == ["done"]).await;
    replayed(&get(&world, BUY, &[]).await);
    assert_eq!(upstream.arrivals(ITEM), 1);
}
