//! The ledger by itself: what it keeps, which keys it frees, what it limits, and what a dead process leaves.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::*;
use crate::ledger::State;

fn intent(key: &str) -> Intent {
    Intent {
        key: key.into(),
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

async fn state(ledger: &Ledger, key: &str) -> Option<State> {
    ledger.find(key).await.unwrap().map(|entry| entry.state)
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
    let entry = again.find("k").await.unwrap().unwrap();
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
        assert_eq!(ledger.find("k").await.unwrap(), None);
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
    assert_eq!(ledger.find("k").await.unwrap(), None);
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
    let error = ledger.find("k").await.unwrap_err().to_string();
    assert!(error.contains("not a database"), "{error}");
    fs::remove_file(&file).unwrap();
    assert_eq!(ledger.find("k").await.unwrap(), None);
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
