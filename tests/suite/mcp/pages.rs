//! The page on which the user enters a card: opened by clients that can, and a link in the result for all.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::events::{Event, Events};
use crate::support::messages::message;
use crate::support::{Client, LEGACY, MODERN, World, until};

const QUESTION: &str = "elicitation/create";
const COMPLETE: &str = "notifications/elicitation/complete";
const LOOK: &str = "getUserCardRegistration";
/// A little longer than from one look to the next.
const A_TURN: Duration = Duration::from_millis(5_100);

fn arguments() -> Value {
    json!({"body": {"redirectUrl": "https://shop.example/cards/done"}})
}

fn register() -> Value {
    let params = json!({"name": "register-user-payment-card", "arguments": arguments()});
    message(json!(7), "tools/call", &params)
}

fn link(result: &Value) -> &str {
    let link = &result["structuredContent"]["cardRegistration"]["location"];
    link.as_str().unwrap_or_else(|| panic!("{result}"))
}

async fn answer(client: &Client, question: &Value, action: &str) {
    let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": action}});
    assert_eq!(client.say(&answer).await.status, 202);
}

/// The result of the call, and nothing else before the stream's end.
async fn result(stream: Events) -> Value {
    let rest = stream.rest().await;
    let [Event { message, .. }] = &rest[..] else {
        panic!("{rest:?}");
    };
    message["result"].clone()
}

async fn pass_a_turn() {
    tokio::time::pause();
    tokio::time::advance(A_TURN).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_client_opens_the_card_page_and_hears_when_the_user_is_done() {
    let world = World::start().await.unsigned();
    let client = Client::of(&world).that_can_open_pages();
    let client = client.in_session(LEGACY[0]).await;
    let mut own = client.listen(None).await;
    let mut stream = client.stream(&register()).await;
    let question = stream.expect(QUESTION).await.message;
    let asked = &question["params"];
    assert_eq!(asked["mode"], "url", "{question}");
    answer(&client, &question, "accept").await;
    let result = result(stream).await;
    assert_eq!(asked["url"], link(&result));
    pass_a_turn().await;
    until("a first look", || world.arrived(LOOK) == 1).await;
    let card = "cardNumber=4111111111111111&cardHolderName=Jane+Smith&cardExpiryMonth=12&cardExpiryYear=2099&cardPostCode=EC2A+4NE&cardVerificationCode=123";
    let form = ("content-type", "application/x-www-form-urlencoded");
    let page = link(&result);
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let entered = http.post(page).header(form.0, form.1).body(card);
    assert!(entered.send().await.unwrap().status().is_redirection());
    pass_a_turn().await;
    let told = own.expect(COMPLETE).await.message;
    assert_eq!(told["params"]["elicitationId"], asked["elicitationId"]);
    assert_eq!(world.arrived(LOOK), 2);
}

#[tokio::test]
async fn who_does_not_want_the_page_still_has_its_link() {
    let world = World::start().await;
    let client = Client::of(&world).that_can_open_pages();
    let client = client.in_session(LEGACY[0]).await;
    for action in ["decline", "cancel"] {
        let mut stream = client.stream(&register()).await;
        let question = stream.expect(QUESTION).await.message;
        answer(&client, &question, action).await;
        link(&result(stream).await);
    }
    // One that does not answer has it before its host gives up.
    let mut stream = client.stream(&register()).await;
    stream.expect(QUESTION).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(50)).await;
    tokio::time::resume();
    let rest = stream.rest().await;
    link(&rest.last().unwrap().message["result"]);
    assert_eq!(world.arrived(LOOK), 0);
}

#[tokio::test]
async fn no_page_is_opened_for_clients_that_did_not_say_they_can() {
    let world = World::start().await;
    let client = Client::of(&world);
    let asking = client.that_can_ask().in_session(LEGACY[0]).await;
    // The revision before has no such question.
    let older = client.that_can_open_pages().in_session(LEGACY[1]).await;
    for client in [asking, older] {
        let stream = client.stream(&register()).await;
        link(&result(stream).await);
    }
    let modern = client.that_can_open_pages();
    let result = modern
        .call("register-user-payment-card", &arguments())
        .await;
    assert!(result["inputRequests"].is_null(), "{MODERN}: {result}");
    link(&result);
}
