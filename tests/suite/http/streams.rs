//! Streams of events, and answers that don't wait for anything.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::draft::{Draft, Wire};
use crate::support::{LEGACY, World, within};

#[tokio::test]
async fn a_stream_of_events_is_not_buffered_or_cached_on_the_way() {
    let world = World::start().await;
    let session = world.legacy_session(LEGACY[0]).await;
    let headers = [
        ("accept", "application/json, text/event-stream"),
        ("content-type", "application/json"),
        ("mcp-session-id", session.id.as_str()),
        ("mcp-protocol-version", LEGACY[0]),
    ];
    let params = json!({"name": "get-user-locker", "arguments": {}});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    for request in [
        world.http.get(&world.url),
        world.http.post(&world.url).body(call.to_string()),
    ] {
        let add = |request: reqwest::RequestBuilder, (name, value)| request.header(name, value);
        let request = headers.into_iter().fold(request, add);
        let answer = within("the stream", request.send()).await.unwrap();
        assert_eq!(answer.status(), 200);
        let told = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(told("content-type"), "text/event-stream");
        // nginx would gather events, and a cache keep them.
        assert_eq!(told("x-accel-buffering"), "no");
        assert_eq!(told("cache-control"), "no-store");
        assert!(answer.headers().get("content-length").is_none());
        assert!(answer.headers().get("content-encoding").is_none());
    }
}

#[tokio::test]
async fn calls_one_after_the_other_do_not_wait_for_acknowledgements() {
    let world = World::start().await;
    let session = world.legacy_session(LEGACY[0]).await;
    let cards = Draft::call(&world.url, "list-user-payment-cards", &json!({}));
    let mut wire = Wire::open(&cards.address).await;
    let (mut answers, mut streams) = (Vec::new(), Vec::new());
    for id in 0..50 {
        let begun = Instant::now();
        wire.send(cards.bytes()).await.unwrap();
        assert_eq!(wire.answer().await.unwrap().status, 200);
        answers.push(begun.elapsed());
        // Head and event of a stream are two parts of which the second would wait.
        let begun = Instant::now();
        session.call(id, "list-user-payment-cards", json!({})).await;
        streams.push(begun.elapsed());
    }
    for (what, mut times) in [("answers", answers), ("streams", streams)] {
        times.sort_unstable();
        println!("{what}: p50 {:?}, slowest {:?}", times[25], times[49]);
        // What waits for a delayed acknowledgement takes 40 ms, and each does. On a machine that is busy most others may.
        assert!(times[0] < Duration::from_millis(40), "{what}: {times:?}");
    }
}
