//! Signs of life while a call waits, for clients that asked for them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::draft::Draft;
use crate::support::events::{Event, Events};
use crate::support::messages::message;
use crate::support::upstream::{Act, Upstream, ok};
use crate::support::{Client, LEGACY, Server, World, folder, purchase_id, until, variables};

const CONFIRM: (&str, &str) = ("SEVENDIGITAL_MCP_SPENDING", "confirm");
const PROGRESS: &str = "notifications/progress";
const QUESTION: &str = "elicitation/create";
/// A little longer than from one sign to the next.
const A_TURN: Duration = Duration::from_millis(5_100);

/// A purchase whose client wants to hear of it.
fn purchase() -> Value {
    let params = json!({
        "name": "purchase-user-item",
        "arguments": {"releaseId": "11700062"},
        "_meta": {"progressToken": "token-1"},
    });
    message(json!(7), "tools/call", &params)
}

fn yes(question: &Value) -> Value {
    let yes = json!({"action": "accept", "content": {"confirm": true}});
    json!({"jsonrpc": "2.0", "id": question["id"], "result": yes})
}

#[track_caller]
fn check_sign(sign: &Value, turn: u32) {
    assert_eq!(sign["method"], PROGRESS, "{sign}");
    let params = &sign["params"];
    assert_eq!(params["progressToken"], "token-1", "{sign}");
    assert_eq!(params["progress"].as_f64(), Some(turn.into()), "{sign}");
    let told = params["message"].as_str().unwrap();
    assert!(told.contains("waiting for the user's answer"), "{sign}");
}

/// Two signs of a call that waits, one for each turn.
async fn check_signs(stream: &mut Events) {
    for turn in 1..=2 {
        tokio::time::pause();
        tokio::time::advance(A_TURN).await;
        tokio::time::resume();
        check_sign(&stream.expect(PROGRESS).await.message, turn);
    }
}

#[tokio::test]
async fn a_session_hears_that_its_call_waits_for_a_person() {
    let world = World::with(&[CONFIRM]).await;
    let client = Client::of(&world).that_can_ask();
    let client = client.in_session(LEGACY[0]).await;
    let mut stream = client.stream(&purchase()).await;
    let question = stream.expect(QUESTION).await.message;
    check_signs(&mut stream).await;
    assert_eq!(client.say(&yes(&question)).await.status, 202);
    let rest = stream.rest().await;
    let [Event { message, .. }] = &rest[..] else {
        panic!("{rest:?}");
    };
    purchase_id(&message["result"]);
}

#[tokio::test]
async fn without_a_session_a_client_hears_that_its_call_goes_on() {
    let upstream = Upstream::start().await;
    let locker = json!({"status": "ok", "version": "1.2", "locker": {"lockerReleases": {}}});
    let held = Act::Held(Box::new(Act::Say(ok(&locker.to_string()))));
    upstream.script("/user/locker", [held]);
    let base_uri = upstream.base_uri();
    let world = World::with(&[
        ("SEVENDIGITAL_BASE_URI", &base_uri),
        ("SEVENDIGITAL_MCP_LIMIT_READ_TIMEOUT", "1m"),
        ("SEVENDIGITAL_MCP_LIMIT_READ_DEADLINE", "1m"),
    ])
    .await;
    let client = Client::of(&world);
    let call = |meta: Value| {
        let params = json!({"name": "get-user-locker", "arguments": {}, "_meta": meta});
        Draft::message(&world.url, "tools/call", params)
    };
    let response = client.transmit(call(json!({"progressToken": "token-1"})));
    let signs = async {
        upstream.wait_for("/user/locker", 1).await;
        tokio::time::pause();
        tokio::time::advance(A_TURN).await;
        tokio::time::resume();
    };
    let (response, ()) = tokio::join!(response, signs);
    let mut stream = Events::of(response.unwrap());
    check_sign(&stream.expect(PROGRESS).await.message, 1);
    upstream.open_gate();
    let rest = stream.rest().await;
    let [Event { message, .. }] = &rest[..] else {
        panic!("{rest:?}");
    };
    assert!(message["result"]["structuredContent"].is_object());
}

/// The first message of that method on stdout.
async fn told(server: &mut Server, method: &str) -> Value {
    let mut message = Value::Null;
    until(method, || {
        let mut messages = server.messages().iter();
        let found = messages.find(|message| message["method"] == method);
        message = found.cloned().unwrap_or_default();
        !message.is_null()
    })
    .await;
    message
}

#[tokio::test]
async fn over_stdio_a_call_tells_that_it_waits_and_that_it_was_cancelled() {
    let folder = folder();
    let variables = variables("http://127.0.0.1:9/1.2", &[CONFIRM]);
    let mut server = Server::piped(folder.path(), &[], &variables);
    let capabilities = json!({"elicitation": {}});
    let client = json!({"name": "suite", "version": "1"});
    let hello =
        json!({"protocolVersion": LEGACY[0], "capabilities": capabilities, "clientInfo": client});
    server.ask("hello", "initialize", &hello).await;
    server.say(&purchase().to_string()).await;
    let question = told(&mut server, QUESTION).await;
    check_sign(&told(&mut server, PROGRESS).await, 1);
    let params = json!({"requestId": 7});
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
    server.say(&cancel.to_string()).await;
    let withdrawn = told(&mut server, "notifications/cancelled").await;
    assert_eq!(withdrawn["params"]["requestId"], question["id"]);
    // A yes that comes too late is no answer to anything.
    server.say(&yes(&question).to_string()).await;
    server.ask("after", "ping", &json!({})).await;
    assert!(server.messages().iter().all(|message| message["id"] != 7));
}
