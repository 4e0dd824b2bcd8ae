//! The ledger by itself: what it keeps, which keys it frees, what it limits, and what a dead process leaves.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tempfile::{TempDir, tempdir};
use tokio_postgres::NoTls;

use super::*;
use crate::ledger::clock::wall_clock;
use crate::ledger::postgres::Postgres;
use crate::ledger::sql::Sql;
use crate::ledger::sqlite::Sqlite;
use crate::ledger::store::Database;

fn intent(key: &str) -> Intent {
    Intent {
        key: key.into(),
        identity: format!("account card {key}"),
        account: "account".into(),
        tool: "purchase-user-item",
        arguments: "digest".into(),
        item: "release 1".into(),
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

fn over(database: Database, keep: Duration) -> Ledger {
    Ledger(Arc::new(Store::over(database, keep)))
}

fn sqlite(folder: Option<&Path>) -> Ledger {
    let sqlite = Sqlite::new(folder.map(Path::to_owned));
    over(
        Database::Sqlite(Arc::new(sqlite)),
        Duration::from_secs(400 * 24 * 60 * 60),
    )
}

fn in_folder(folder: &Path) -> Ledger {
    sqlite(Some(folder))
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
            let (client, connection) = tokio_postgres::connect(&server, NoTls).await.unwrap();
            tokio::spawn(connection);
            let name = format!("t{}", uuid::Uuid::new_v4().simple());
            client
                .batch_execute(&format!("CREATE DATABASE {name}"))
                .await
                .unwrap();
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
            Some(url) => {
                let postgres = Arc::new(Postgres::new(url).unwrap());
                over(
                    Database::Postgres(postgres),
                    Duration::from_secs(400 * 24 * 60 * 60),
                )
            }
        }
    }
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
    for bench in Bench::all().await {
        let ledger = bench.ledger();
        let id = started(&ledger, intent("k")).await;
        assert!(matches!(
            begin(&ledger, intent("k")).await,
            BeginOutcome::Exists(_)
        ));
        assert_eq!(state(&ledger, "k").await, Some(State::Sending));
        ledger.finish(id, done()).await.unwrap();
        let again = bench.ledger();
        let entry = find(&again, "k").await.unwrap().unwrap();
        assert_eq!(
            (entry.state, entry.purchase_id.as_deref()),
            (State::Done, Some("813"))
        );
    }
}

#[tokio::test]
async fn what_was_refused_or_not_sent_frees_the_key() {
    for bench in Bench::all().await {
        let ledger = bench.ledger();
        for state in [State::Refused, State::NotSent] {
            let id = started(&ledger, intent("k")).await;
            ledger
                .finish(id, Outcome { state, ..done() })
                .await
                .unwrap();
            assert_eq!(find(&ledger, "k").await.unwrap(), None);
        }
    }
}

#[tokio::test]
async fn charges_of_a_process_that_died_are_unknown_and_those_of_a_live_one_are_not() {
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
async fn a_ledger_that_can_not_be_used_says_why_and_is_tried_again() {
    let folder = tempdir().unwrap();
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
    let folder = tempdir().unwrap();
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

/// A ledger that the program of version 1 wrote, with two purchases that are done.
const VERSION_1: &[u8] = include_bytes!("version_1.sqlite");

#[tokio::test]
async fn ledgers_of_earlier_versions_are_taken_over_and_later_ones_refused() {
    let first = |file: &Path| {
        let sqlite = rusqlite::Connection::open(file).unwrap();
        sqlite.execute_batch(FIRST_VERSION).unwrap();
    };
    let account = "94f23fda9e124b29ffad8a08ea7edc69";
    let later = &*format!("{account} card release 11700062 ");
    let other = &*format!("{account} partner release 11700062 ");
    for (write, rows) in [
        (
            &first as &dyn Fn(&Path),
            [
                ("account card release 1 ", Some(State::Done)),
                ("account partner release 2 ", Some(State::Unknown)),
                ("account card release 2 ", None),
            ],
        ),
        (
            &|file: &Path| fs::write(file, VERSION_1).unwrap(),
            [(later, Some(State::Done)), (other, None), ("", None)],
        ),
    ] {
        let folder = tempdir().unwrap();
        let file = folder.path().join("ledger.sqlite");
        write(&file);
        // The window counts from the purchase.
        let sqlite = rusqlite::Connection::open(&file).unwrap();
        let now = wall_clock().unwrap();
        sqlite
            .execute("UPDATE charge SET started = ?1", [now])
            .unwrap();
        drop(sqlite);
        let ledger = in_folder(folder.path());
        for (identity, expected) in rows {
            let found = ledger.find("new".into(), identity.into(), Repeat::Unasked);
            let state = found.await.unwrap().map(|entry| entry.state);
            assert_eq!(state, expected, "{identity}");
        }
        let charges = ledger.list(10).await.unwrap();
        assert_eq!(charges.len(), 2);
        assert!(charges.iter().any(|charge| charge.purchase_id.is_some()));
        started(&ledger, intent("new")).await;
        // Opened again, it is as it was.
        let again = in_folder(folder.path());
        assert_eq!(again.list(10).await.unwrap().len(), 3);
        drop((ledger, again));
        let sqlite = rusqlite::Connection::open(&file).unwrap();
        sqlite.pragma_update(None, "user_version", 99).unwrap();
        drop(sqlite);
        let error = in_folder(folder.path()).status().await.unwrap_err();
        let why = "a later version of this program wrote it";
        assert!(error.to_string().contains(why), "{error}");
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
        assert!(
            (later + 15..later + 60_000).contains(&on),
            "it goes on: {later} {on}"
        );
    }
}

#[tokio::test]
async fn what_is_settled_and_old_goes_and_what_is_open_stays() {
    for bench in Bench::all().await {
        let ledger = bench.ledger();
        for (key, state) in [
            ("1", State::Done),
            ("2", State::Refused),
            ("3", State::Unknown),
        ] {
            let id = started(&ledger, intent(key)).await;
            ledger
                .finish(id, Outcome { state, ..done() })
                .await
                .unwrap();
        }
        started(&ledger, intent("4")).await;
        let old = Duration::from_secs(500 * 24 * 60 * 60);
        let age = move |sql: &dyn Sql| {
            sql.execute(
                "UPDATE charge SET begun = $1",
                &[since(tick(sql)?, old).into()],
            )
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
        ledger
            .0
            .unwritten
            .lock()
            .push(Unwritten::Outcome(id, done()));
        let fails = ledger
            .0
            .write(|_| Err::<(), _>(LedgerError("no".into())))
            .await;
        assert!(fails.is_err());
        assert_eq!(state(&ledger, "k").await, Some(State::Done));
        let intent = intent("other");
        let attempt = "an attempt".to_owned();
        let named = attempt.clone();
        let write = move |sql: &dyn Sql| insert(sql, tick(sql)?, &intent, &named, "owner");
        ledger.0.write(write).await.unwrap();
        ledger
            .0
            .unwritten
            .lock()
            .push(Unwritten::NotSent("account".into(), attempt));
        assert_eq!(
            find(&ledger, "other").await.unwrap(),
            None,
            "it was not sent"
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_was_moved_is_not_replaced_by_another() {
    let parent = tempdir().unwrap();
    let (place, away) = (parent.path().join("state"), parent.path().join("away"));
    let ledger = in_folder(&place);
    let id = started(&ledger, intent("1")).await;
    fs::rename(&place, &away).unwrap();
    let error = ledger
        .begin(intent("2"), SpendingLimits::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("was moved"), "{error}");
    assert!(!place.exists());
    fs::rename(&away, &place).unwrap();
    ledger.finish(id, done()).await.unwrap();
    assert_eq!(state(&ledger, "1").await, Some(State::Done));
}

#[cfg(unix)]
#[tokio::test]
async fn others_can_not_read_it_and_a_link_is_not_followed() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = tempdir().unwrap();
    let file = folder.path().join("ledger.sqlite");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    started(&in_folder(folder.path()), intent("k")).await;
    assert_eq!((mode(folder.path()), mode(&file)), (0o700, 0o600));
    fs::remove_file(&file).unwrap();
    symlink("/dev/null", &file).unwrap();
    let ledger = in_folder(folder.path());
    let error = ledger
        .begin(intent("k"), SpendingLimits::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("symbolic link"), "{error}");
}

#[tokio::test]
async fn who_only_looks_creates_nothing_and_who_leaves_leaves_no_lock() {
    let folder = tempdir().unwrap();
    let state = folder.path().join("state");
    let ledger = in_folder(&state);
    assert!(ledger.list(10).await.unwrap().is_empty());
    assert!(!state.exists());
    started(&ledger, intent("k")).await;
    // The thread that wrote may still be about to let go of it.
    while Arc::strong_count(&ledger.0) > 1 {
        tokio::task::yield_now().await;
    }
    drop(ledger);
    let files = fs::read_dir(&state).unwrap();
    let names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    assert!(
        !names
            .iter()
            .any(|name| name.to_string_lossy().ends_with(".alive")),
        "{names:?}"
    );
}

#[tokio::test]
async fn who_lost_its_sign_of_life_does_not_take_itself_for_dead() {
    for bench in Bench::all().await {
        let (ledger, other) = (bench.ledger(), bench.ledger());
        let id = started(&ledger, intent("k")).await;
        match &bench.url {
            None => {
                let files = fs::read_dir(bench.folder.path()).unwrap();
                for path in files.map(|file| file.unwrap().path()) {
                    if path.extension().is_some_and(|ending| ending == "alive") {
                        fs::remove_file(path).unwrap();
                    }
                }
            }
            Some(url) => {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
                tokio::spawn(connection);
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
async fn what_is_the_same_by_identity_stands_against_a_purchase_unless_the_user_agrees() {
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
            let outcome = begin(&ledger, other(nonce)).await;
            assert!(matches!(outcome, BeginOutcome::Exists(_)), "in flight");
        }
        ledger.finish(id, done()).await.unwrap();
        let outcome = begin(&ledger, other(None)).await;
        assert!(matches!(outcome, BeginOutcome::Exists(_)), "nobody agreed");
        started(&ledger, other(Some("2"))).await;
    }
}

/// Charges per second: one after another for one account, and of 64 accounts at once, with no charge in the ledger and with a million.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a bench: it asserts nothing, and fills a million rows"]
async fn charges_per_second() {
    let old = wall_clock().unwrap() - 172_800_000;
    let fill = format!(
        "INSERT INTO charge (attempt, key, identity, account, tool, arguments, item, price, state, started, begun, owner, purchase_id)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
         SELECT 'old ' || i, 'old ' || i, 'account' || (i % 64) || ' card ' || i, 'account' || (i % 64), 'purchase-user-item', 'a',
            'release ' || i, 799, 'done', {old} - i, {old} - i, 'gone', CAST(i AS TEXT) FROM n"
    );
    let buy = async |ledger: Ledger, account: usize, number: usize| {
        let key = format!("{account} {number} {}", uuid::Uuid::new_v4());
        let account = format!("account{account}");
        let intent = Intent {
            account,
            ..intent(&key)
        };
        let limits = SpendingLimits {
            per_day: Some(u32::MAX),
            ..SpendingLimits::default()
        };
        let BeginOutcome::Begun(id) = ledger.begin(intent, limits).await.unwrap() else {
            panic!("it is a new one")
        };
        ledger.finish(id, done()).await.unwrap();
    };
    for bench in Bench::all().await {
        let (ledger, kind) = (
            bench.ledger(),
            if bench.url.is_some() {
                "PostgreSQL"
            } else {
                "SQLite"
            },
        );
        for rows in [0_u32, 1_000_000] {
            match (&bench.url, fill.clone()) {
                _ if rows == 0 => {}
                (None, fill) => drop(
                    ledger
                        .0
                        .write(move |sql| sql.execute(&fill, &[]))
                        .await
                        .unwrap(),
                ),
                (Some(url), fill) => {
                    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
                    tokio::spawn(connection);
                    client.batch_execute(&fill).await.unwrap();
                    client.batch_execute("VACUUM ANALYZE charge").await.unwrap();
                    client.batch_execute("CHECKPOINT").await.unwrap();
                }
            }
            let started = std::time::Instant::now();
            for number in 0..200 {
                buy(ledger.clone(), 0, number).await;
            }
            let alone = 200.0 / started.elapsed().as_secs_f64();
            let started = std::time::Instant::now();
            let all = (0..64).map(|account| {
                let ledger = ledger.clone();
                tokio::spawn(async move {
                    for number in 0..20 {
                        buy(ledger.clone(), account, number).await;
                    }
                })
            });
            for task in all.collect::<Vec<_>>() {
                task.await.unwrap();
            }
            let many = 1_280.0 / started.elapsed().as_secs_f64();
            println!(
                "{kind} {rows:>9} rows: {alone:.0}/s one after another, {many:.0}/s by 64 accounts at once"
            );
        }
    }
}
