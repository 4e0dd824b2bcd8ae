//! A stream that was left and is taken up again: it gives what was missed, and no question that is over.

use serde_json::{Value, json};

use crate::support::events::{Event, Events};
use crate::support::messages::message;
use crate::support::{Client, LEGACY, World, purchase_id, until};

const CONFIRM: (&str, &str) = ("SEVENDIGITAL_MCP_SPENDING", "confirm");
const TOOL: &str = "purchase-user-item";
const QUESTION: &str = "elicitation/create";
const CANCELLED: &str = "notifications/cancelled";

/// A call whose question the client has, and the stream that it came on.
struct Asked {
    world: World,
    client: Client,
    stream: Option<Events>,
    /// The event before the question, which only tells where the stream is.
    before: String,
    question: Event,
}

impl Asked {
    async fn once() -> Self {
        Self::with(&[CONFIRM]).await
    }

    async fn with(settings: &[(&str, &str)]) -> Self {
        let world = World::with(settings).await;
        let client = Client::of(&world).that_can_ask();
        let client = client.in_session(LEGACY[0]).await;
        let mut stream = client.stream(&call(7)).await;
        let first = stream.next().await.unwrap();
        assert!(first.message.is_null() && !first.id.is_empty(), "{first:?}");
        let question = stream.expect(QUESTION).await;
        Self {
            world,
            client,
            stream: Some(stream),
            before: first.id,
            question,
        }
    }

    /// Says yes, over a connection of its own.
    async fn agree(&self) {
        let yes = json!({"action": "accept", "content": {"confirm": true}});
        let mut answer = json!({"jsonrpc": "2.0", "result": yes});
        answer["id"] = self.question.message["id"].clone();
        assert_eq!(self.client.say(&answer).await.status, 202);
    }

    /// Takes the call back.
    async fn cancel(&self) {
        let params = json!({"requestId": 7, "reason": "timed out"});
        let cancel = json!({"jsonrpc": "2.0", "method": CANCELLED, "params": params});
        assert_eq!(self.client.say(&cancel).await.status, 202);
    }

    /// That nothing more comes on the stream after that event.
    async fn check_over(&self, last_event: &str) {
        let resumed = self.client.with("last-event-id", last_event);
        let reply = resumed.bare("GET").await;
        assert_eq!(reply.status, 405, "{reply:?}");
    }

    fn bought(&self) -> usize {
        self.world.arrived("purchaseUserItem")
    }
}

fn call(id: u32) -> Value {
    let params = json!({"name": TOOL, "arguments": {"releaseId": "11700062"}});
    message(json!(id), "tools/call", &params)
}

/// The events are the call's result, and nothing else.
#[track_caller]
fn check_result(events: &[Event]) {
    let [event] = events else {
        panic!("{events:?}");
    };
    assert_eq!(event.message["id"], 7, "{event:?}");
    purchase_id(&event.message["result"]);
}

#[tokio::test]
async fn an_open_question_is_given_again_only_to_who_missed_it() {
    let mut asked = Asked::once().await;
    let mut missed = asked.client.listen(Some(&asked.before)).await;
    let again = missed.expect(QUESTION).await;
    assert_eq!(again.id, asked.question.id);
    assert_eq!(again.message, asked.question.message);
    // The stream has gone over to the newest connection.
    assert!(asked.stream.as_mut().unwrap().next().await.is_none());
    let known = asked.client.listen(Some(&asked.question.id)).await;
    assert!(missed.next().await.is_none());
    asked.agree().await;
    check_result(&known.rest().await);
    assert_eq!(asked.bought(), 1);
}

#[tokio::test]
async fn a_resumed_stream_says_where_it_is_before_anything_else() {
    let asked = Asked::once().await;
    let mut resumed = asked.client.listen(Some(&asked.question.id)).await;
    let first = resumed.next().await.unwrap();
    assert_eq!(first.id, asked.question.id);
    assert!(first.message.is_null(), "{first:?}");
}

#[tokio::test]
async fn an_answer_that_was_made_while_nobody_listened_is_delivered() {
    for missed_the_question in [false, true] {
        let mut asked = Asked::once().await;
        asked.stream = None;
        asked.agree().await;
        until("the purchase", || asked.bought() == 1).await;
        let last = if missed_the_question {
            &asked.before
        } else {
            &asked.question.id
        };
        let events = asked.client.listen(Some(last)).await.rest().await;
        check_result(&events);
        asked.check_over(&events[0].id).await;
    }
}

#[tokio::test]
async fn a_call_that_was_cancelled_takes_its_question_back() {
    let asked = Asked::once().await;
    asked.cancel().await;
    let id = &asked.question.message["id"];
    let events = asked.client.listen(Some(&asked.before)).await.rest().await;
    let [withdrawn] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(withdrawn.method(), CANCELLED);
    assert_eq!(&withdrawn.message["params"]["requestId"], id);
    // The TypeScript SDK does not take back a question with the id 0.
    assert_ne!(id, 0);
    asked.check_over(&withdrawn.id).await;
    // Neither a late yes nor anything else makes the call go on.
    asked.agree().await;
    let list = message(json!(8), "tools/list", &json!({}));
    assert_eq!(asked.client.say(&list).await.status, 200);
    asked.check_over(&withdrawn.id).await;
    assert_eq!(asked.bought(), 0);
}

#[tokio::test]
async fn a_client_that_gives_up_after_a_second_is_asked_once() {
    let mut asked = Asked::once().await;
    let own = asked.client.listen(None).await;
    asked.cancel().await;
    // As the TypeScript SDK does: on with the last event that it saw, and without one where there was none.
    let events = asked.stream.take().unwrap().rest().await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].method(), CANCELLED);
    let resumed = asked.client.with("last-event-id", &events[0].id);
    for _ in 0..5 {
        assert_eq!(resumed.bare("GET").await.status, 405);
    }
    let second = asked.client.listen(None).await;
    assert_eq!(asked.client.bare("DELETE").await.status, 204);
    for stream in [own, second] {
        assert!(stream.rest().await.is_empty());
    }
}

#[tokio::test]
async fn a_question_whose_time_is_up_is_taken_back_before_the_result() {
    let soon = ("SEVENDIGITAL_MCP_LIMIT_CONFIRMATION_TTL", "500ms");
    let mut asked = Asked::with(&[CONFIRM, soon]).await;
    let events = asked.stream.take().unwrap().rest().await;
    let [withdrawn, result] = &events[..] else {
        panic!("{events:?}");
    };
    let id = &asked.question.message["id"];
    assert_eq!(withdrawn.method(), CANCELLED);
    assert_eq!(&withdrawn.message["params"]["requestId"], id);
    assert_eq!(result.message["result"]["isError"], true, "{result:?}");
    // Who has missed all of it is not asked any more.
    let missed = asked.client.listen(Some(&asked.before)).await.rest().await;
    assert!(
        missed.iter().all(|event| event.method() != QUESTION),
        "{missed:?}"
    );
}

#[tokio::test]
async fn a_place_on_a_stream_is_good_in_its_own_session_alone() {
    let asked = Asked::once().await;
    let other = Client::of(&asked.world).that_can_ask();
    let other = other.in_session(LEGACY[0]).await;
    for id in [asked.before.as_str(), "0/9", "-1/0", "0/x", "x", "0/0/0"] {
        let reply = other.with("last-event-id", id).bare("GET").await;
        assert_eq!(reply.status, 405, "{id}: {reply:?}");
    }
}
