//! Questions that wait: where the client can't ask, the user answers on a terminal, and the call or its repeat goes on.

use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use sevendigital_sandbox::{Sandbox, demo};

use super::confirmation::CONFIRM;
use super::{TOOL, release};
use crate::support::{
    Client, Setting, check_one, fails_with, folder, on_terminal, open, program, purchase_id,
    states, until, variables, within, world_on,
};

const WAITING: &str = "Waiting for the user's answer on a terminal";

/// Settings of a server that asks, and waits for an answer no longer than that.
fn settings<'a>(wait: &'a str, with: &'a str) -> [Setting<'a>; 3] {
    [
        CONFIRM,
        ("SEVENDIGITAL_MCP_CONFIRM_WAIT", wait),
        ("SEVENDIGITAL_MCP_CONFIRM_WITH", with),
    ]
}

/// Runs `confirm` on a terminal, where a person types this; gives what the terminal showed.
async fn confirm(folder: &Path, typed: &str) -> String {
    let state = folder.to_str().unwrap();
    let (_, shown) = on_terminal(&["confirm", "--state-dir", state], &[], typed).await;
    shown
}

/// How many questions wait in the ledger.
fn waiting(folder: &Path) -> u32 {
    let count = "SELECT COUNT(*) FROM question WHERE answer IS NULL";
    open(folder)
        .query_row(count, [], |row| row.get(0))
        .unwrap_or(0)
}

#[tokio::test]
async fn a_person_on_a_terminal_answers_the_call_that_waits() {
    let sandbox = Sandbox::start().await.unwrap();
    for (typed, buys) in [
        ("y\n", true),
        ("yes\n", true),
        ("n\n", false),
        ("\n", false),
    ] {
        let folder = folder();
        let settings = settings("60s", "auto");
        let world = world_on(folder.path(), &sandbox.base_uri(), &settings).await;
        let caller = Client::of(&world);
        let call = tokio::spawn(async move { caller.call(TOOL, &release()).await });
        until("the question", || waiting(folder.path()) == 1).await;
        let shown = confirm(folder.path(), typed).await;
        assert!(
            shown.contains("Buy “Harbour Lights” by Marlow Quay"),
            "{shown}"
        );
        assert!(shown.contains("for 7.99 GBP?"), "{shown}");
        let result = within("the call", call).await.unwrap();
        if buys {
            purchase_id(&result);
            assert_eq!(states(folder.path()), ["done"]);
        } else {
            fails_with(
                &result,
                &["The user was asked and said no", "Nothing was charged"],
            );
            assert_eq!(states(folder.path()), [""; 0]);
        }
        let shown = confirm(folder.path(), "").await;
        assert!(shown.contains("no question waits"), "{shown}");
        world.end().await;
    }
}

#[tokio::test]
async fn a_yes_after_the_wait_is_picked_up_by_the_repeat() {
    let sandbox = Sandbox::start().await.unwrap();
    let folder = folder();
    let settings = settings("10ms", "terminal");
    let world = world_on(folder.path(), &sandbox.base_uri(), &settings).await;
    let caller = Client::of(&world).that_can_ask();
    for _ in 0..3 {
        let result = caller.call(TOOL, &release()).await;
        let says = fails_with(
            &result,
            &[WAITING, "`sevendigital-mcp confirm`", "same arguments"],
        );
        assert!(says.contains("Nothing was charged"), "{says}");
        assert_eq!(waiting(folder.path()), 1);
    }
    confirm(folder.path(), "y\n").await;
    // Another call does not get the answer.
    let other = json!({"releaseId": "11700063"});
    fails_with(&caller.call(TOOL, &other).await, &[WAITING]);
    purchase_id(&caller.call(TOOL, &release()).await);
    assert_eq!(states(folder.path()), ["done"]);
    assert_eq!(sandbox.sales().len(), 1);
}

#[tokio::test]
async fn many_calls_of_one_purchase_are_one_question_and_one_purchase() {
    let sandbox = Sandbox::start().await.unwrap();
    let folder = folder();
    let settings = settings("60s", "auto");
    let world = world_on(folder.path(), &sandbox.base_uri(), &settings).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let caller = Client::of(&world);
        calls.spawn(async move { caller.call(TOOL, &release()).await });
    }
    until("the question", || waiting(folder.path()) == 1).await;
    let shown = confirm(folder.path(), "y\n").await;
    assert!(shown.contains("Question 1 of 1"), "{shown}");
    let results = within("the calls", calls.join_all()).await;
    check_one(&results);
    assert_eq!(sandbox.sales().len(), 1);
    assert_eq!(states(folder.path()), ["done"]);
}

#[tokio::test]
async fn an_answer_is_for_its_account_and_its_caller() {
    let sandbox = Sandbox::start().await.unwrap();
    let folder = folder();
    let mut settings = settings("10ms", "terminal").to_vec();
    settings.push(("SEVENDIGITAL_MCP_USER_FROM_HEADERS", "true"));
    let world = world_on(folder.path(), &sandbox.base_uri(), &settings).await;
    let own = Client::of(&world);
    let other = own.with("x-7digital-user-id", demo::SECOND_USER_ID);
    fails_with(&own.call(TOOL, &release()).await, &[WAITING]);
    confirm(folder.path(), "y\n").await;
    fails_with(&other.call(TOOL, &release()).await, &[WAITING]);
    purchase_id(&own.call(TOOL, &release()).await);
    assert_eq!(sandbox.sales().len(), 1);
}

#[tokio::test]
async fn without_a_terminal_confirm_refuses() {
    let folder = folder();
    let state = folder.path().to_str().unwrap();
    let mut confirm = program(&["confirm", "--state-dir", state], &variables("", &[]));
    let output = within("the program", confirm.stdin(Stdio::null()).output())
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("run it on a terminal"), "{err}");
}

#[tokio::test]
async fn a_client_that_is_known_to_answer_for_its_user_is_not_asked() {
    let sandbox = Sandbox::start().await.unwrap();
    for (name, with, waits) in [
        ("local-agent-mode-sevendigital", "auto", true),
        ("Claude-AI", "auto", true),
        ("claude-ai", "client", false),
        ("inspector", "auto", false),
        ("inspector", "terminal", true),
    ] {
        let folder = folder();
        let world = world_on(folder.path(), &sandbox.base_uri(), &settings("10ms", with)).await;
        let caller = Client::of(&world).that_can_ask();
        let named = json!({"io.modelcontextprotocol/clientInfo": {"name": name, "version": "1"}});
        let params = json!({"arguments": release(), "_meta": named});
        let result = caller.reply(TOOL, params).await.unwrap().result();
        if waits {
            fails_with(&result, &[WAITING]);
        } else {
            assert_eq!(
                result["resultType"], "input_required",
                "{name} {with}: {result}"
            );
        }
    }
}
