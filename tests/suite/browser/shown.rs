//! What the page shows, and when a browser is opened at all.

use serde_json::json;

use super::asking::{Asking, TOOL, addresses, browser, script};
use crate::support::{Client, Server, fails_with, folder, text};

#[tokio::test]
async fn the_page_says_what_is_bought_for_how_much_and_who_pays() {
    let mut asking = Asking::start().await;
    asking.buy("11700062").await;
    let mut page = asking.page(1).await;
    let html = page.open().await;
    for part in [
        "<html lang=\"en\">",
        "<title>Buy “Harbour Lights” by Marlow Quay",
        "<dd>7.99 GBP</dd>",
        "<dd>card ending in 0485</dd>",
        "value=\"no\">No, don’t buy it</button>",
        "value=\"yes\">Yes, buy it for 7.99 GBP</button>",
    ] {
        assert!(
            html.replace('\u{a0}', " ").contains(part),
            "no {part}: {html}"
        );
    }
    assert!(!html.contains("<script"), "{html}");
    assert!(!html.contains("Before you answer"), "{html}");
    page.say("no").await;
    asking.end().await;
}

#[tokio::test]
async fn what_should_be_read_before_a_yes_is_marked() {
    let mut asking = Asking::start().await;
    asking.buy("11600001").await;
    let mut page = asking.page(1).await;
    let html = page.open().await;
    let warning = "<li>The locker has it already; 7digital calls it &quot;Aurora Drift&quot;.</li>";
    assert!(html.contains(warning), "{html}");
    page.say("no").await;
    asking.end().await;
}

#[tokio::test]
async fn a_deletion_is_asked_about_in_its_own_words() {
    let mut asking = Asking::start().await;
    let card = json!({"body": {"cardId": "8154431"}});
    let delete = "delete-user-payment-card";
    asking.server.call(7, delete, &card).await;
    let mut page = asking.page(1).await;
    let html = page.open().await;
    for part in [
        "<h1>Delete card 8154431",
        "It can&#39;t be brought back.",
        ">Yes, delete it</button>",
    ] {
        assert!(html.contains(part), "no {part}: {html}");
    }
    page.say("yes").await;
    let answer = asking.server.answer(7).await;
    assert!(answer["result"]["isError"] != true, "{answer}");
    asking.end().await;
}

#[tokio::test]
async fn a_browser_without_a_window_is_not_opened() {
    for browsers in ["/usr/bin/w3m", "lynx -nocolor", "true:links2"] {
        let settings = [
            ("BROWSER", browsers),
            ("SEVENDIGITAL_MCP_CONFIRM_WAIT", "1ms"),
        ];
        let mut asking = Asking::with(&settings).await;
        let call = asking.buy("11700062").await;
        let result = asking.result(call).await;
        fails_with(&result, &["on a terminal"]);
    }
}

#[tokio::test]
async fn a_server_on_loopback_asks_in_the_browser_too() {
    let folder = folder();
    let mut variables = vec![browser(&folder)];
    variables.push(("SEVENDIGITAL_MCP_CONFIRM_WAIT".into(), "1ms".into()));
    let more = ["--sandbox", "--spending", "confirm"];
    let server = Server::serve(folder.path(), &more, &variables).await;
    let caller: Client = server.caller();
    let result = caller.call(TOOL, &json!({"releaseId": "11700062"})).await;
    assert!(text(&result).contains("in the user's browser"), "{result}");
    crate::support::until("a browser", || addresses(&folder).len() == 1).await;
}

#[tokio::test]
async fn a_browser_in_a_terminal_gets_neither_stdin_nor_stdout() {
    let folder = folder();
    let path = folder.path().to_str().unwrap().to_owned();
    let (_, program) = browser(&folder);
    // The desktop says that its browser runs in a terminal, and then its pipes are handed on.
    let lines = "echo text.desktop";
    script(&folder.path().join("xdg-settings"), lines);
    let applications = folder.path().join("applications");
    std::fs::create_dir(&applications).unwrap();
    let entry = format!("[Desktop Entry]\nExec={program} %u\nTerminal=true\n");
    std::fs::write(applications.join("text.desktop"), entry).unwrap();
    let settings = [
        ("BROWSER", ""),
        ("DISPLAY", ":0"),
        ("PATH", &path),
        ("XDG_DATA_HOME", &path),
    ];
    let mut asking = Asking::within(folder, &settings).await;
    let call = asking.buy("11700062").await;
    let mut page = asking.page(1).await;
    page.open().await;
    page.say("no").await;
    fails_with(&asking.result(call).await, &["said no"]);
    asking.end().await;
}
