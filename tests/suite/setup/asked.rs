//! On a terminal: a person is asked for what is missing, and only for that.

use rustix::termios::{LocalModes, tcgetattr};
use sevendigital_sandbox::{Sandbox, demo};

use super::terminal::Terminal;
use super::{Home, SECRET, WITH_SECRET_ON_STDIN};
use crate::settings::login::{decide, get};

const KEY: &str = "Consumer key that 7digital gave you: ";
const HIDDEN: &str = "Its secret, which is not shown: ";
const COUNTRY: &str = "Country of the user";
const HOW: &str = "How: ";
const LOGIN: &str = "Log a user in";
const CURSOR: &str = "Connect Cursor";

async fn answered(home: &Home, answers: &[(&str, &str)]) -> (i32, String) {
    let mut terminal = Terminal::start(home.program(&["setup"]));
    for (question, answer) in answers {
        terminal.answer(question, answer).await;
    }
    terminal.ended().await
}

#[tokio::test]
async fn a_person_answers_and_the_secret_is_not_shown() {
    let home = Home::new().with_cursor();
    #[rustfmt::skip]
    let (code, shown) = answered(&home, &[
        (KEY, "<your key>"), (KEY, "the-k3y"), (HIDDEN, &format!("{SECRET} x")), (HIDDEN, SECRET),
        (COUNTRY, "UK"), (COUNTRY, "gb"), (HOW, "mail"), (HOW, "browser, terminal"),
        (LOGIN, "n"), (CURSOR, "y"),
    ]).await;
    assert_ne!(code, 2, "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
    for text in [
        "placeholder",
        "the-k3y",
        "did you mean GB?",
        "expected `auto`",
        "and say to the agent",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    home.check_file();
    home.check_cursor();
    let text = home.settings();
    for line in [
        "consumer_key = \"the-k3y\"",
        &format!("consumer_secret = \"{SECRET}\""),
        "country = \"GB\"",
        "confirm_with = [\"browser\",\"terminal\"]",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{text}");
    }
}

#[tokio::test]
async fn a_second_run_asks_only_for_what_is_missing() {
    let home = Home::new().with_cursor();
    let first = [
        (KEY, "the-k3y"),
        (HIDDEN, SECRET),
        (COUNTRY, ""),
        (HOW, ""),
        (LOGIN, ""),
        (CURSOR, ""),
    ];
    answered(&home, &first).await;
    let before = home.settings();
    let second = [(COUNTRY, "DE"), (HOW, "off"), (LOGIN, ""), (CURSOR, "y")];
    let (_, shown) = answered(&home, &second).await;
    for question in [KEY, HIDDEN] {
        assert!(!shown.contains(question), "{shown}");
    }
    let after = home.settings();
    assert_eq!(
        after,
        format!("{before}country = \"DE\"\nspending = \"off\"\n")
    );
    home.check_cursor();
    let (_, shown) = answered(&home, &[(LOGIN, "")]).await;
    for question in [KEY, HIDDEN, COUNTRY, HOW, CURSOR] {
        assert!(!shown.contains(question), "{shown}");
    }
    assert_eq!(home.settings(), after);
}

#[tokio::test]
async fn a_client_that_has_the_sandbox_is_asked_about_all_the_same() {
    let home = Home::new();
    let entry = r#"{"mcpServers": {"sevendigital-sandbox": {"command": "/usr/bin/sevendigital-mcp", "args": ["stdio", "--sandbox"]}}}"#;
    home.put(".cursor/mcp.json", entry);
    // A secret without a key is of no use, and not asked for.
    let answers = [(KEY, ""), (COUNTRY, ""), (HOW, ""), (LOGIN, "")];
    let (_, shown) = answered(&home, &[&answers[..], &[(CURSOR, "y")]].concat()).await;
    home.check_cursor();
    let (code, shown_again) = answered(&home, &answers).await;
    assert_ne!(code, 2, "{shown}{shown_again}");
    for question in [HIDDEN, CURSOR] {
        assert!(!shown_again.contains(question), "{shown_again}");
    }
    let (_, out, err) = home.run(&["setup", "--sandbox"]).await;
    assert!(out.contains("Now start Cursor anew"), "{out}{err}");
}

#[tokio::test]
async fn what_the_environment_has_is_stored_only_after_a_yes() {
    for (answer, is_stored) in [("", false), ("yes", true)] {
        let home = Home::new()
            .with("SEVENDIGITAL_CONSUMER_KEY", "the-k3y")
            .with("SEVENDIGITAL_CONSUMER_SECRET", SECRET)
            .with("SEVENDIGITAL_COUNTRY", "GB")
            // A client would have neither of these.
            .with("SEVENDIGITAL_MCP_SPENDING", "off")
            .with("SEVENDIGITAL_USER_ID", "500123");
        let (_, shown) =
            answered(&home, &[("do not pass on", answer), (HOW, ""), (LOGIN, "")]).await;
        for stored in [SECRET, "consumer_key = \"the-k3y\"", "country = \"GB\""] {
            assert_eq!(home.settings().contains(stored), is_stored, "{shown}");
        }
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[tokio::test]
async fn a_secret_of_another_key_is_neither_offered_nor_kept() {
    let home = Home::new()
        .with("SEVENDIGITAL_CONSUMER_KEY", "other")
        .with("SEVENDIGITAL_CONSUMER_SECRET", "other-s3cr3t");
    home.configure("consumer_key = \"old\"\n");
    let rest = [(COUNTRY, ""), (HOW, ""), (LOGIN, "")];
    let (_, shown) = answered(&home, &[&[(HIDDEN, SECRET)], &rest[..]].concat()).await;
    assert!(!shown.contains("do not pass on"), "{shown}");
    let old = format!("consumer_key = \"old\"\nconsumer_secret = \"{SECRET}\"\n");
    assert_eq!(home.settings(), old);
    for (answer, is_new) in [("", false), ("new-s3cr3t", true)] {
        let mut terminal = Terminal::start(home.program(&["setup", "--consumer-key=new"]));
        for (question, answer) in [&[(HIDDEN, answer)], &rest[..]].concat() {
            terminal.answer(question, answer).await;
        }
        let (_, shown) = terminal.ended().await;
        assert_eq!(shown.contains("stay as they are"), !is_new, "{shown}");
        let new = "consumer_key = \"new\"\nconsumer_secret = \"new-s3cr3t\"\n";
        assert_eq!(home.settings(), if is_new { new } else { &old });
    }
}

#[tokio::test]
async fn a_secret_that_is_typed_on_stdin_is_not_shown() {
    let home = Home::new();
    let mut terminal = Terminal::start(home.program(&WITH_SECRET_ON_STDIN));
    terminal.answer(HIDDEN, SECRET).await;
    let (_, shown) = terminal.ended().await;
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(home.settings().contains(SECRET), "{shown}");
}

#[tokio::test]
async fn an_interrupt_shows_again_what_is_typed_and_writes_nothing() {
    let home = Home::new();
    let mut terminal = Terminal::start(home.program(&["setup"]));
    let is_shown = |terminal: &Terminal| {
        let modes = tcgetattr(&terminal.line).unwrap().local_modes;
        modes.contains(LocalModes::ECHO)
    };
    terminal.answer(KEY, "the-k3y").await;
    terminal.until(HIDDEN).await;
    assert!(!is_shown(&terminal));
    terminal.interrupt();
    let (code, shown) = terminal.ended().await;
    assert_eq!(code, 2, "{shown}");
    assert!(is_shown(&terminal), "{shown}");
    assert!(!home.file().exists());
}

#[tokio::test]
async fn a_user_logs_in_and_all_is_well() {
    let sandbox = Sandbox::start().await.unwrap();
    let home = Home::before(sandbox.base_uri().as_str()).with_cursor();
    let mut terminal = Terminal::start(home.program(&["setup"]));
    for (question, answer) in [
        (KEY, demo::CONSUMER_KEY),
        (HIDDEN, demo::CONSUMER_SECRET),
        (COUNTRY, demo::COUNTRY),
        (HOW, "auto"),
        (LOGIN, "y"),
    ] {
        terminal.answer(question, answer).await;
    }
    terminal.until("or here:").await;
    let page = terminal.until("http://127.0.0.1").await;
    let page = page.split_whitespace().next().unwrap().parse().unwrap();
    get(&decide(&page, "allow").await).await;
    terminal.answer(CURSOR, "y").await;
    let (code, shown) = terminal.ended().await;
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("Now start Cursor anew, and say"), "{shown}");
    assert!(!shown.contains(demo::CONSUMER_SECRET), "{shown}");
    home.check_file();
}
