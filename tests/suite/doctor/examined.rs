//! What the doctor says of a healthy machine, how it says it, and that it changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sevendigital_mcp::cli::args::Area;
use sevendigital_mcp::cli::doctor::checks;

use super::{Patient, set_mode};
use crate::support::{Server, sandbox_settings};

/// Every file and folder: its mode, its time and its bytes.
fn all_in(folder: &Path) -> BTreeMap<PathBuf, (u32, i64, i64, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let data = folder.metadata().unwrap();
    let bytes = if data.is_file() {
        fs::read(folder).unwrap()
    } else {
        Vec::new()
    };
    found.insert(
        folder.to_owned(),
        (data.mode(), data.mtime(), data.mtime_nsec(), bytes),
    );
    if data.is_dir() {
        for file in fs::read_dir(folder).unwrap() {
            found.extend(all_in(&file.unwrap().path()));
        }
    }
    found
}

#[tokio::test]
async fn a_healthy_machine_has_no_failure_and_each_check_has_a_finding() {
    let patient = Patient::new().await;
    let sandbox = patient.command(&["doctor", "--json", "--sandbox"]).await;
    let (own_code, own) = patient.command(&["doctor", "--json"]).await;
    // The flag brings its own base URI.
    assert_eq!(sandbox.0, 1, "{}", sandbox.1);
    let mut fresh = Patient::new().await;
    for (name, _) in sandbox_settings("") {
        fresh.set(&name, "");
    }
    let (fresh_code, fresh) = fresh.command(&["doctor", "--json", "--sandbox"]).await;
    for (code, printed) in [(own_code, own), (fresh_code, fresh)] {
        let report: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!((code, &report["ok"]), (0, &json!(true)), "{printed}");
        let findings = report["findings"].as_array().unwrap();
        let failed = findings
            .iter()
            .filter(|finding| finding["status"] == "fail");
        assert_eq!(failed.count(), 0, "{printed}");
        let ids: Vec<&str> = findings
            .iter()
            .map(|finding| finding["id"].as_str().unwrap())
            .collect();
        for area in Area::ALL.into_iter().filter(|area| *area != Area::Shapes) {
            for check in checks(area) {
                assert!(ids.contains(&check.id), "{}: {printed}", check.id);
            }
        }
    }
}

#[test]
fn ids_are_unique_and_begin_with_their_area() {
    let mut ids = Vec::new();
    for area in Area::ALL {
        for check in checks(area) {
            assert_eq!(
                check.area(),
                format!("{area:?}").to_lowercase(),
                "{}",
                check.id
            );
            assert!(!ids.contains(&check.id), "{}", check.id);
            for sentence in [check.expected, check.why] {
                assert!(sentence.ends_with('.'), "{}: {sentence}", check.id);
            }
            ids.push(check.id);
        }
    }
}

#[tokio::test]
async fn nothing_is_made_changed_or_bought() {
    let patient = Patient::new().await;
    let everything = [
        "doctor",
        "--verbose",
        "settings",
        "files",
        "network",
        "clock",
        "account",
        "state",
        "clients",
        "ports",
        "confirmation",
        "shapes",
    ];
    for setting in ["", "confirm"] {
        let mut patient = Patient::new().await;
        patient.set("SEVENDIGITAL_MCP_SPENDING", setting);
        let before = all_in(patient.home.path());
        patient.command(&everything).await;
        assert_eq!(all_in(patient.home.path()), before, "without a ledger");
    }
    patient.buy().await;
    // What its owner has opened is left open; a server would close it.
    set_mode(&patient.path("state"), 0o755);
    let (before, sold) = (all_in(patient.home.path()), patient.sandbox.sales());
    assert_eq!(
        (
            before.contains_key(&patient.path("state/ledger.sqlite")),
            sold.len()
        ),
        (true, 1)
    );
    patient.command(&everything).await;
    assert_eq!(all_in(patient.home.path()), before, "with a ledger");
    assert_eq!(patient.sandbox.sales().len(), 1);
    let writes = patient.sandbox.arrivals();
    let writes = writes.iter().filter(|arrival| arrival.method != "GET");
    assert_eq!(writes.count(), 0);
}

#[tokio::test]
async fn a_server_that_runs_is_seen_and_not_disturbed() {
    let mut patient = Patient::new().await;
    let state = patient.path("state");
    let server = Server::start(&state, &patient.sandbox.base_uri(), &[]).await;
    let buy = json!({"releaseId": "11700062"});
    server.caller().call("purchase-user-item", &buy).await;
    let address = server
        .url
        .trim_start_matches("http://")
        .trim_end_matches("/mcp")
        .to_owned();
    patient.set("SEVENDIGITAL_MCP_BIND", &address);
    let ledger = all_in(&state);
    let examined = patient.examine(&["state", "ports"]).await;
    let printed = &examined.printed;
    assert_eq!(examined.code, 0, "{printed}");
    let what = |id: &str| examined.of(id)[0]["what"].as_str().unwrap().to_owned();
    assert!(what("state.processes").starts_with("1 "), "{printed}");
    assert_eq!(
        examined.of("state.ledger")[0]["details"],
        json!(["done: 1"]),
        "{printed}"
    );
    assert!(what("ports.mcp").contains("answers"), "{printed}");
    assert_eq!(all_in(&state), ledger);
    let again = server.caller().call("purchase-user-item", &buy).await;
    assert_eq!(again["isError"], json!(false), "{again}");
    assert_eq!(patient.sandbox.sales().len(), 1);
}

/// A process that dies leaves a log beside the ledger, with purchases that stand nowhere else.
#[tokio::test]
async fn a_log_that_was_left_behind_is_read_and_stays() {
    for has_index in [true, false] {
        let patient = Patient::new().await;
        let state = patient.path("state");
        let mut server = Server::start(&state, &patient.sandbox.base_uri(), &[]).await;
        let buy = json!({"releaseId": "11700062"});
        server.caller().call("purchase-user-item", &buy).await;
        server.signal("KILL");
        server.ended_by_itself().await;
        assert!(state.join("ledger.sqlite-wal").exists());
        if !has_index {
            fs::remove_file(state.join("ledger.sqlite-shm")).unwrap();
        }
        let before = all_in(&state);
        let examined = patient.examine(&["state"]).await;
        let printed = &examined.printed;
        assert_eq!(examined.code, 0, "{printed}");
        let ledger = examined.of("state.ledger")[0];
        assert_eq!(ledger["details"], json!(["done: 1"]), "{printed}");
        assert_eq!(all_in(&state), before, "with an index: {has_index}");
    }
}

#[tokio::test]
async fn values_come_with_their_layer_and_secrets_without_their_value() {
    let mut patient = Patient::new().await;
    patient.write(
        ".config/sevendigital-mcp/sevendigital-mcp.toml",
        "max_price = 2000\n[limits]\nmax_sessions = 7\n",
    );
    patient.argue("--hints=published");
    let examined = patient.examine(&["settings"]).await;
    let lines = examined.of("settings.layers")[0]["details"].to_string();
    for part in [
        "max_price = 2000  (configuration file `",
        "limits.max_sessions = 7  (configuration file `",
        "country = GB  (environment variable `SEVENDIGITAL_COUNTRY`)",
        "consumer_secret = [redacted]  (environment variable `SEVENDIGITAL_CONSUMER_SECRET`)",
        "hints = published  (flag `--hints`)",
    ] {
        assert!(lines.contains(part), "{part}: {lines}");
    }
    let (_, text) = patient.run(&["settings", "--verbose"]).await;
    assert!(text.contains("        country = GB"), "{text}");
    assert!(!format!("{lines}{text}").contains("sandbox-secret"));
}

#[tokio::test]
async fn people_see_what_is_wrong_first_and_the_rest_in_short() {
    let mut patient = Patient::new().await;
    let (code, text) = patient.run(&[]).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.lines().count() <= 12, "{text}");
    patient.set("SEVENDIGITAL_CONSUMER_SECRET", "wrong");
    let (code, text) = patient.run(&["account", "clock"]).await;
    assert_eq!(code, 1, "{text}");
    let first = text.lines().next().unwrap();
    assert!(
        first.starts_with("FAIL  account.signature: 7digital did not authorise"),
        "{text}"
    );
    for part in [
        "Why: ",
        "Do:  Check `SEVENDIGITAL_CONSUMER_SECRET`",
        "1 failure, 0 warnings",
        "Well: clock.",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (code, text) = patient.run(&["no-such-area"]).await;
    assert_eq!(code, 2, "{text}");
}

#[tokio::test]
async fn offline_nothing_is_sent() {
    let patient = Patient::new().await;
    let (code, text) = patient.run(&["--offline"]).await;
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("clock.skew") && text.contains("account.signature"),
        "{text}"
    );
    assert_eq!(patient.sandbox.arrivals().len(), 0);
}

#[tokio::test]
async fn failures_that_the_doctor_explains_name_it_at_their_end() {
    let locker = ["call", "get-user-locker"];
    let buy = [
        "call",
        "purchase-user-item",
        "--args",
        r#"{"releaseId": "1"}"#,
    ];
    #[rustfmt::skip]
    let rows: [(&[&str], (&str, &str), &str); 8] = [
        (&locker, ("SEVENDIGITAL_CONSUMER_SECRET", "wrong"), "run `sevendigital-mcp doctor account`."),
        (&locker, ("SEVENDIGITAL_BASE_URI", "http://127.0.0.1:1"), "run `sevendigital-mcp doctor network`."),
        (&buy, ("SEVENDIGITAL_MCP_STATE_DIR", "/proc/nowhere"), "run `sevendigital-mcp doctor state`."),
        (&buy, ("SEVENDIGITAL_MCP_SPENDING", "confirm"), "run `sevendigital-mcp doctor confirmation`."),
        (&["tools"], ("SEVENDIGITAL_MCP_SPENDING", "maybe"), "run `sevendigital-mcp doctor`."),
        (&["serve"], ("SEVENDIGITAL_MCP_BIND", "127.0.0.1:1000000"), "run `sevendigital-mcp doctor`."),
        (&["serve"], ("SEVENDIGITAL_MCP_BIND", "0.0.0.0:0"), "run `sevendigital-mcp doctor`."),
        (&["ledger", "list"], ("SEVENDIGITAL_MCP_LEDGER_URL", "postgres://127.0.0.1:1/x"), "run `sevendigital-mcp doctor`."),
    ];
    for (arguments, (name, value), end) in rows {
        let mut patient = Patient::new().await;
        patient.set("SEVENDIGITAL_MCP_CONFIRM_WITH", "client");
        patient.set(name, value);
        let (code, text) = patient.command(arguments).await;
        assert_ne!(code, 0, "{arguments:?}: {text}");
        assert!(
            text.trim_end().ends_with(end),
            "{arguments:?} {name}: {text}"
        );
    }
}
