//! The ledger in one SQLite file, in a folder that only its owner can read, or in memory.
//!
//! Transactions that write wait in a queue. One thread runs all that wait and commits them together, so that purchases of many accounts share one sync of the disk.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{OpenFlags, ToSql, TransactionBehavior, params_from_iter};

use super::clock::wall_clock;
use super::entry::LedgerError;
use super::folder::{FileId, alive_file, private_file, private_folder, real, sweep};
use super::schema::{Dialect, VERSION, migrate, tables};
use super::sql::{Cell, Row, Sql, SqlResult};

const DIALECT: Dialect = Dialect {
    serial: "INTEGER PRIMARY KEY AUTOINCREMENT",
    int: "INTEGER",
    bytes: "BLOB",
    strict: " STRICT",
};

/// A transaction that waits: it gets a connection or the reason that there is none, and says whether it is to be kept.
pub(super) type Job = Box<dyn FnOnce(SqlResult<&dyn Sql>) -> (bool, Finish) + Send>;
/// What is called with the end of the commit.
pub(super) type Finish = Box<dyn FnOnce(SqlResult<()>) + Send>;

/// Transactions that wait, and whether a thread is at them.
#[derive(Default)]
struct Queue {
    jobs: Vec<Job>,
    is_running: bool,
}

/// The database. Opened when it is first needed, and again after a failure.
pub(super) struct Sqlite {
    pub(super) folder: Option<PathBuf>,
    /// The id of this process in the ledger.
    pub(super) owner: String,
    queue: Mutex<Queue>,
    writer: Mutex<Option<rusqlite::Connection>>,
    reader: Mutex<Option<rusqlite::Connection>>,
    /// Locked as long as this process lives, so that others recognise the charges of a dead one. There from the first charge on.
    alive: Mutex<Option<File>>,
    /// Which file was opened: while the process runs, no other takes its place.
    opened: Mutex<Option<FileId>>,
}

impl Sqlite {
    /// In a folder, or else in memory.
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            owner: uuid::Uuid::new_v4().to_string(),
            queue: Mutex::default(),
            writer: Mutex::default(),
            reader: Mutex::default(),
            alive: Mutex::default(),
            opened: Mutex::default(),
        }
    }

    /// The file, for people.
    pub(super) fn place(&self) -> String {
        let file = self.file().map(|file| real(&file).display().to_string());
        file.unwrap_or_else(|| "in memory, until this process ends".to_owned())
    }

    /// Whether it is in a file.
    pub(super) fn is_shared(&self) -> bool {
        self.folder.is_some()
    }

    pub(super) fn file(&self) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join("ledger.sqlite"))
    }

    /// Puts a transaction into the queue; gives whether somebody has to [`run_queued`](Self::run_queued).
    pub(super) fn enqueue(&self, job: Job) -> bool {
        let mut queue = self.queue.lock();
        queue.jobs.push(job);
        !std::mem::replace(&mut queue.is_running, true)
    }

    /// Runs the transactions that wait, each by itself, and commits them together, until none waits. Only on a thread that may block.
    pub(super) fn run_queued(&self) {
        loop {
            let jobs = std::mem::take(&mut self.queue.lock().jobs);
            let mut writer = self.writer.lock();
            let ended = catch_unwind(AssertUnwindSafe(|| self.run(&mut writer, jobs)));
            // What failed is closed. A ledger in memory is gone when it is closed.
            if !matches!(ended, Ok(Ok(()))) && self.folder.is_some() {
                *writer = None;
                *self.reader.lock() = None;
            }
            let mut queue = self.queue.lock();
            if queue.jobs.is_empty() {
                queue.is_running = false;
                return;
            }
        }
    }

    fn run(&self, writer: &mut Option<rusqlite::Connection>, jobs: Vec<Job>) -> SqlResult<()> {
        let mut finishes = Vec::with_capacity(jobs.len());
        let ended = self.transact(writer, jobs, &mut finishes);
        for finish in finishes {
            finish(ended.clone());
        }
        ended
    }

    fn transact(
        &self,
        writer: &mut Option<rusqlite::Connection>,
        jobs: Vec<Job>,
        finishes: &mut Vec<Finish>,
    ) -> SqlResult<()> {
        let used = |error| self.failed("used", &error);
        let begun = self.writer(writer).and_then(|connection| {
            let behavior = TransactionBehavior::Immediate;
            connection.transaction_with_behavior(behavior).map_err(used)
        });
        let mut transaction = match begun {
            Ok(transaction) => transaction,
            Err(error) => {
                finishes.extend(jobs.into_iter().map(|job| job(Err(error.clone())).1));
                return Err(error);
            }
        };
        for job in jobs {
            let savepoint = match transaction.savepoint() {
                Ok(savepoint) => savepoint,
                Err(error) => {
                    finishes.push(job(Err(used(error))).1);
                    continue;
                }
            };
            let (keep, finish) = job(Ok(&Session(self, &savepoint)));
            finishes.push(finish);
            if keep {
                savepoint.commit().map_err(used)?;
            }
        }
        transaction.commit().map_err(used)
    }

    fn writer<'a>(
        &self,
        writer: &'a mut Option<rusqlite::Connection>,
    ) -> SqlResult<&'a mut rusqlite::Connection> {
        let open = self.take(writer)?;
        Ok(writer.insert(open))
    }

    /// Takes a connection out, or opens one.
    fn take(&self, kept: &mut Option<rusqlite::Connection>) -> SqlResult<rusqlite::Connection> {
        self.check_place()?;
        kept.take().map_or_else(|| self.open(), Ok)
    }

    /// Runs queries without a lock for writing. Nothing is created for them: without a file, there is nothing.
    pub(super) fn read<T>(&self, work: impl FnOnce(&dyn Sql) -> SqlResult<T>) -> SqlResult<T> {
        let Some(file) = self.file() else {
            let mut writer = self.writer.lock();
            return work(&Session(self, self.writer(&mut writer)?));
        };
        if !file.exists() && self.opened.lock().is_none() {
            return Self::new(None).read(work);
        }
        let mut reader = self.reader.lock();
        let open = self.take(&mut reader)?;
        let done = work(&Session(self, &open));
        if done.is_ok() {
            *reader = Some(open);
        }
        done
    }

    /// Works on a connection that another opened.
    pub(super) fn session<T>(
        &self,
        connection: &rusqlite::Connection,
        work: impl FnOnce(&dyn Sql) -> SqlResult<T>,
    ) -> SqlResult<T> {
        work(&Session(self, connection))
    }

    /// Says that this process lives, before its first charge; gives the owner of its charges.
    pub(super) fn announce(&self) -> SqlResult<String> {
        let Some(folder) = &self.folder else {
            return Ok(self.owner.clone());
        };
        let mut alive = self.alive.lock();
        let path = alive_file(folder, &self.owner);
        let held = alive.as_ref().and_then(|file| file.metadata().ok());
        let held = held.map(|data| FileId::new(&data));
        if held.is_none() || held != FileId::at(&path) {
            private_folder(folder).map_err(|error| self.failed("created", &error))?;
            sweep(folder);
            let file = private_file(&path);
            let file = file.map_err(|error| self.failed("created", &error))?;
            file.lock().map_err(|error| self.failed("locked", &error))?;
            *alive = Some(file);
        }
        Ok(self.owner.clone())
    }

    fn open(&self) -> SqlResult<rusqlite::Connection> {
        let opened = |error| self.failed("opened", &error);
        let mut sqlite = match (&self.folder, self.file()) {
            (Some(folder), Some(file)) => {
                let created = |error| self.failed("created", &error);
                private_folder(folder).map_err(created)?;
                drop(private_file(&file).map_err(created)?);
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                rusqlite::Connection::open_with_flags(&file, flags).map_err(opened)?
            }
            _ => rusqlite::Connection::open_in_memory().map_err(opened)?,
        };
        // A database in memory ignores the journal's mode.
        let set_up = |sqlite: &rusqlite::Connection| {
            sqlite.busy_timeout(Duration::from_secs(5))?;
            sqlite.pragma_update(None, "journal_mode", "WAL")?;
            sqlite.pragma_update(None, "synchronous", "FULL")?;
            // In KiB: the indexes of a million charges.
            sqlite.pragma_update(None, "cache_size", -32_768)
        };
        set_up(&sqlite).map_err(|error| self.failed("set up", &error))?;
        self.migrate(&mut sqlite)?;
        *self.opened.lock() = self.file().and_then(|file| FileId::at(&file));
        Ok(sqlite)
    }

    /// Brings the tables to today's version, unless they are of a later one.
    fn migrate(&self, sqlite: &mut rusqlite::Connection) -> SqlResult<()> {
        let failed = |error: rusqlite::Error| self.failed("set up", &error);
        let version_of = |sqlite: &rusqlite::Connection| {
            sqlite.pragma_query_value(None, "user_version", |row| row.get(0))
        };
        let version: i64 = version_of(sqlite).map_err(failed)?;
        if version == VERSION {
            return Ok(());
        }
        let behavior = TransactionBehavior::Immediate;
        let transaction = sqlite.transaction_with_behavior(behavior).map_err(failed)?;
        // Another process may have been quicker.
        let version: i64 = version_of(&transaction).map_err(failed)?;
        if version > VERSION {
            let later = "a later version of this program wrote it; use that one";
            return Err(self.failed("used", &later));
        }
        if transaction.table_exists(None, "charge").map_err(failed)? {
            migrate(&Session(self, &transaction), version)?;
        }
        transaction
            .execute_batch(&tables(&DIALECT))
            .map_err(failed)?;
        transaction
            .pragma_update(None, "user_version", VERSION)
            .map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    /// Whether the file that is open is still the one that others would open.
    fn check_place(&self) -> SqlResult<()> {
        let (Some(file), Some(opened)) = (self.file(), *self.opened.lock()) else {
            return Ok(());
        };
        if FileId::at(&file) == Some(opened) {
            return Ok(());
        }
        Err(self.failed("used", &"it was moved, removed or replaced while this server ran: put it back, or start the server anew to use what is there now"))
    }

    /// The error of a ledger that can't be `what`: opened, used.
    pub(super) fn failed(&self, what: &str, error: &dyn std::fmt::Display) -> LedgerError {
        let folder = self.folder.as_ref();
        let folder = folder.map(|folder| format!(" in `{}`", folder.display()));
        let folder = folder.unwrap_or_default();
        LedgerError(format!("the ledger{folder} can't be {what}: {error}"))
    }
}

/// A process that ends leaves no file that it does not hold.
impl Drop for Sqlite {
    fn drop(&mut self) {
        if let (Some(folder), Some(_)) = (&self.folder, self.alive.lock().take()) {
            let _ = fs::remove_file(alive_file(folder, &self.owner));
        }
    }
}

/// A connection, and the ledger that it is of.
struct Session<'a>(&'a Sqlite, &'a rusqlite::Connection);

impl Sql for Session<'_> {
    fn execute(&self, statement: &str, values: &[Cell]) -> SqlResult<u64> {
        let used = |error| self.0.failed("used", &error);
        let statement = statement.replace('$', "?");
        let mut statement = self.1.prepare_cached(&statement).map_err(used)?;
        let changed = statement.execute(params_from_iter(values)).map_err(used)?;
        Ok(u64::try_from(changed).unwrap_or_default())
    }

    fn query(&self, statement: &str, values: &[Cell]) -> SqlResult<Vec<Row>> {
        let used = |error| self.0.failed("used", &error);
        let statement = statement.replace('$', "?");
        let mut statement = self.1.prepare_cached(&statement).map_err(used)?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let row = |row: &rusqlite::Row<'_>| {
            let cells = columns.iter().enumerate();
            let cells = cells.map(|(place, name)| Ok((name.clone(), row.get_ref(place)?.into())));
            cells.collect::<rusqlite::Result<_>>().map(Row)
        };
        let rows = statement
            .query_map(params_from_iter(values), row)
            .map_err(used)?;
        rows.collect::<rusqlite::Result<_>>().map_err(used)
    }

    fn wall_clock(&self) -> SqlResult<i64> {
        wall_clock()
    }

    /// There is one writer at a time.
    fn lock_account(&self, _: &str) -> SqlResult<()> {
        Ok(())
    }

    fn is_alive(&self, owner: &str) -> SqlResult<bool> {
        let Some(folder) = &self.0.folder else {
            return Ok(true);
        };
        if owner == self.0.owner {
            return Ok(true);
        }
        let path = alive_file(folder, owner);
        let unclear = |error: &dyn std::fmt::Display| self.0.failed("used", error);
        // Only what is certain counts: a file that can't be opened now may be a living process's.
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(unclear(&error)),
        };
        match file.try_lock() {
            Ok(()) => {
                let _ = fs::remove_file(path);
                Ok(false)
            }
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(unclear(&error)),
        }
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Int(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

impl From<ValueRef<'_>> for Cell {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Integer(number) => Self::Int(number),
            ValueRef::Text(text) => Self::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Self::Bytes(bytes.to_vec()),
            ValueRef::Null | ValueRef::Real(_) => Self::Null,
        }
    }
}
