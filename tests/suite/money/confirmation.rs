//! The user is asked before money is spent, in both eras; only an explicit yes to this very call buys, and once.

use rmcp::model::{CallToolRequest, CallToolRequestParams};
use rmcp::service::PeerRequestOptions;
use rmcp::{ClientLifecycleMode, Peer, RoleClient};
use serde_json::{Value, json};
use sevendigital::Effect;
use sevendigital_sandbox::demo;
use tempfile::TempDir;

use super::{ITEM, TOOL, release};
use crate::support::calls::{ROWS, calls_with, tool};
use crate::support::upstream::{Act, Upstream};
use crate::support::{
    Client, LEGACY, Person, Rmcp, World, call_with, fails_with, failure, folder, is_replayed,
    lifecycles, program, purchase_id, question, states, stdio_client, until, variables, world_on,
    yes,
};

pub(super) const CONFIRM: (&str, &str) = ("SEVENDIGITAL_MCP_SPENDING", "confirm");

/// A world that asks, before its own sandbox.
pub(super) async fn asking(folder: &TempDir) -> World {
    let state = folder.path().to_str().unwrap();
    World::with(&[CONFIRM, ("SEVENDIGITAL_MCP_STATE_DIR", state)]).await
}

/// How many requests charged or deleted, or would have.
pub(super) fn actions(world: &World) -> usize {
    #[rustfmt::skip]
    let reads = ["getUserLocker", "listUserPaymentCards", "getUserDetails", "getReleaseDetails", "getTrackDetails", "getBasket"];
    let reads = reads.map(|operation| world.arrived(operation));
    world.arrivals().len() - reads.iter().sum::<usize>()
}

/// The tools that need a confirmation, and a good call of each.
fn asking_calls() -> Vec<(&'static str, Value)> {
    let rows = ROWS.iter().filter(|row| row.confirmed);
    rows.map(|row| (row.name, row.arguments())).collect()
}

#[test]
fn what_charges_or_deletes_asks() {
    for row in ROWS {
        let charges = tool(row.name).contract.upstream.effect == Effect::Charges;
        let deletes = row.name.starts_with("delete-");
        assert_eq!(row.confirmed, charges || deletes, "{}", row.name);
    }
}

#[tokio::test]
async fn a_confirmation_is_good_for_each_tool_once_in_both_eras() {
    for mode in lifecycles() {
        let folder = folder();
        let world = asking(&folder).await;
        let person = Person::who_says(json!({"action": "accept", "content": {"confirm": true}}));
        let client = person.before(&world, mode).await;
        for (times, (tool, arguments)) in (1..).zip(asking_calls()) {
            let result = call_with(&client, tool, arguments).await;
            assert_ne!(result["isError"], true, "{tool}: {result}");
            assert_eq!(person.asked().len(), times, "{tool}");
            assert_eq!(actions(&world), times, "{tool}");
        }
        // Bought already: answered without a question.
        let (tool, arguments) = asking_calls().swap_remove(0);
        let again = call_with(&client, tool, arguments).await;
        assert!(is_replayed(&again), "{again}");
        let all = asking_calls().len();
        assert_eq!((person.asked().len(), actions(&world)), (all, all));
    }
}

#[tokio::test]
async fn what_is_no_confirmation_buys_nothing_in_both_eras() {
    let answers = [
        json!({"action": "decline"}),
        json!({"action": "cancel"}),
        json!({"action": "decline", "content": {"confirm": true}}),
        json!({"action": "accept"}),
        json!({"action": "accept", "content": null}),
        json!({"action": "accept", "content": {}}),
        json!({"action": "accept", "content": true}),
        json!({"action": "accept", "content": {"confirm": false}}),
        json!({"action": "accept", "content": {"confirm": "true"}}),
        json!({"action": "accept", "content": {"confirm": 1}}),
        json!({"action": "accept", "content": {"Confirm": true}}),
        json!({"action": "accept", "content": {"yes": true}}),
    ];
    let folder = folder();
    let world = asking(&folder).await;
    for mode in lifecycles() {
        for says in &answers {
            let person = Person::who_says(says.clone());
            let client = person.before(&world, mode.clone()).await;
            for tool in [TOOL, "delete-user-payment-card"] {
                let arguments = match tool {
                    TOOL => release(),
                    _ => json!({"body": {"cardId": demo::OTHER_CARD}}),
                };
                let result = call_with(&client, tool, arguments).await;
                fails_with(
                    &result,
                    &[
                        "The client answered the question with a no",
                        "`confirm_with`",
                    ],
                );
            }
            assert_eq!(person.asked().len(), 2, "{says}");
        }
    }
    let person = Person::who_says(json!("leaves"));
    let client = person.before(&world, ClientLifecycleMode::Initialize).await;
    let result = call_with(&client, TOOL, release()).await;
    failure(&result);
    assert_eq!(actions(&world), 0);
    assert_eq!(states(folder.path()), [""; 0]);
}

#[tokio::test]
async fn an_answer_that_is_malformed_buys_nothing() {
    let folder = folder();
    let world = asking(&folder).await;
    let caller = Client::of(&world).that_can_ask();
    let (_, sealed) = question(&caller.call(TOOL, &release()).await);
    let yes = yes();
    for said in [
        json!(null),
        json!([]),
        json!({}),
        json!("yes"),
        json!({"confirm": null}),
        json!({"confirm": true}),
        json!({"confirm": {}}),
        json!({"confirm": {"action": "ACCEPT", "content": {"confirm": true}}}),
        json!({"confirm": {"content": {"confirm": true}}}),
        json!({"confirm": [yes["confirm"]]}),
        json!({"other": yes["confirm"]}),
    ] {
        let params =
            json!({"arguments": release(), "requestState": sealed, "inputResponses": said});
        let reply = caller.reply(TOOL, params).await.unwrap();
        let answer = reply.message();
        let refused = answer["error"].is_object() || answer["result"]["isError"] == true;
        assert!(refused, "{said}: {answer}");
    }
    // A yes without a question is asked for.
    let params = json!({"arguments": release(), "inputResponses": yes});
    let result = caller.reply(TOOL, params).await.unwrap().result();
    question(&result);
    assert_eq!(actions(&world), 0);
}

#[tokio::test]
async fn where_there_is_no_way_to_ask_the_answer_names_the_setting() {
    let state = folder();
    let state = state.path().to_str().unwrap();
    let only_client = ("SEVENDIGITAL_MCP_CONFIRM_WITH", "client");
    let world = World::with(&[CONFIRM, only_client, ("SEVENDIGITAL_MCP_STATE_DIR", state)]).await;
    let session = world.legacy_session(LEGACY[0]).await;
    for (tool, arguments) in asking_calls() {
        let modern = world.call(tool, arguments.clone()).await;
        let legacy = session.call(1, tool, arguments).await;
        for result in [modern, legacy] {
            fails_with(
                &result,
                &[
                    "no way to ask",
                    "SEVENDIGITAL_MCP_CONFIRM_WITH",
                    "Nothing was",
                ],
            );
            assert!(!failure(&result).contains("SPENDING"), "{result}");
        }
    }
    assert_eq!(actions(&world), 0);
}

#[tokio::test]
async fn where_spending_is_off_nothing_is_asked_or_bought() {
    let world = World::with(&[("SEVENDIGITAL_MCP_SPENDING", "off")]).await;
    let caller = Client::of(&world).that_can_ask();
    for (tool, arguments) in calls_with(&[Effect::Charges]) {
        let result = caller.call(tool, &arguments).await;
        fails_with(&result, &["`spending` is `off`"]);
    }
    assert_eq!(world.arrivals().len(), 0);
}

#[tokio::test]
async fn what_was_bought_with_another_tool_is_asked_about_as_again() {
    let folder = folder();
    let world = asking(&folder).await;
    let caller = Client::of(&world).that_can_ask();
    let rrp = "purchase-user-rrp-item";
    let (_, sealed) = question(&caller.call(rrp, &release()).await);
    let bought = caller.agree(rrp, &release(), &sealed).await;
    let id = purchase_id(&bought);
    let priced = json!({"releaseId": "11700062", "price": 799});
    for (tool, arguments) in [
        (TOOL, release()),
        (TOOL, priced.clone()),
        ("purchase-user-priced-item", priced),
        ("deliver-user-item", release()),
    ] {
        let (message, _) = question(&caller.call(tool, &arguments).await);
        let again = "AGAIN: the same item was bought";
        assert!(message.contains(again), "{tool}: {message}");
        assert!(message.contains(id), "{tool}: {message}");
    }
    let track = json!({"releaseId": "11700062", "trackId": "1170006201"});
    let (message, _) = question(&caller.call(TOOL, &track).await);
    assert!(!message.contains("AGAIN"), "{message}");
    assert_eq!(actions(&world), 1);
}

/// A call that can be cancelled.
async fn cancellable(peer: &Peer<RoleClient>) -> rmcp::service::RequestHandle<RoleClient> {
    let params =
        CallToolRequestParams::new(TOOL).with_arguments(release().as_object().unwrap().clone());
    let request = CallToolRequest::new(params).into();
    let options = PeerRequestOptions::default();
    let handle = peer.send_cancellable_request(request, options).await;
    handle.unwrap()
}

#[tokio::test]
async fn cancelled_while_the_question_is_open_nothing_is_sent() {
    let folder = folder();
    let world = asking(&folder).await;
    let yes = json!({"action": "accept", "content": {"confirm": true}});
    let person = Person::who_waits_and_says(yes);
    let client = person.before(&world, ClientLifecycleMode::Initialize).await;
    let call = cancellable(client.peer()).await;
    until("the question", || person.asked().len() == 1).await;
    call.cancel(None).await.unwrap();
    another_call(&client).await;
    person.speaks.cancel();
    another_call(&client).await;
    assert_eq!(actions(&world), 0);
    assert_eq!(states(folder.path()), [""; 0]);
}

/// A whole call, by whose end what was sent before has been taken in.
async fn another_call(client: &Rmcp<Person>) {
    let result = call_with(client, "get-user-details", json!({"userId": "500123"})).await;
    assert_ne!(result["isError"], true, "{result}");
}

#[tokio::test]
async fn cancelled_after_it_was_sent_a_purchase_is_made_and_remembered() {
    for surface in ["HTTP", "stdio"] {
        let (folder, upstream) = (folder(), Upstream::start().await);
        upstream.script(ITEM, [Act::Held(Box::new(Act::Sell))]);
        let base_uri = upstream.base_uri();
        let world = world_on(folder.path(), &base_uri, &[]).await;
        let [legacy, _] = lifecycles();
        let client = if surface == "HTTP" {
            world.client(legacy).await
        } else {
            let state = folder.path().to_str().unwrap();
            let arguments = ["stdio", "--state-dir", state];
            let command = program(&arguments, &variables(&base_uri, &[]));
            stdio_client(command, legacy).await
        };
        let call = cancellable(client.peer()).await;
        upstream.wait_for(ITEM, 1).await;
        call.cancel(None).await.unwrap();
        // By its end the cancel has been taken in.
        call_with(&client, "get-user-details", json!({"userId": "500123"})).await;
        upstream.open_gate();
        until("the outcome", || states(folder.path()) == ["done"]).await;
        let again = call_with(&client, TOOL, release()).await;
        assert!(is_replayed(&again), "{surface}: {again}");
        assert_eq!(upstream.arrivals(ITEM), 1, "{surface}");
    }
}
