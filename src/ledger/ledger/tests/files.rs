//! The ledger's file and its folder: who may read them, what is made of other files, and what stays of a process.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::tempdir;

use super::{Ledger, done, find, in_folder, intent, started, state};
use crate::config::SpendingLimits;
use crate::ledger::clock::wall_clock;
use crate::ledger::{Repeat, State};

/// The files that say which processes live.
pub(super) fn locks(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths
        .filter(|path| path.extension() == Some("alive".as_ref()))
        .collect()
}

/// Why a purchase is not begun.
async fn refusal(ledger: &Ledger, key: &str) -> String {
    let begun = ledger.begin(intent(key), SpendingLimits::default()).await;
    begun.unwrap_err().to_string()
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_ledger_that_can_not_be_used_says_why_and_is_tried_again() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("ledger.sqlite");
    let text = "this is no database, and long enough not to be taken for an empty one";
    fs::write(&file, text.repeat(20)).unwrap();
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
        let dated = sqlite.execute("UPDATE charge SET started = ?1", [now]);
        assert_eq!(dated, Ok(2));
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

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_was_moved_is_not_replaced_by_another() {
    let parent = tempdir().unwrap();
    let (place, away) = (parent.path().join("state"), parent.path().join("away"));
    let ledger = in_folder(&place);
    let id = started(&ledger, intent("1")).await;
    fs::rename(&place, &away).unwrap();
    let error = refusal(&ledger, "2").await;
    assert!(error.contains("was moved"), "{error}");
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
    let error = refusal(&in_folder(folder.path()), "k").await;
    assert!(error.contains("symbolic link"), "{error}");
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
    assert!(locks(&state).is_empty());
}
