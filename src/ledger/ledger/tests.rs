//! The ledger by itself: what it keeps, which keys it frees, what it limits, and what a dead process leaves.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tempfile::{TempDir, tempdir};
use tokio_postgres::NoTls;

use super::*;
use crate::ledger::postgres::Postgres;
use crate::ledger::sqlite::Sqlite;
use crate::ledger::store::Database;

/// The file and the folder of SQLite.
mod files;
mod versions;

fn intent(key: &str) -> Intent {
    Intent {
        key: key.into(),
        identity: format!("account card {key}"),
        account: "account".into(),
        tool: "purchase-user-item",
        arguments: "digest".into(),
        item: "release 1".into(),
        title: None,
        price: Some(799),
        currency: Some("GBP".into()),
        upstream_time: None,
        seen: i64::MAX,
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

fn over(database: Database) -> Ledger {
    let keep = Duration::from_secs(400 * 24 * 60 * 60);
    Ledger(Arc::new(Store::over(database, keep)))
}

fn in_folder(folder: &Path) -> Ledger {
    let sqlite = Sqlite::new(Some(folder.to_owned()));
    over(Database::Sqlite(Arc::new(sqlite)))
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A database of each kind, and as many ledgers on it as are asked for.
struct Bench {
    folder: TempDir,
    url: Option<String>,
}

impl Bench {
    /// One for SQLite, and one for PostgreSQL where `tests/postgres` has started it.
    async fn all() -> Vec<Self> {
        let mut all = vec![Self {
            folder: tempdir().unwrap(),
            url: None,
        }];
        #[expect(clippy::disallowed_methods, reason = "what tests/postgres says")]
        if let Ok(server) = std::env::var("TEST_POSTGRES") {
            let client = connect(&server).await;
            let name = format!("t{}", uuid::Uuid::new_v4().simple());
            let create = format!("CREATE DATABASE {name}");
            client.batch_execute(&create).await.unwrap();
            // Whatever the operator's default is.
            let isolation = format!(
                "ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'"
            );
            client.batch_execute(&isolation).await.unwrap();
            let (start, _) = server.rsplit_once('/').unwrap();
            let url = format!("{start}/{name}");
            all.push(Self {
                folder: tempdir().unwrap(),
                url: Some(url),
            });
        }
        all
    }

    /// A ledger of a process of its own.
    fn ledger(&self) -> Ledger {
        match &self.url {
            None => in_folder(self.folder.path()),
            Some(url) => over(Database::Postgres(Arc::new(Postgres::new(url).unwrap()))),
        }
    }
}

async fn begin(ledger: &Ledger, intent: Intent) -> BeginOutcome {
    let outcome = ledger.begin(intent, SpendingLimits::default()).await;
    outcome.unwrap()
}

/// Begins a purchase that the same one stands against.
async fn finds_the_same(ledger: &Ledger, intent: Intent) {
    let outcome = begin(ledger, intent).await;
    assert!(matches!(outcome, BeginOutcome::Exists(_)), "{outcome:?}");
}

async fn started(ledger: &Ledger, intent: Intent) -> i64 {
    match begin(ledger, intent).await {
        BeginOutcome::Begun(id) => id,
        other => panic!("{other:?}"),
    }
}

async fn ended(ledger: &Ledger, id: i64, state: State) {
    let outcome = Outcome { state, ..done() };
    ledger.finish(id, outcome).await.unwrap();
}

async fn find(ledger: &Ledger, key: &str) -> Result<Option<Entry>> {
    let identity = format!("account card {key}");
    ledger.find(key.into(), identity, Repeat::Unasked).await
}

async fn state(ledger: &Ledger, key: &str) -> Option<State> {
    find(ledger, key).await.unwrap().map(|entry| entry.state)
}

#[tokio::test]
async fn a_purchase_is_started_once_and_its_outcome_stays() {
    for bench in Bench::all().await {
        let ledger = bench.ledger();
        let id = started(&ledger, intent("k")).await;
        finds_the_same(&ledger, intent("k")).await;
        assert_eq!(state(&ledger, "k").await, Some(State::Sending));
        ledger.finish(id, done()).await.unwrap();
        let entry = find(&bench.ledger(), "k").await.unwrap().unwrap();
        let found = (entry.state, entry.purchase_id.as_deref());
        assert_eq!(found, (State::Done, Some("813")));
    }
}

#[tokio::test]
async fn what_was_refused_or_not_sent_frees_the_key() {
    for bench in Bench::all().await {
        let ledger = bench.ledger();
        for state in [State::Refused, State::NotSent] {
            let id = started(&ledger, intent("k")).await;
            ended(&ledger, id, state).await;
            assert_eq!(find(&ledger, "k").await.unwrap(), None);
        }
    }
}

#[tokio::test]
async fn charges_of_a_dead_process_are_unknown_and_those_of_a_live_one_are_not() {
    for bench in Bench::all().await {
        let dead = bench.ledger();
        started(&dead, intent("dead")).await;
        let alive = bench.ledger();
        started(&alive, intent("alive")).await;
        drop(dead);
        let next = bench.ledger();
        assert_eq!(state(&next, "dead").await, Some(State::Unknown));
        assert_eq!(state(&next, "alive").await, Some(State::Sending));
    }
}

#[tokio::test]
async fn limits_bind_at_their_edge() {
    for bench in Bench::all().await {
        let limits = SpendingLimits {
            per_minute: Some(2),
            per_day: Some(3),
            daily_budget: Some(2_000),
            in_flight: Some(1),
        };
        let ledger = bench.ledger();
        let first = started(&ledger, intent("1")).await;
        let begin = async |key: &str, limits| ledger.begin(intent(key), limits).await.unwrap();
        let reached =
            |name, used, limit| BeginOutcome::LimitReached(LimitUse { name, used, limit });
        let in_flight = reached("max_charges_in_flight", 1, 1);
        assert_eq!(begin("2", limits).await, in_flight);
        ledger.finish(first, done()).await.unwrap();
        let BeginOutcome::Begun(second) = begin("2", limits).await else {
            panic!("below every limit")
        };
        ledger.finish(second, done()).await.unwrap();
        let (mut a_day, mut slowly) = (SpendingLimits::default(), limits);
        a_day.per_day = Some(2);
        slowly.per_minute = None;
        for (limits, name, spent, most) in [
            (limits, "max_charges_per_minute", 2, 2),
            (slowly, "daily_budget", 1_598, 2_000),
            (a_day, "max_charges_per_day", 2, 2),
        ] {
            assert_eq!(begin("3", limits).await, reached(name, spent, most));
        }
    }
}

#[tokio::test]
async fn a_yes_is_good_for_one_purchase() {
    for bench in Bench::all().await {
        let ledger = bench.ledger();
        let with = |key: &str| Intent {
            nonce: Some("nonce".into()),
            ..intent(key)
        };
        started(&ledger, with("1")).await;
        let second = begin(&ledger, with("2")).await;
        assert_eq!(second, BeginOutcome::ConfirmationUsed);
    }
}

#[tokio::test]
async fn only_an_operator_frees_an_unknown_outcome() {
    for bench in Bench::all().await {
        let ledger = bench.ledger();
        let id = started(&ledger, intent("k")).await;
        assert!(!ledger.forget(id).await.unwrap(), "in flight");
        assert_eq!(ledger.abandon_in_flight().await.unwrap(), 1);
        assert_eq!(state(&ledger, "k").await, Some(State::Unknown));
        assert!(ledger.forget(id).await.unwrap());
        assert_eq!(find(&ledger, "k").await.unwrap(), None);
    }
}

#[tokio::test]
async fn the_ledgers_time_never_goes_back_and_never_stands_still() {
    for bench in Bench::all().await {
        let ledger = bench.ledger();
        let now = ledger.now().await.unwrap();
        // Another process had a clock that was an hour ahead.
        let hour = 3_600_000;
        let ahead = move |sql: &dyn Sql| {
            sql.execute("UPDATE clock SET highest = highest + $1", &[hour.into()])
        };
        ledger.0.write(ahead).await.unwrap();
        let later = ledger.now().await.unwrap();
        assert!(later >= now + hour, "not back: {now} {later}");
        tokio::time::sleep(Duration::from_millis(20)).await;
        let on = ledger.now().await.unwrap();
        let goes_on = (later + 15..later + 60_000).contains(&on);
        assert!(goes_on, "{later} {on}");
    }
}

#[tokio::test]
async fn what_is_settled_and_old_goes_and_what_is_open_stays() {
    for bench in Bench::all().await {
        let ledger = bench.ledger();
        let open_and_settled = [State::Done, State::Refused, State::Unknown];
        for (key, state) in ["1", "2", "3"].into_iter().zip(open_and_settled) {
            let id = started(&ledger, intent(key)).await;
            ended(&ledger, id, state).await;
        }
        started(&ledger, intent("4")).await;
        let old = Duration::from_secs(500 * 24 * 60 * 60);
        let age = move |sql: &dyn Sql| {
            let begun = since(tick(sql)?, old).into();
            sql.execute("UPDATE charge SET begun = $1", &[begun])
        };
        ledger.0.write(age).await.unwrap();
        let ledger = bench.ledger();
        started(&ledger, intent("5")).await;
        let left = ledger.list(10).await.unwrap();
        let states: Vec<State> = left.iter().map(|charge| charge.state).collect();
        assert_eq!(states, [State::Sending, State::Sending, State::Unknown]);
    }
}

#[tokio::test]
async fn what_could_not_be_written_is_written_later_and_before_anything_else() {
    for bench in Bench::all().await {
        let ledger = bench.ledger();
        let id = started(&ledger, intent("k")).await;
        // A transaction that fails takes nothing with it.
        let unwritten = &ledger.0.unwritten;
        unwritten.lock().push(Unwritten::Outcome(id, done()));
        let fails = |_: &dyn Sql| Err::<(), _>(LedgerError("no".into()));
        assert!(ledger.0.write(fails).await.is_err());
        assert_eq!(state(&ledger, "k").await, Some(State::Done));
        let other = intent("other");
        let write = move |sql: &dyn Sql| insert(sql, tick(sql)?, &other, "an attempt", "owner");
        ledger.0.write(write).await.unwrap();
        let not_sent = Unwritten::NotSent("account".into(), "an attempt".into());
        unwritten.lock().push(not_sent);
        assert_eq!(state(&ledger, "other").await, None, "it was not sent");
    }
}

#[tokio::test]
async fn who_lost_its_sign_of_life_does_not_take_itself_for_dead() {
    for bench in Bench::all().await {
        let (ledger, other) = (bench.ledger(), bench.ledger());
        let id = started(&ledger, intent("k")).await;
        match &bench.url {
            None => {
                for lock in files::locks(bench.folder.path()) {
                    std::fs::remove_file(lock).unwrap();
                }
            }
            Some(url) => {
                let client = connect(url).await;
                let held = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND granted";
                client.batch_execute(held).await.unwrap();
            }
        }
        assert_eq!(state(&ledger, "k").await, Some(State::Sending));
        // Others can't know better, and a better outcome replaces it.
        assert_eq!(state(&other, "k").await, Some(State::Unknown));
        ledger.finish(id, done()).await.unwrap();
        assert_eq!(state(&other, "k").await, Some(State::Done));
        // From its next charge on it is seen to live again.
        started(&ledger, intent("next")).await;
        assert_eq!(state(&other, "next").await, Some(State::Sending));
    }
}

#[tokio::test]
async fn of_many_who_begin_the_same_at_once_one_begins() {
    for bench in Bench::all().await {
        let ledgers: Vec<Ledger> = (0..3).map(|_| bench.ledger()).collect();
        let begun = (0..50).map(|number| {
            let ledger = ledgers[number % 3].clone();
            tokio::spawn(async move { begin(&ledger, intent("k")).await })
        });
        let mut first = 0;
        for outcome in begun.collect::<Vec<_>>() {
            first += usize::from(matches!(outcome.await.unwrap(), BeginOutcome::Begun(_)));
        }
        assert_eq!(first, 1);
        assert_eq!(ledgers[0].list(100).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn the_same_by_identity_stands_in_the_way_unless_the_user_agrees() {
    for bench in Bench::all().await {
        let ledger = bench.ledger();
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
            finds_the_same(&ledger, other(nonce)).await;
        }
        ledger.finish(id, done()).await.unwrap();
        // Nobody agreed.
        finds_the_same(&ledger, other(None)).await;
        started(&ledger, other(Some("2"))).await;
    }
}
