//! The SQLite file of the ledger, in a folder that only its owner can read, or in memory.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::TransactionBehavior;

use super::entry::{LedgerError, Outcome, Result};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS charge (
        id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, identity TEXT NOT NULL,
        account TEXT NOT NULL, tool TEXT NOT NULL, arguments TEXT NOT NULL, item TEXT NOT NULL, price INTEGER,
        state TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER, owner TEXT NOT NULL,
        purchase_id TEXT, document TEXT, code INTEGER
    ) STRICT;
    CREATE INDEX IF NOT EXISTS charge_by_key ON charge (key);
    CREATE INDEX IF NOT EXISTS charge_by_identity ON charge (identity);
    CREATE UNIQUE INDEX IF NOT EXISTS charge_in_flight ON charge (identity) WHERE state = 'sending';
    CREATE INDEX IF NOT EXISTS charge_by_account ON charge (account, started);
    CREATE UNIQUE INDEX IF NOT EXISTS charge_open ON charge (key) WHERE state IN ('sending', 'unknown');
    CREATE TABLE IF NOT EXISTS confirmation (nonce TEXT PRIMARY KEY, used INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS idempotency_key (
        caller TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, given INTEGER NOT NULL, PRIMARY KEY (caller, name)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS signing_key (id INTEGER PRIMARY KEY CHECK (id = 1), key BLOB NOT NULL) STRICT;
";

/// The version of [`SCHEMA`], in `PRAGMA user_version`. The first one wrote none.
const VERSION: i64 = 1;

/// From the first version: what was bought has an identity.
const FROM_0: &str = "
    ALTER TABLE charge ADD COLUMN identity TEXT NOT NULL DEFAULT '';
    UPDATE charge SET identity =
        account || CASE tool WHEN 'deliver-user-item' THEN ' partner ' ELSE ' card ' END || item || ' ';
";

/// The database, and what could not be written to it yet.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) location: Location,
    /// The id of this process in the ledger.
    pub(super) owner: String,
    pub(super) connection: Mutex<Option<Connection>>,
    /// Outcomes that could not be written yet.
    pub(super) pending_outcomes: Mutex<Vec<(i64, Outcome)>>,
}

/// Where the database is.
#[derive(Debug)]
pub(super) enum Location {
    /// In this folder, which is made when it is first needed.
    Folder(PathBuf),
    /// In memory, until the process ends.
    Memory,
    /// The platform names no folder for it, so nothing can be bought.
    Nowhere,
}

/// An open database.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) sqlite: rusqlite::Connection,
    /// Locked as long as this process lives, so that other processes recognise the charges of a dead one.
    pub(super) _alive: Option<File>,
}

impl Store {
    pub(super) fn pending_outcomes(&self) -> MutexGuard<'_, Vec<(i64, Outcome)>> {
        self.pending_outcomes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The error of a ledger that can't be `what`: opened, used.
    pub(super) fn failed(&self, what: &str, error: &dyn std::fmt::Display) -> LedgerError {
        let folder = self
            .folder()
            .map(|folder| format!(" in `{}`", folder.display()));
        let folder = folder.unwrap_or_default();
        LedgerError(format!("the ledger{folder} can't be {what}: {error}"))
    }

    pub(super) fn folder(&self) -> Option<&Path> {
        match &self.location {
            Location::Folder(folder) => Some(folder),
            Location::Memory | Location::Nowhere => None,
        }
    }
}

pub(super) fn open(store: &Store) -> Result<Connection> {
    let created = |error| store.failed("created", &error);
    let locked = |error| store.failed("locked", &error);
    let opened = |error| store.failed("opened", &error);
    let (mut sqlite, alive) = match &store.location {
        Location::Folder(folder) => {
            private_folder(folder).map_err(created)?;
            let alive = folder.join(format!("{}.alive", store.owner));
            let alive = private_file(&alive).map_err(created)?;
            alive.lock().map_err(locked)?;
            sweep(folder);
            let file = folder.join("ledger.sqlite");
            private_file(&file).map_err(created)?;
            let sqlite = rusqlite::Connection::open(&file).map_err(opened)?;
            (sqlite, Some(alive))
        }
        Location::Memory => (
            rusqlite::Connection::open_in_memory().map_err(opened)?,
            None,
        ),
        Location::Nowhere => {
            return Err(LedgerError(
                "there is no folder for the ledger: set `state_dir` (`SEVENDIGITAL_MCP_STATE_DIR`)"
                    .into(),
            ));
        }
    };
    // A database in memory ignores the journal's mode.
    let set_up = |sqlite: &mut rusqlite::Connection| {
        sqlite.busy_timeout(Duration::from_secs(5))?;
        sqlite.pragma_update(None, "journal_mode", "WAL")?;
        sqlite.pragma_update(None, "synchronous", "FULL")?;
        migrate(sqlite)
    };
    let version = set_up(&mut sqlite).map_err(|error| store.failed("set up", &error))?;
    if version > VERSION {
        let later = "a later version of this program wrote it; use that one";
        return Err(store.failed("used", &later));
    }
    Ok(Connection {
        sqlite,
        _alive: alive,
    })
}

/// Brings the tables to today's version, unless they are of a later one; gives the version that they have then.
fn migrate(sqlite: &mut rusqlite::Connection) -> rusqlite::Result<i64> {
    let transaction = sqlite.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > VERSION {
        return Ok(version);
    }
    let is_old = version == 0 && transaction.table_exists(None, "charge")?;
    if is_old {
        transaction.execute_batch(FROM_0)?;
    }
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(VERSION)
}

/// Removes the lock files of processes that died. A young file may belong to a process that is about to lock it.
fn sweep(folder: &Path) {
    let young = |file: &File| {
        file.metadata()
            .and_then(|data| data.modified())
            .is_ok_and(|at| at.elapsed().unwrap_or_default() < Duration::from_secs(60))
    };
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in files.map(|file| file.path()) {
        if path.extension().is_some_and(|ending| ending == "alive")
            && File::open(&path).is_ok_and(|file| !young(&file) && file.try_lock().is_ok())
        {
            let _ = fs::remove_file(path);
        }
    }
}

fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A file that only its owner may read, from its first byte; SQLite's own files beside it take after it.
fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
