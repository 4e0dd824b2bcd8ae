//! What a client takes as an answer: it is served wherever the answer can be had like that.

use std::time::Duration;

use serde_json::{Value, json};

use super::requests::{doors, unharmed};
use crate::support::draft::{Answer, Draft};
use crate::support::messages::{hello, message};
use crate::support::upstream::{Act, Upstream, ok};
use crate::support::{Client, LEGACY, Reply, World};

const PURCHASE: &str = "purchase-user-item";
const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

fn accepting(draft: &Draft, accepts: &[&str]) -> Draft {
    let bare = draft.clone().without("Accept");
    let add = |draft: Draft, accept: &&str| draft.and("Accept", accept);
    accepts.iter().fold(bare, add)
}

/// What a client may send, and whether it takes JSON and streams of events.
const ACCEPTS: [(&[&str], bool, bool); 17] = [
    (&["application/json, text/event-stream"], true, true),
    (&["application/json", "text/event-stream"], true, true),
    (
        &["Application/JSON;q=0.9, TEXT/event-stream; q=1"],
        true,
        true,
    ),
    (&[], true, true),
    (&[""], true, true),
    (&["*/*"], true, true),
    (&["text/html, */*;q=0.1"], true, true),
    (&["application/json"], true, false),
    (&["application/*"], true, false),
    (&["application/*;q=0.5, text/html"], true, false),
    (&["application/json, */*;q=0"], true, false),
    (&["text/event-stream"], false, true),
    (&["text/*"], false, true),
    (&["text/event-stream, application/json;q=0"], false, true),
    (&["text/html"], false, false),
    (&["*/*;q=0"], false, false),
    (&["application/xml"], false, false),
];

fn check_not_acceptable(answer: &Answer) {
    answer.check_refused("MCP", 406, &[-32600]);
    let error = answer.json();
    let told = error["error"]["message"].as_str().unwrap();
    assert!(told.contains("Accept: "), "{told}");
    assert!(!error["id"].is_null(), "{error}");
}

#[tokio::test]
async fn without_a_session_who_takes_json_is_served() {
    let world = World::start().await;
    let [(_, good), _] = doors(&world);
    let mut served = 0;
    for (accepts, json, _) in ACCEPTS {
        let answer = accepting(&good, accepts).send().await;
        if json {
            assert_eq!(
                (answer.status, answer.kind()),
                (200, JSON),
                "{accepts:?}: {answer:?}"
            );
            served += 1;
        } else {
            check_not_acceptable(&answer);
        }
        // What has no answer needs none that is taken.
        let mut notice: Value = serde_json::from_slice(&good.body).unwrap();
        notice.as_object_mut().unwrap().remove("id");
        let answer = accepting(&good.clone().saying(&notice), accepts)
            .send()
            .await;
        assert_eq!(answer.status, 202, "{accepts:?}: {answer:?}");
    }
    unharmed(&world, served).await;
}

#[tokio::test]
async fn in_a_session_json_or_events_alone_are_served_too() {
    let world = World::start().await;
    let session = Client::of(&world).in_session(LEGACY[0]).await;
    let locker = json!({"name": "get-user-locker", "arguments": {}});
    let hello = message(json!(0), "initialize", &hello(LEGACY[0]));
    let opening = Draft::mcp(&world.url).saying(&hello);
    for (accepts, json, events) in ACCEPTS {
        let kind = if events { EVENTS } else { JSON };
        for (what, draft) in [
            ("initialize", opening.clone()),
            (
                "ping",
                session.saying(&message(json!(1), "ping", &json!({}))),
            ),
            (
                "call",
                session.saying(&message(json!(2), "tools/call", &locker)),
            ),
        ] {
            let draft = accepting(&draft, accepts);
            if !json && !events {
                check_not_acceptable(&draft.send().await);
                continue;
            }
            let reply = session.transmit(draft).await.unwrap();
            assert_eq!(reply.status(), 200, "{what} {accepts:?}");
            let reply = Reply::of(reply).await;
            assert_eq!(reply.kind(), kind, "{what} {accepts:?}");
            assert!(reply.result().is_object(), "{what} {accepts:?}");
            assert_eq!(
                reply.headers.contains_key("mcp-session-id"),
                what == "initialize"
            );
        }
        let stream = accepting(&session.bare_request("GET"), accepts);
        let reply = session.transmit(stream.clone()).await.unwrap();
        assert_eq!(
            reply.status(),
            if events { 200 } else { 406 },
            "{accepts:?}"
        );
        if !events {
            assert_eq!(reply.headers()["content-type"], JSON, "{accepts:?}");
        }
    }
}

#[tokio::test]
async fn who_takes_json_alone_is_not_asked_on_a_stream() {
    let world = World::with(&[
        ("SEVENDIGITAL_MCP_SPENDING", "confirm"),
        ("SEVENDIGITAL_MCP_CONFIRM_WITH", "client"),
    ])
    .await;
    let session = Client::of(&world)
        .that_can_ask()
        .in_session(LEGACY[0])
        .await;
    let params = json!({"name": PURCHASE, "arguments": {"releaseId": "11700062"}});
    let call = session.saying(&message(json!(3), "tools/call", &params));
    let answer = accepting(&call, &[JSON]).send().await;
    assert_eq!((answer.status, answer.kind()), (200, JSON), "{answer:?}");
    assert_eq!(answer.json()["result"]["isError"], true, "{answer:?}");
    assert_eq!(world.sandbox.sales().len(), 0);
}

#[tokio::test]
async fn who_takes_json_alone_gets_the_answer_and_no_progress() {
    let upstream = Upstream::start().await;
    let locker = json!({"status": "ok", "version": "1.2", "locker": {"lockerReleases": {}}});
    let held = Act::Held(Box::new(Act::Say(ok(&locker.to_string()))));
    upstream.script("/user/locker", [held]);
    let world = World::with(&[
        ("SEVENDIGITAL_BASE_URI", &upstream.base_uri()),
        ("SEVENDIGITAL_MCP_LIMIT_READ_TIMEOUT", "1m"),
        ("SEVENDIGITAL_MCP_LIMIT_READ_DEADLINE", "1m"),
    ])
    .await;
    let params = json!({"name": "get-user-locker", "arguments": {}, "_meta": {"progressToken": 1}});
    let call = Draft::message(&world.url, "tools/call", params);
    let mut wire = accepting(&call, &[JSON]).start().await;
    upstream.wait_for("/user/locker", 1).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(5_100)).await;
    tokio::time::resume();
    upstream.open_gate();
    let answer = wire.answer().await.unwrap();
    assert_eq!((answer.status, answer.kind()), (200, JSON), "{answer:?}");
}
