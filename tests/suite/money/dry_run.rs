//! A dry run shows what a call would do, and does nothing of it.

use serde_json::{Value, json};
use sevendigital::Effect;
use sevendigital_sandbox::Sandbox;

use super::confirmation::{CONFIRM, actions};
use super::{TOOL, release};
use crate::support::calls::{ROWS, tool};
use crate::support::{Client, World, folder, problem, program, variables, within};

const DRY: (&str, &str) = ("X-Dry-Run", "true");

#[tokio::test]
async fn a_dry_run_of_each_tool_shows_its_request_and_sends_nothing() {
    for spending in ["confirm", "allow", "off"] {
        let folder = folder();
        let state = folder.path().to_str().unwrap();
        let world = World::with(&[
            ("SEVENDIGITAL_MCP_SPENDING", spending),
            ("SEVENDIGITAL_MCP_STATE_DIR", state),
        ])
        .await;
        let caller = Client::of(&world).with(DRY.0, DRY.1);
        for row in ROWS {
            let upstream = tool(row.name).contract.upstream;
            let reply = caller.rest(row.name, &row.arguments()).await;
            assert_eq!(reply.status, 200, "{}: {reply:?}", row.name);
            let shown = reply.message();
            assert_eq!(
                [&shown["tool"], &shown["dryRun"]],
                [&json!(row.name), &json!(true)]
            );
            assert_eq!(shown["request"]["path"], upstream.path, "{shown}");
            assert_eq!(shown["question"].is_string(), row.confirmed, "{shown}");
            let text = shown.to_string();
            assert!(
                !text.contains("oauth_") && !text.contains("sandbox-"),
                "{text}"
            );
        }
        assert_eq!(actions(&world), 0, "{spending}");
        assert!(!folder.path().join("ledger.sqlite").exists(), "{spending}");
    }
}

#[tokio::test]
async fn a_dry_run_names_the_price_and_the_guard() {
    let world = World::with(&[CONFIRM]).await;
    let caller = Client::of(&world).with(DRY.0, DRY.1);
    let shown = caller.rest(TOOL, &release()).await.message();
    let question = shown["question"].as_str().unwrap();
    assert!(
        question.starts_with("Buy “Harbour Lights” by Marlow Quay"),
        "{shown}"
    );
    assert_eq!(
        [&shown["price"], &shown["currency"]],
        [&json!(799), &json!("GBP")]
    );
    assert_eq!(shown["policy"], "the user is asked first");
    let parameters = &shown["request"]["parameters"];
    assert_eq!(
        *parameters,
        json!({"releaseId": "11700062", "price": "7.99", "country": "GB"})
    );
}

#[tokio::test]
async fn a_dry_run_that_could_not_be_sent_says_why() {
    let world = World::start().await;
    let caller = Client::of(&world).with(DRY.0, DRY.1);
    problem(
        &caller
            .rest(TOOL, &json!({"releaseId": "11700062", "price": 7.99}))
            .await,
        400,
        "invalid-argument",
    );
    problem(
        &caller.rest(TOOL, &json!({"releaseId": "5"})).await,
        422,
        "not-for-sale",
    );
    let unclear = Client::of(&world).with(DRY.0, "yes");
    problem(&unclear.rest(TOOL, &release()).await, 400, "invalid-header");
    let login = json!({"body": {"emailAddress": "jane.smith@example.com", "password": "canary-1"}});
    let shown = caller.rest("authenticate-user", &login).await.message();
    assert_eq!(
        shown["request"]["parameters"]["password"], "[redacted]",
        "{shown}"
    );
    assert_eq!(actions(&world), 0);
}

#[tokio::test]
async fn a_dry_run_from_the_shell_prints_the_same() {
    let sandbox = Sandbox::start().await.unwrap();
    let arguments = release().to_string();
    let words = ["call", TOOL, "--dry-run", "--args", &arguments];
    let output = program(&words, &variables(&sandbox.base_uri(), &[CONFIRM])).output();
    let output = within("the program", output).await.unwrap();
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["effect"], "charges");
    assert_eq!(tool(TOOL).contract.upstream.effect, Effect::Charges);
    assert_eq!(shown["request"]["parameters"]["price"], "7.99", "{shown}");
    assert_eq!(sandbox.sales().len(), 0);
}
