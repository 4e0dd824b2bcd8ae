//! `call` and `tools` on a terminal: tables, colours, a question, and how long it takes.

use std::time::Duration;

use serde_json::Value;

use crate::settings::cli::check;
use crate::support::upstream::{ANY, Act, Upstream};
use crate::support::{on_terminal, variables};

const ESCAPE: char = '\u{1b}';

#[tokio::test]
async fn a_terminal_gets_a_table_and_json_on_request() {
    let words = "--sandbox call get-user-locker --page-size 2";
    let words: Vec<_> = words.split(' ').collect();
    let (code, shown) = on_terminal(&words, &[("NO_COLOR", "1")], "").await;
    assert_eq!(code, 0, "{shown}");
    assert!(serde_json::from_str::<Value>(&shown).is_err(), "{shown}");
    let lines: Vec<Vec<&str>> = shown
        .lines()
        .map(|line| line.split("  ").collect())
        .collect();
    let has = |words: &[&str]| lines.iter().any(|line| line.starts_with(words));
    assert!(has(&["11600001", "Aurora Drift"]), "{shown}");
    for line in shown.lines() {
        assert!(
            line.chars().count() <= 100 && !line.contains("://"),
            "{line}"
        );
    }
    assert!(
        shown.contains("locker.lockerReleases.totalItems  13\n"),
        "{shown}"
    );
    assert!(
        shown.contains("note: this is not all: `--json` prints all"),
        "{shown}"
    );

    let (code, shown) = on_terminal(&[&words[..], &["--json"]].concat(), &[], "").await;
    let end = shown.rfind('}').unwrap();
    let document: Value = serde_json::from_str(&shown[..=end]).unwrap();
    assert_eq!((code, &document["status"]), (0, &"ok".into()));
}

#[tokio::test]
async fn colours_are_for_terminals_unless_somebody_wants_otherwise() {
    type Variables = &'static [(&'static str, &'static str)];
    let rows: [(Variables, bool, bool); 4] = [
        (&[], true, false),
        (&[("NO_COLOR", "1")], false, false),
        (&[("CLICOLOR", "0")], false, false),
        (&[("CLICOLOR_FORCE", "1")], true, true),
    ];
    for (variables, on_a_terminal, in_a_pipe) in rows {
        for words in [&["tools"][..], &["call", "get-user-locker"]] {
            let (_, shown) = on_terminal(words, variables, "").await;
            assert_eq!(
                shown.contains(ESCAPE),
                on_a_terminal,
                "{variables:?}: {shown:?}"
            );
            let (_, out, err) = check(words, variables).await;
            let piped = [out, err].concat();
            assert_eq!(
                piped.contains(ESCAPE),
                in_a_pipe,
                "{variables:?}: {piped:?}"
            );
        }
    }
    // JSON has none in any case.
    let forced = [("CLICOLOR_FORCE", "1")];
    let (_, out, _) = check(&["--sandbox", "call", "list-user-payment-cards"], &forced).await;
    assert!(serde_json::from_str::<Value>(&out).is_ok(), "{out:?}");
}

#[tokio::test]
async fn the_person_at_the_terminal_is_asked_before_it_spends() {
    let words = "--sandbox --spending confirm call purchase-user-item --release-id 11700062";
    let words: Vec<_> = words.split(' ').collect();
    let rows = [
        ("y\n", 0, "purchase.id"),
        ("n\n", 1, "error:"),
        ("\n", 1, "error:"),
    ];
    for (typed, expected_code, expected) in rows {
        let (code, shown) = on_terminal(&words, &[("NO_COLOR", "1")], typed).await;
        assert_eq!(code, expected_code, "{typed:?}: {shown}");
        let question = "Buy “Harbour Lights” by Marlow Quay";
        let asked = shown.find(question).unwrap_or_else(|| panic!("{shown}"));
        assert!(shown[asked..].contains(expected), "{typed:?}: {shown}");
    }
}

#[tokio::test]
async fn what_takes_longer_than_a_second_says_so_on_a_terminal_alone() {
    let upstream = Upstream::start().await;
    let stall = Act::Drip(
        b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
        Duration::from_millis(100),
    );
    upstream.script(ANY, [stall]);
    let settings = [("SEVENDIGITAL_MCP_LIMIT_READ_DEADLINE", "2500ms")];
    let variables = variables(&upstream.base_uri(), &settings);
    let variables: Vec<_> = variables.iter().map(|(n, v)| (&**n, &**v)).collect();
    let words = ["call", "list-user-payment-cards"];
    let (code, shown) = on_terminal(&words, &variables, "").await;
    let line = "\rwaiting for an answer: 2 s\r";
    assert!(code == 1 && shown.contains(line), "{shown:?}");
    let (_, out, err) = check(&words, &variables).await;
    assert!(out.is_empty() && !err.contains("waiting"), "{err}");
}
