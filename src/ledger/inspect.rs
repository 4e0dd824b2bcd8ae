//! A look at the ledger that leaves it as it is: nothing is created, brought to today's version, repaired or locked.

use std::error::Error;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use url::Url;

use super::entry::{Result, State};
use super::folder::real;
use super::ledger::Ledger;
use super::queries::charges_by_state;
use super::schema::VERSION;
use super::sql::Sql;
use super::sqlite::Sqlite;
use super::store::Database;

/// What a look at the ledger found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The version of its tables; none where there is no ledger yet.
    pub version: Option<i64>,
    /// How many charges are in each state.
    pub charges: Vec<(State, u64)>,
    /// Running processes that have charged something; none where that can't be seen from here.
    pub processes: Option<usize>,
}

impl Inspection {
    /// The version that this program writes.
    pub const VERSION: i64 = VERSION;
}

impl Ledger {
    /// The folder that it is in, behind links and redirections; none for a database or memory.
    pub fn folder(&self) -> Option<PathBuf> {
        match &self.0.database {
            Database::Sqlite(sqlite) => sqlite.folder.as_deref().map(real),
            Database::Postgres(_) | Database::Nowhere => None,
        }
    }

    /// Looks at it, and leaves it as it is.
    pub async fn inspect(&self) -> Result<Inspection> {
        let shared = Arc::clone(&self.0);
        let look = tokio::task::spawn_blocking(move || match &shared.database {
            Database::Sqlite(sqlite) => sqlite.inspect(),
            Database::Postgres(postgres) => postgres.look(|sql| {
                let named = "SELECT to_regclass('ledger_version')::TEXT AS name";
                let named = sql.first(named, &[])?;
                let is_there = named.is_some_and(|mut row| row.text("name").is_some());
                let version = "SELECT MAX(version) AS n FROM ledger_version";
                read(sql, is_there.then_some(version), None)
            }),
            Database::Nowhere => Err(super::store::nowhere()),
        });
        look.await.unwrap_or_else(|_| Err(super::store::broken()))
    }
}

impl Sqlite {
    fn inspect(&self) -> Result<Inspection> {
        let (Some(folder), Some(file)) = (&self.folder, self.file()) else {
            return Ok(empty());
        };
        if !file.exists() {
            return Ok(empty());
        }
        let opened = open(&file);
        let (_folder, sqlite) = opened.map_err(|error| self.failed("opened", &error))?;
        sqlite
            .busy_timeout(Duration::from_secs(2))
            .map_err(|error| self.failed("opened", &error))?;
        self.session(&sqlite, |sql| {
            let checked = sql.first("PRAGMA quick_check(1)", &[])?;
            let checked = checked.and_then(|mut row| row.text("quick_check"));
            if let Some(damage) = checked.filter(|checked| checked != "ok") {
                return Err(self.failed("trusted", &damage));
            }
            let version = "SELECT user_version AS n FROM pragma_user_version";
            read(sql, Some(version), Some(living(folder)))
        })
    }
}

/// A connection that can't write, and before it the folder that must outlive it, if there is one.
///
/// Without a log beside it the file is complete, and even its locks are left alone.
/// With a log, its index is read; where no process keeps that up to date, SQLite makes one in memory.
/// A log without an index, as a backup may have it, would be given one: so a copy is looked at.
fn open(file: &Path) -> std::result::Result<(Option<TempDir>, Connection), Box<dyn Error>> {
    let beside = |ending: &str| {
        let mut path = file.as_os_str().to_owned();
        path.push(ending);
        PathBuf::from(path)
    };
    let (log, index) = (beside("-wal"), beside("-shm"));
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let with = |parameter: &str| {
        let path = std::path::absolute(file)?;
        let url = Url::from_file_path(path).map_err(|()| "its path can't be written as a URI")?;
        let flags = read_only | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(format!("{url}?{parameter}"), flags)?;
        Ok((None, connection))
    };
    if !log.exists() {
        return with("immutable=1");
    }
    if index.exists() {
        return with("readonly_shm=1");
    }
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join("ledger.sqlite");
    fs::copy(file, &copy)?;
    fs::copy(&log, folder.path().join("ledger.sqlite-wal"))?;
    let connection = Connection::open_with_flags(copy, read_only)?;
    Ok((Some(folder), connection))
}

/// What is in it; `version` is the query for its version, where there are tables.
fn read(sql: &dyn Sql, version: Option<&str>, processes: Option<usize>) -> Result<Inspection> {
    let Some(version) = version else {
        return Ok(Inspection {
            processes,
            ..empty()
        });
    };
    let version = sql.number(version, &[])?;
    // Only of this version is it known what the tables are.
    let charges = if version == VERSION {
        charges_by_state(sql)?
    } else {
        Vec::new()
    };
    Ok(Inspection {
        version: Some(version),
        charges,
        processes,
    })
}

fn empty() -> Inspection {
    Inspection {
        version: None,
        charges: Vec::new(),
        processes: Some(0),
    }
}

/// How many processes hold their file in the folder.
fn living(folder: &Path) -> usize {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = files.map(|file| file.path());
    let is_alive = |path: &PathBuf| {
        let is_one = path.extension().is_some_and(|ending| ending == "alive");
        let held = |file: File| matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        is_one && File::open(path).is_ok_and(held)
    };
    files.filter(is_alive).count()
}
