//! Clients of the older revisions: no event that they take for a broken message, and no status that they warn of.

use serde_json::{Value, json};

use crate::support::draft::Draft;
use crate::support::messages::message;
use crate::support::{Client, World, until};

/// The revisions with sessions, and whether a stream begins with an event that only names its place.
const REVISIONS: [(&str, bool); 4] = [
    ("2024-11-05", false),
    ("2025-03-26", false),
    ("2025-06-18", false),
    ("2025-11-25", true),
];

fn purchase() -> Value {
    let params = json!({"name": "purchase-user-item", "arguments": {"releaseId": "11700062"}});
    message(json!(7), "tools/call", &params)
}

#[tokio::test]
async fn no_event_is_empty_before_the_revision_that_has_such() {
    for (revision, primes) in REVISIONS {
        let world = World::with(&[("SEVENDIGITAL_MCP_SPENDING", "confirm")]).await;
        let client = Client::of(&world).that_can_ask();
        let opening = client.initialize(revision).await;
        let events = opening
            .text
            .lines()
            .filter(|line| line.starts_with("data:"));
        assert!(
            events.clone().all(|data| data.len() > 10),
            "{revision}: {opening:?}"
        );
        let client = client.opened(&opening, revision).await;

        let mut own = client.listen(None).await;
        let mut stream = client.stream(&purchase()).await;
        let mut first = stream.next().await.unwrap();
        assert_eq!(first.message.is_null(), primes, "{revision}: {first:?}");
        if primes {
            assert!(!first.id.is_empty(), "{first:?}");
            first = stream.next().await.unwrap();
        }
        assert_eq!(first.method(), "elicitation/create", "{revision}");

        // One that comes back gets the answer, and nothing empty before it.
        drop(stream);
        let yes = json!({"action": "accept", "content": {"confirm": true}});
        let yes = json!({"jsonrpc": "2.0", "id": first.message["id"], "result": yes});
        assert_eq!(client.say(&yes).await.status, 202);
        let mut rest = client.listen(Some(&first.id)).await;
        let mut next = rest.next().await.unwrap();
        assert_eq!(next.message.is_null(), primes, "{revision}: {next:?}");
        if primes {
            next = rest.next().await.unwrap();
        }
        assert_eq!(next.message["id"], 7, "{revision}: {next:?}");
        until("the sale", || world.sandbox.sales().len() == 1).await;

        assert_eq!(client.bare("DELETE").await.status, 204, "{revision}");
        let own = own.next().await;
        assert_eq!(own.is_some(), primes, "{revision}: {own:?}");
        assert!(own.is_none_or(|event| event.message.is_null() && event.id == "0/0"));
    }
}

#[tokio::test]
async fn the_end_of_a_session_is_done_when_it_is_answered() {
    let world = World::start().await;
    for (revision, _) in REVISIONS {
        let client = Client::of(&world).in_session(revision).await;
        let end = client.bare("DELETE").await;
        assert_eq!((end.status, &*end.text), (204, ""), "{revision}: {end:?}");
        let again = client.bare("DELETE").await;
        assert_eq!((again.status, again.kind()), (404, "application/json"));
    }
    let nothing = Draft::mcp(&world.url).to("DELETE", "/mcp").send().await;
    nothing.check_refused("MCP", 400, &[-32600]);
}
