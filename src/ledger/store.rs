//! Reading and writing on whichever database there is, on threads that may block; and what could not be written yet.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::entry::{LedgerError, Outcome, Result};
use super::postgres::Postgres;
use super::queries::{mark_not_sent, write_outcome};
use super::sql::{Sql, SqlResult};
use super::sqlite::{Finish, Sqlite};
use crate::config::{Config, ConfigError, state_folder};

/// How often what could not be written is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How often a little of what is old is removed.
const SWEEP: Duration = Duration::from_secs(10);

/// The database, and what could not be written to it yet.
pub(super) struct Store {
    pub(super) database: Database,
    pub(super) keep: Duration,
    pub(super) unwritten: Mutex<Vec<Unwritten>>,
    /// How many of them are in transactions just now.
    in_hand: AtomicUsize,
    is_retrying: AtomicBool,
    swept: Mutex<Option<Instant>>,
}

pub(super) enum Database {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
    /// The platform names no folder for it, so nothing can be bought.
    Nowhere,
}

/// What could not be written yet.
pub(super) enum Unwritten {
    /// The outcome of a charge.
    Outcome(i64, Outcome),
    /// That an attempt of this account, whose intent may have been written, was not sent.
    NotSent(String, String),
}

impl Store {
    /// In the database of `ledger_url`; else in the state folder that the settings name, or else the platform's; in memory for a sandbox without one.
    pub(super) fn from_config(config: &Config) -> Result<Self, ConfigError> {
        let sqlite = |folder| Database::Sqlite(Arc::new(Sqlite::new(folder)));
        let database = match (&config.ledger_url, config.state_dir.clone()) {
            (Some(url), _) => {
                let postgres = Postgres::new(url.expose());
                let postgres =
                    postgres.map_err(|LedgerError(problem)| ConfigError::new(problem))?;
                Database::Postgres(Arc::new(postgres))
            }
            (None, None) if config.sandbox => sqlite(None),
            (None, folder) => match folder.or_else(state_folder) {
                Some(folder) => sqlite(Some(folder)),
                None => Database::Nowhere,
            },
        };
        Ok(Self::over(database, config.ledger_keep))
    }

    pub(super) fn over(database: Database, keep: Duration) -> Self {
        Self {
            database,
            keep,
            unwritten: Mutex::default(),
            in_hand: AtomicUsize::default(),
            is_retrying: AtomicBool::default(),
            swept: Mutex::default(),
        }
    }

    /// Where it is, for people.
    pub(super) fn place(&self) -> String {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.place(),
            Database::Postgres(postgres) => postgres.place(),
            Database::Nowhere => {
                "nowhere: neither HOME nor the system names a folder for it; set `state_dir`"
                    .to_owned()
            }
        }
    }

    /// Whether other processes can use it too: one in memory they can't.
    pub(super) fn is_shared(&self) -> bool {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.is_shared(),
            Database::Postgres(_) => true,
            Database::Nowhere => false,
        }
    }

    /// Keeps what could not be written, and tries again in the background.
    pub(super) fn keep(self: &Arc<Self>, unwritten: Unwritten) {
        self.unwritten.lock().push(unwritten);
        self.retry();
    }

    /// Writes down the outcomes that could not be written before.
    pub(super) async fn flush(self: &Arc<Self>) -> Result<()> {
        if self.unwritten.lock().is_empty() {
            return Ok(());
        }
        self.write(|_| Ok(())).await
    }

    /// Whether everything is written.
    pub(super) fn is_settled(&self) -> bool {
        self.unwritten.lock().is_empty() && self.in_hand.load(Ordering::SeqCst) == 0
    }

    /// Tries again in the background until everything is written.
    fn retry(self: &Arc<Self>) {
        if self.is_retrying.swap(true, Ordering::SeqCst) {
            return;
        }
        let shared = Arc::downgrade(self);
        tokio::spawn(async move {
            while let Some(shared) = Weak::upgrade(&shared) {
                if shared.flush().await.is_ok() {
                    shared.is_retrying.store(false, Ordering::SeqCst);
                    // What failed just now found this still at work.
                    let more = !shared.unwritten.lock().is_empty();
                    if !more || shared.is_retrying.swap(true, Ordering::SeqCst) {
                        return;
                    }
                }
                drop(shared);
                tokio::time::sleep(RETRY).await;
            }
        });
    }

    /// Runs queries on a thread that may block, after what could not be written before.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&dyn Sql) -> SqlResult<T> + Send + 'static,
    ) -> Result<T> {
        self.flush().await?;
        let shared = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || match &shared.database {
            Database::Sqlite(sqlite) => sqlite.read(work),
            Database::Postgres(postgres) => postgres.read(work),
            Database::Nowhere => Err(nowhere()),
        });
        task.await.unwrap_or_else(|_| Err(broken()))
    }

    /// Runs a transaction on a thread that may block, together with what could not be written before.
    pub(super) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&dyn Sql) -> SqlResult<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = oneshot::channel();
        let shared = Arc::clone(self);
        match &self.database {
            Database::Sqlite(sqlite) => {
                let job = Box::new(move |sql: SqlResult<&dyn Sql>| {
                    let (ended, taken) = match sql {
                        Ok(sql) => shared.run(sql, work),
                        Err(error) => (Err(error), Vec::new()),
                    };
                    let keep = ended.is_ok();
                    let finish = move |commit: SqlResult<()>| {
                        let ended = ended.and_then(|value| commit.map(|()| value));
                        shared.end(ended, taken, sender);
                    };
                    (keep, Box::new(finish) as Finish)
                });
                if sqlite.enqueue(job) {
                    let sqlite = Arc::clone(sqlite);
                    tokio::task::spawn_blocking(move || sqlite.run_queued());
                }
            }
            Database::Postgres(postgres) => {
                let postgres = Arc::clone(postgres);
                tokio::task::spawn_blocking(move || {
                    let mut taken = Vec::new();
                    let ended = postgres.write(|sql| {
                        let (ended, unwritten) = shared.run(sql, work);
                        taken = unwritten;
                        ended
                    });
                    shared.end(ended, taken, sender);
                });
            }
            Database::Nowhere => return Err(nowhere()),
        }
        receiver.await.unwrap_or_else(|_| Err(broken()))
    }

    /// Whether it is time to remove a little of what is old: with the first charge, and then now and again.
    pub(super) fn may_sweep(&self) -> bool {
        let mut swept = self.swept.lock();
        let due = swept.is_none_or(|at| at.elapsed() >= SWEEP);
        if due {
            *swept = Some(Instant::now());
        }
        due
    }

    /// Writes what could not be written before, then works. Gives what was taken, to be kept if the transaction fails.
    fn run<T>(
        &self,
        sql: &dyn Sql,
        work: impl FnOnce(&dyn Sql) -> SqlResult<T>,
    ) -> (SqlResult<T>, Vec<Unwritten>) {
        let taken = {
            let mut unwritten = self.unwritten.lock();
            self.in_hand.fetch_add(unwritten.len(), Ordering::SeqCst);
            std::mem::take(&mut *unwritten)
        };
        let written = taken.iter().try_for_each(|unwritten| match unwritten {
            Unwritten::Outcome(id, outcome) => write_outcome(sql, *id, outcome),
            Unwritten::NotSent(account, attempt) => mark_not_sent(sql, account, attempt),
        });
        (written.and_then(|()| work(sql)), taken)
    }

    fn end<T>(&self, ended: Result<T>, taken: Vec<Unwritten>, sender: oneshot::Sender<Result<T>>) {
        let count = taken.len();
        if ended.is_err() {
            self.unwritten.lock().extend(taken);
        }
        self.in_hand.fetch_sub(count, Ordering::SeqCst);
        // Who asked may be gone.
        let _ = sender.send(ended);
    }

    /// Says that this process lives; gives the owner of its charges.
    pub(super) fn announce(&self) -> Result<String> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.announce(),
            Database::Postgres(postgres) => postgres.announce(),
            Database::Nowhere => Err(nowhere()),
        }
    }

    pub(super) fn owners(&self) -> Vec<String> {
        match &self.database {
            Database::Sqlite(sqlite) => vec![sqlite.owner.clone()],
            Database::Postgres(postgres) => postgres.owners(),
            Database::Nowhere => Vec::new(),
        }
    }
}

pub(super) fn nowhere() -> LedgerError {
    LedgerError(
        "there is no folder for the ledger, since neither HOME nor the system names one: set `state_dir` (`SEVENDIGITAL_MCP_STATE_DIR`)"
            .to_owned(),
    )
}

pub(super) fn broken() -> LedgerError {
    LedgerError("the ledger's task failed".to_owned())
}
