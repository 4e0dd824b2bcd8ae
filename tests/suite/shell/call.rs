//! `call` in a pipe: where arguments come from, what it says and how it ends.

use std::process::Stdio;

use serde_json::Value;
use sevendigital_sandbox::Sandbox;
use tokio::io::AsyncWriteExt as _;

use crate::settings::cli::check;
use crate::support::upstream::{ANY, Act, Upstream};
use crate::support::{program, variables, within};

const LOCKER: [&str; 3] = ["--sandbox", "call", "get-user-locker"];

/// Runs `call` with this on stdin: exit code, stdout, stderr.
async fn fed(words: &[&str], stdin: &[u8]) -> (i32, String, String) {
    let mut child = program(words, &[]).stdin(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // Nobody may read it.
    let _ = pipe.write_all(stdin).await;
    drop(pipe);
    let output = within("the program", child.wait_with_output()).await;
    let output = output.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// The page and its size that a call of the locker was for.
fn page(out: &str) -> (i64, i64) {
    let document: Value =
        serde_json::from_str(out).unwrap_or_else(|error| panic!("{error}: {out}"));
    let releases = &document["locker"]["lockerReleases"];
    let count = |name: &str| releases[name].as_i64().unwrap();
    (count("page"), count("pageSize"))
}

#[tokio::test]
async fn arguments_come_from_flags_text_a_file_and_stdin() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page 2.json");
    std::fs::write(&file, "\u{feff}{\"page\": 2, \"pageSize\": 3}").unwrap();
    let at = format!("@{}", file.display());
    #[rustfmt::skip]
    let rows: [(&[&str], &str, (i64, i64)); 7] = [
        (&["--page", "2", "--page-size", "3"], "", (2, 3)),
        (&["--page=2", "--page-size=3.0"], "", (2, 3)),
        (&["--args", r#"{"page": 2, "pageSize": 3}"#], "", (2, 3)),
        (&["--args", &at], "", (2, 3)),
        (&["--args", "-"], r#"{"page": 2, "pageSize": 3}"#, (2, 3)),
        // A flag wins over the same field.
        (&["--args", &at, "--page", "1"], "", (1, 3)),
        (&["--page", "1", "--args", "-"], r#"{"page": 2, "pageSize": 3}"#, (1, 3)),
    ];
    for (words, stdin, expected) in rows {
        let (code, out, err) = fed(&[&LOCKER[..], words].concat(), stdin.as_bytes()).await;
        assert_eq!(code, 0, "{words:?}: {err}");
        assert_eq!(page(&out), expected, "{words:?}");
    }
}

#[tokio::test]
async fn wrong_arguments_are_told_once_and_end_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let wide = folder.path().join("wide.json");
    std::fs::write(&wide, b"\xff\xfe{\0}\0").unwrap();
    let wide = format!("@{}", wide.display());
    let long = vec![b' '; (1 << 20) + 1];
    let card = "select-user-payment-card";
    #[rustfmt::skip]
    let rows: [(&[&str], &[u8], &str); 15] = [
        (&["get-user-locker", "--args", "[]"], b"", "`--args` is not a JSON object"),
        (&["get-user-locker", "--args", "@missing.json"], b"", "`missing.json` can't be read"),
        (&["get-user-locker", "--args", &wide], b"", "UTF-16"),
        (&["get-user-locker", "--args", "-"], b"", "`--args` is not a JSON object"),
        (&["get-user-locker", "--args", "-"], b"\xff", "stdin is not UTF-8"),
        (&["get-user-locker", "--args", "-"], &long, "stdin has more than 1048576 bytes"),
        (&["get-user-locker", "--page", "two"], b"", "page: expected a whole number"),
        (&["get-user-locker", "--page", "-1"], b"", "page: expected 1 or more"),
        (&["get-user-locker", "--pagesize", "1"], b"", "--page-size"),
        (&["get-user-locker", "--card-id", "1"], b"", "--card-id"),
        (&["get-user-lockers"], b"", "there is no tool `get-user-lockers`; did you mean `get-user-locker`?"),
        (&["buy-it", "--now"], b"", "there is no tool `buy-it`; `sevendigital-mcp tools` lists them"),
        (&["purchase-user-basket"], b"", "`purchase-user-basket` needs `--basket-id`"),
        (&[card, "--args", r#"{"body": 1}"#, "--card-id", "1"], b"", "`body` in `--args` must be an object, so that `--card-id`"),
        (&["purchase-user-item", "--read-only"], b"", "there is no tool `purchase-user-item` with these settings"),
    ];
    for (words, stdin, expected) in rows {
        let (code, out, err) = fed(&[&["--sandbox", "call"], words].concat(), stdin).await;
        assert_eq!((code, &*out), (2, ""), "{words:?}: {err}");
        assert!(err.contains(expected), "{words:?}: {err}");
        assert_eq!(err.matches("error: ").count(), 1, "{words:?}: {err}");
    }
}

#[tokio::test]
async fn a_failure_is_printed_once_and_the_exit_code_says_its_kind() {
    let sandbox = Sandbox::start().await.unwrap();
    let silent = Upstream::start().await;
    silent.script(ANY, [Act::Say(Vec::new())]);
    let buy: &[&str] = &["purchase-user-item", "--release-id", "11700062"];
    let user = &["get-user-details", "--user-id", "nobody"][..];
    let [works, lost] = [sandbox.base_uri(), silent.base_uri()];
    #[rustfmt::skip]
    let rows: [(&str, &[&str], &str, i32, &str); 6] = [
        (&works, buy, "allow", 0, ""),
        (&works, user, "allow", 1, "error: 7digital refused"),
        (&works, buy, "off", 1, "error: This server does not spend"),
        (&works, buy, "confirm", 1, "error: "),
        (&lost, user, "allow", 1, "error: "),
        (&lost, buy, "allow", 3, "error: "),
    ];
    for (base_uri, words, spending, expected_code, expected) in rows {
        let state = tempfile::tempdir().unwrap();
        let settings = [
            ("SEVENDIGITAL_MCP_SPENDING", spending),
            ("SEVENDIGITAL_MCP_CONFIRM_WAIT", "10ms"),
            ("SEVENDIGITAL_MCP_STATE_DIR", state.path().to_str().unwrap()),
        ];
        let variables = variables(base_uri, &settings);
        let variables: Vec<_> = variables.iter().map(|(n, v)| (&**n, &**v)).collect();
        let (code, out, err) = check(&[&["call"], words].concat(), &variables).await;
        assert_eq!(code, expected_code, "{words:?}, {spending}: {err}");
        assert_eq!(out.is_empty(), code != 0, "{words:?}: {out}");
        let lines = err.lines().filter(|line| !line.starts_with("note: "));
        assert_eq!(lines.count(), usize::from(code != 0), "{words:?}: {err}");
        assert!(err.starts_with(expected), "{words:?}: {err}");
    }
}

#[tokio::test]
async fn who_asks_for_a_log_gets_one() {
    let log = [("RUST_LOG", "info")];
    let words = [
        "--sandbox",
        "call",
        "purchase-user-item",
        "--release-id",
        "11700062",
    ];
    let (code, _, err) = check(&words, &log).await;
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("audit: charge by `purchase-user-item`"),
        "{err}"
    );
}
