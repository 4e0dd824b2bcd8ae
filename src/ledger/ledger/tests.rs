//! The ledger by itself: what it keeps, which keys it frees, what it limits, and what a dead process leaves.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::*;
use crate::ledger::State;

fn intent(key: &str) -> Intent {
    Intent {
        key: key.into(),
        identity: format!("account card {key}"),
        account: "account".into(),
        tool: "purchase-user-item",
        arguments: "digest".into(),
        item: "release 1".into(),
        price: Some(799),
        nonce: None,
    }
}

fn done() -> Outcome {
    Outcome {
        state: State::Done,
        purchase_id: Some("813".into()),
        document: Some(json!({"purchase": {"id": "813"}})),
        code: None,
    }
}

fn in_folder(folder: &Path) -> Ledger {
    Ledger::at(Location::Folder(folder.to_owned()))
}

async fn begin(ledger: &Ledger, intent: Intent) -> BeginOutcome {
    let outcome = ledger.begin(intent, SpendingLimits::default()).await;
    outcome.unwrap()
}

async fn started(ledger: &Ledger, intent: Intent) -> i64 {
    match begin(ledger, intent).await {
        BeginOutcome::Begun(id) => id,
        other => panic!("{other:?}"),
    }
}

async fn find(ledger: &Ledger, key: &str) -> Result<Option<Entry>> {
    let identity = format!("account card {key}");
    ledger.find(key.into(), identity, Repeat::Unasked).await
}

async fn state(ledger: &Ledger, key: &str) -> Option<State> {
    find(ledger, key).await.unwrap().map(|entry| entry.state)
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_purchase_is_started_once_and_its_outcome_stays() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = in_folder(&folder.path().join("state"));
    let id = started(&ledger, intent("k")).await;
    assert!(matches!(
        begin(&ledger, intent("k")).await,
        BeginOutcome::Exists(_)
    ));
    assert_eq!(state(&ledger, "k").await, Some(State::Sending));
    ledger.finish(id, done()).await.unwrap();
    let again = in_folder(&folder.path().join("state"));
    let entry = find(&again, "k").await.unwrap().unwrap();
    assert_eq!(
        (entry.state, entry.purchase_id.as_deref()),
        (State::Done, Some("813"))
    );
}

#[tokio::test]
async fn what_was_refused_or_not_sent_frees_the_key() {
    let ledger = Ledger::at(Location::Memory);
    for state in [State::Refused, State::NotSent] {
        let id = started(&ledger, intent("k")).await;
        ledger
            .finish(id, Outcome { state, ..done() })
            .await
            .unwrap();
        assert_eq!(find(&ledger, "k").await.unwrap(), None);
    }
}

#[tokio::test]
async fn charges_of_a_process_that_died_are_unknown_and_those_of_a_live_one_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let dead = in_folder(folder.path());
    started(&dead, intent("dead")).await;
    let alive = in_folder(folder.path());
    started(&alive, intent("alive")).await;
    drop(dead);
    let next = in_folder(folder.path());
    assert_eq!(state(&next, "dead").await, Some(State::Unknown));
    assert_eq!(state(&next, "alive").await, Some(State::Sending));
}

#[tokio::test]
async fn limits_bind_at_their_edge() {
    let limits = SpendingLimits {
        per_minute: Some(2),
        per_day: Some(3),
        daily_budget: Some(2_000),
        in_flight: Some(1),
    };
    let ledger = Ledger::at(Location::Memory);
    let first = started(&ledger, intent("1")).await;
    let begin = async |key: &str, limits| ledger.begin(intent(key), limits).await.unwrap();
    let reached = BeginOutcome::LimitReached;
    let in_flight = reached("max_charges_in_flight", 1);
    assert_eq!(begin("2", limits).await, in_flight);
    ledger.finish(first, done()).await.unwrap();
    let BeginOutcome::Begun(second) = begin("2", limits).await else {
        panic!("below every limit")
    };
    ledger.finish(second, done()).await.unwrap();
    let a_day = SpendingLimits {
        per_day: Some(2),
        ..SpendingLimits::default()
    };
    let slowly = SpendingLimits {
        per_minute: None,
        ..limits
    };
    for (limits, name, most) in [
        (limits, "max_charges_per_minute", 2),
        (slowly, "daily_budget", 2_000),
        (a_day, "max_charges_per_day", 2),
    ] {
        assert_eq!(begin("3", limits).await, reached(name, most));
    }
}

#[tokio::test]
async fn a_yes_is_good_for_one_purchase() {
    let ledger = Ledger::at(Location::Memory);
    let with = |key: &str| Intent {
        nonce: Some("nonce".into()),
        ..intent(key)
    };
    started(&ledger, with("1")).await;
    let second = begin(&ledger, with("2")).await;
    assert_eq!(second, BeginOutcome::ConfirmationUsed);
}

#[tokio::test]
async fn only_an_operator_frees_an_unknown_outcome() {
    let ledger = Ledger::at(Location::Memory);
    let id = started(&ledger, intent("k")).await;
    assert!(!ledger.forget(id).await.unwrap(), "in flight");
    assert_eq!(ledger.abandon_in_flight().await.unwrap(), 1);
    assert_eq!(state(&ledger, "k").await, Some(State::Unknown));
    assert!(ledger.forget(id).await.unwrap());
    assert_eq!(find(&ledger, "k").await.unwrap(), None);
}

#[tokio::test]
async fn a_ledger_that_can_not_be_used_says_why_and_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.sqlite");
    fs::write(
        &file,
        "this is no database, and long enough not to be taken for an empty one".repeat(20),
    )
    .unwrap();
    let ledger = in_folder(folder.path());
    let error = find(&ledger, "k").await.unwrap_err().to_string();
    assert!(error.contains("not a database"), "{error}");
    fs::remove_file(&file).unwrap();
    assert_eq!(find(&ledger, "k").await.unwrap(), None);
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let ledger = in_folder(&state);
    started(&ledger, intent("k")).await;
    assert_eq!(mode(&state), 0o700);
    for file in fs::read_dir(&state).unwrap() {
        let file = file.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{file:?}");
    }
}

/// The tables as the first version made them, with a purchase that is done and one that is unknown.
const FIRST_VERSION: &str = "
    CREATE TABLE charge (
        id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL,
        account TEXT NOT NULL, tool TEXT NOT NULL, arguments TEXT NOT NULL, item TEXT NOT NULL, price INTEGER,
        state TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER, owner TEXT NOT NULL,
        purchase_id TEXT, document TEXT, code INTEGER
    ) STRICT;
    CREATE INDEX charge_by_key ON charge (key);
    CREATE INDEX charge_by_account ON charge (account, started);
    CREATE UNIQUE INDEX charge_open ON charge (key) WHERE state IN ('sending', 'unknown');
    INSERT INTO charge (key, account, tool, arguments, item, state, started, owner, purchase_id)
        VALUES ('k1', 'account', 'purchase-user-item', 'a', 'release 1', 'done', unixepoch() * 1000, 'gone', '813');
    INSERT INTO charge (key, account, tool, arguments, item, state, started, owner)
        VALUES ('k2', 'account', 'deliver-user-item', 'a', 'release 2', 'unknown', 0, 'gone');
";

#[tokio::test]
async fn tables_of_the_first_version_are_taken_over_and_later_ones_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.sqlite");
    let sqlite = rusqlite::Connection::open(&file).unwrap();
    sqlite.execute_batch(FIRST_VERSION).unwrap();
    drop(sqlite);
    let ledger = in_folder(folder.path());
    for (identity, expected) in [
        ("account card release 1 ", Some(State::Done)),
        ("account partner release 2 ", Some(State::Unknown)),
        ("account card release 2 ", None),
    ] {
        let found = ledger.find("new".into(), identity.into(), Repeat::Unasked);
        let state = found.await.unwrap().map(|entry| entry.state);
        assert_eq!(state, expected, "{identity}");
    }
    assert_eq!(ledger.list(10).await.unwrap().len(), 2);
    // Opened again, it is as it was.
    let again = in_folder(folder.path());
    assert_eq!(again.list(10).await.unwrap().len(), 2);
    drop((ledger, again));
    let sqlite = rusqlite::Connection::open(&file).unwrap();
    sqlite.pragma_update(None, "user_version", 99).unwrap();
    drop(sqlite);
    let error = in_folder(folder.path()).list(1).await.unwrap_err();
    let why = "a later version of this program wrote it";
    assert!(error.to_string().contains(why), "{error}");
}

#[tokio::test]
async fn what_is_the_same_by_identity_stands_against_a_purchase_unless_the_user_agrees() {
    let ledger = Ledger::at(Location::Memory);
    let first = Intent {
        identity: "account card release 1 ".into(),
        ..intent("first")
    };
    let other = |nonce: Option<&str>| Intent {
        key: "other".into(),
        nonce: nonce.map(str::to_owned),
        ..first.clone()
    };
    let id = started(&ledger, first.clone()).await;
    for nonce in [None, Some("1")] {
        let outcome = begin(&ledger, other(nonce)).await;
        assert!(matches!(outcome, BeginOutcome::Exists(_)), "in flight");
    }
    ledger.finish(id, done()).await.unwrap();
    let outcome = begin(&ledger, other(None)).await;
    assert!(matches!(outcome, BeginOutcome::Exists(_)), "nobody agreed");
    started(&ledger, other(Some("2"))).await;
}
