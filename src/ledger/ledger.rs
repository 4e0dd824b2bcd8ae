//! The operations of the ledger, the same on every database.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::clock::{read_time, since, tick};
use super::entry::{
    BeginOutcome, Entry, Intent, KeyBinding, LedgerError, Outcome, Repeat, Result, State, WINDOW,
};
use super::postgres::Postgres;
use super::queries::{
    consume_confirmation, dead_owners, entries, exceeded_limit, find_blocking, first, insert,
    mark_not_sent, mark_unknown, sweep, write_outcome,
};
use super::sql::{Sql, SqlResult};
use super::sqlite::{Finish, Sqlite};
use crate::config::{Config, ConfigError, SpendingLimits};

/// How often what could not be written is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How often a little of what is old is removed.
const SWEEP: Duration = Duration::from_secs(10);

/// The ledger. Cheap to clone; opened when it is first needed, and again after a failure.
#[derive(Clone)]
pub struct Ledger(Arc<Shared>);

struct Shared {
    database: Database,
    keep: Duration,
    unwritten: Mutex<Vec<Unwritten>>,
    is_retrying: AtomicBool,
    swept: Mutex<Option<Instant>>,
}

enum Database {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
    /// The platform names no folder for it, so nothing can be bought.
    Nowhere,
}

/// What could not be written yet.
enum Unwritten {
    /// The outcome of a charge.
    Outcome(i64, Outcome),
    /// That an attempt, whose intent may have been written, was not sent.
    NotSent(String),
}

/// The addresses of databases are not printed.
impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

impl Ledger {
    /// In the database of `ledger_url`; else in the state folder that the settings name, or else the platform's; in memory for a sandbox without one.
    pub fn from_config(config: &Config) -> Result<Self, ConfigError> {
        let usual = || {
            let folders = directories::ProjectDirs::from("", "", "sevendigital-mcp")?;
            let folder = folders.state_dir().unwrap_or(folders.data_local_dir());
            Some(folder.to_owned())
        };
        let database = match (&config.ledger_url, config.state_dir.clone()) {
            (Some(url), _) => {
                let postgres = Postgres::new(url.expose());
                let postgres = postgres.map_err(|LedgerError(problem)| ConfigError(problem))?;
                Database::Postgres(Arc::new(postgres))
            }
            (None, Some(folder)) => Database::Sqlite(Arc::new(Sqlite::new(Some(folder)))),
            (None, None) if config.sandbox => Database::Sqlite(Arc::new(Sqlite::new(None))),
            (None, None) => usual().map_or(Database::Nowhere, |folder| {
                Database::Sqlite(Arc::new(Sqlite::new(Some(folder))))
            }),
        };
        Ok(Self::over(database, config.ledger_keep))
    }

    fn over(database: Database, keep: Duration) -> Self {
        Self(Arc::new(Shared {
            database,
            keep,
            unwritten: Mutex::default(),
            is_retrying: AtomicBool::default(),
            swept: Mutex::default(),
        }))
    }

    /// Where it is, for people.
    pub fn place(&self) -> String {
        match &self.0.database {
            Database::Sqlite(sqlite) => sqlite.place(),
            Database::Postgres(postgres) => postgres.place(),
            Database::Nowhere => "nowhere: the platform names no folder for it".to_owned(),
        }
    }

    /// The purchase that stands against this one: in flight, unknown, or done within the window.
    pub async fn find(
        &self,
        key: String,
        identity: String,
        repeat: Repeat,
    ) -> Result<Option<Entry>> {
        self.settle_orphans().await?;
        self.read(move |sql| find_blocking(sql, read_time(sql)?, &key, &identity, repeat))
            .await
    }

    /// Writes an intent down, durably, unless the same purchase, a limit or a used confirmation stands against it.
    pub async fn begin(&self, intent: Intent, limits: SpendingLimits) -> Result<BeginOutcome> {
        let attempt = uuid::Uuid::new_v4().to_string();
        let (shared, named) = (Arc::clone(&self.0), attempt.clone());
        let begun = self.write(move |sql| {
            let owner = shared.announce()?;
            sql.lock_account(&intent.account)?;
            let now = tick(sql)?;
            let repeat = match intent.nonce {
                Some(_) => Repeat::Asked,
                None => Repeat::Unasked,
            };
            if let Some(entry) = find_blocking(sql, now, &intent.key, &intent.identity, repeat)? {
                return Ok(BeginOutcome::Exists(Box::new(entry)));
            }
            if let Some((name, value)) = exceeded_limit(sql, now, &intent, limits)? {
                return Ok(BeginOutcome::LimitReached(name, value));
            }
            if let Some(nonce) = &intent.nonce
                && !consume_confirmation(sql, now, nonce)?
            {
                return Ok(BeginOutcome::ConfirmationUsed);
            }
            if shared.may_sweep() {
                sweep(sql, now, shared.keep)?;
            }
            match insert(sql, now, &intent, &named, &owner)? {
                Some(id) => Ok(BeginOutcome::Begun(id)),
                None => Err(LedgerError("another process is buying the same".to_owned())),
            }
        });
        let begun = begun.await;
        if begun.is_err() {
            // It may be written all the same, and would be taken for one in flight.
            self.0.unwritten().push(Unwritten::NotSent(attempt));
            self.retry();
        }
        begun
    }

    /// Binds the idempotency key `name` of a caller to the purchase `key`, unless another has it. A key belongs to the purchase that it was first given with, within the window.
    pub async fn bind_key(&self, caller: &str, name: &str, key: &str) -> Result<KeyBinding> {
        let (caller, name, key) = (caller.to_owned(), name.to_owned(), key.to_owned());
        self.write(move |sql| {
            let now = tick(sql)?;
            let old = since(now, WINDOW).into();
            sql.execute("DELETE FROM idempotency_key WHERE given <= $1", &[old])?;
            sql.execute(
                "INSERT INTO idempotency_key (caller, name, key, given) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                &[(&caller).into(), (&name).into(), (&key).into(), now.into()],
            )?;
            let query = "SELECT key, given FROM idempotency_key WHERE caller = $1 AND name = $2";
            let mut row = sql.first(query, &[(&caller).into(), (&name).into()])?.unwrap_or_default();
            let given = row.int("given").unwrap_or_default();
            if row.text("key").as_ref() != Some(&key) {
                return Ok(KeyBinding::OtherPurchase);
            }
            let last = first(sql, "key = $1 AND begun >= $2", &[(&key).into(), given.into()])?;
            Ok(match last {
                Some(entry) if entry.state == State::Refused => KeyBinding::Refused(Box::new(entry)),
                _ => KeyBinding::Bound,
            })
        })
        .await
    }

    /// Writes an outcome down.
    ///
    /// One that can't be written now is kept, and written before anything else is read or written here.
    pub async fn finish(&self, id: i64, outcome: Outcome) -> Result<()> {
        let kept = outcome.clone();
        let written = self
            .write(move |sql| write_outcome(sql, id, &outcome))
            .await;
        if written.is_err() {
            self.0.unwritten().push(Unwritten::Outcome(id, kept));
            self.retry();
        }
        written
    }

    /// Writes down the outcomes that could not be written before.
    pub async fn flush_pending(&self) -> Result<()> {
        if self.0.unwritten().is_empty() {
            return Ok(());
        }
        self.write(|_| Ok(())).await
    }

    /// Tries again in the background until everything is written.
    fn retry(&self) {
        if self.0.is_retrying.swap(true, Ordering::Relaxed) {
            return;
        }
        let shared = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            while let Some(shared) = Weak::upgrade(&shared) {
                if Self(Arc::clone(&shared)).flush_pending().await.is_ok() {
                    shared.is_retrying.store(false, Ordering::Relaxed);
                    return;
                }
                drop(shared);
                tokio::time::sleep(RETRY).await;
            }
        });
    }

    /// Writes down that the outcome of all charges of this process is unknown: it ends now.
    pub async fn abandon_in_flight(&self) -> Result<u64> {
        let owners = self.0.owners();
        if owners.is_empty() {
            return Ok(0);
        }
        self.write(move |sql| mark_unknown(sql, &owners)).await
    }

    /// When this account last bought this item, by any tool, within the window.
    pub async fn last_bought(&self, account: &str, item: &str) -> Result<Option<Entry>> {
        let (account, item) = (account.to_owned(), item.to_owned());
        self.read(move |sql| {
            let window = since(read_time(sql)?, WINDOW);
            let filter =
                "account = $1 AND item = $2 AND state IN ('done', 'unknown') AND begun > $3";
            first(
                sql,
                filter,
                &[(&account).into(), (&item).into(), window.into()],
            )
        })
        .await
    }

    /// Whether 7digital's purchase is one that this account is known to have made.
    pub async fn knows(&self, account: &str, purchase_id: &str) -> Result<bool> {
        let (account, id) = (account.to_owned(), purchase_id.to_owned());
        self.read(move |sql| {
            let known = first(
                sql,
                "account = $1 AND purchase_id = $2",
                &[(&account).into(), (&id).into()],
            );
            Ok(known?.is_some())
        })
        .await
    }

    /// The charges, newest first.
    pub async fn list(&self, at_most: u32) -> Result<Vec<Entry>> {
        self.settle_orphans().await?;
        self.read(move |sql| entries(sql, "TRUE ORDER BY id DESC", &[], at_most))
            .await
    }

    /// The charges with a number above this one that were written down at this time or later (milliseconds since 1970), oldest first.
    pub async fn page(&self, above: i64, since: i64, at_most: u32) -> Result<Vec<Entry>> {
        self.settle_orphans().await?;
        self.read(move |sql| {
            let condition = "id > $1 AND started >= $2 ORDER BY id";
            entries(sql, condition, &[above.into(), since.into()], at_most)
        })
        .await
    }

    /// How many charges are in each state.
    pub async fn status(&self) -> Result<Vec<(State, u64)>> {
        self.settle_orphans().await?;
        self.read(|sql| {
            let query = "SELECT state, COUNT(*) AS n FROM charge GROUP BY state ORDER BY state";
            let rows = sql.query(query, &[])?.into_iter();
            let rows = rows.filter_map(|mut row| {
                Some((
                    State::parse(&row.text("state")?),
                    row.int("n")?.unsigned_abs(),
                ))
            });
            Ok(rows.collect())
        })
        .await
    }

    /// One charge.
    pub async fn show(&self, id: i64) -> Result<Option<Entry>> {
        self.settle_orphans().await?;
        self.read(move |sql| first(sql, "id = $1", &[id.into()]))
            .await
    }

    /// Takes a charge out of the ledger, so that the same purchase can be made again. One in flight stays.
    pub async fn forget(&self, id: i64) -> Result<bool> {
        self.settle_orphans().await?;
        self.write(move |sql| {
            let delete = "DELETE FROM charge WHERE id = $1 AND state <> 'sending'";
            Ok(sql.execute(delete, &[id.into()])? > 0)
        })
        .await
    }

    /// Uses a confirmation up; false if it was used before.
    pub async fn consume_confirmation(&self, nonce: String) -> Result<bool> {
        self.write(move |sql| consume_confirmation(sql, tick(sql)?, &nonce))
            .await
    }

    /// The ledger's time, in milliseconds since 1970: it never goes back.
    pub async fn now(&self) -> Result<i64> {
        self.write(|sql| tick(sql)).await
    }

    /// The key that signs confirmations, shared by all processes on the ledger.
    pub async fn signing_key(&self) -> Result<[u8; 32]> {
        self.write(|sql| {
            let fresh: [u8; 32] = rand::random();
            let insert = "INSERT INTO signing_key (id, key) VALUES (1, $1) ON CONFLICT DO NOTHING";
            sql.execute(insert, &[fresh.as_slice().into()])?;
            let row = sql.first("SELECT key FROM signing_key WHERE id = 1", &[])?;
            let key = row.and_then(|mut row| row.bytes("key")?.try_into().ok());
            key.ok_or_else(|| LedgerError("its signing key is damaged".to_owned()))
        })
        .await
    }

    /// Charges that a process left in flight when it died have an unknown outcome.
    async fn settle_orphans(&self) -> Result<()> {
        let dead = self.read(dead_owners).await?;
        if !dead.is_empty() {
            self.write(move |sql| mark_unknown(sql, &dead)).await?;
        }
        Ok(())
    }

    /// Runs queries on a thread that may block, after what could not be written before.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Sql) -> SqlResult<T> + Send + 'static,
    ) -> Result<T> {
        self.flush_pending().await?;
        let shared = Arc::clone(&self.0);
        let task = tokio::task::spawn_blocking(move || match &shared.database {
            Database::Sqlite(sqlite) => sqlite.read(work),
            Database::Postgres(postgres) => postgres.read(work),
            Database::Nowhere => Err(nowhere()),
        });
        task.await.unwrap_or_else(|_| Err(broken()))
    }

    /// Runs a transaction on a thread that may block, together with what could not be written before.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Sql) -> SqlResult<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = oneshot::channel();
        let shared = Arc::clone(&self.0);
        match &self.0.database {
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
}

impl Shared {
    /// Whether it is time to remove a little of what is old: with the first charge, and then now and again.
    fn may_sweep(&self) -> bool {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        let due = swept.is_none_or(|at| at.elapsed() >= SWEEP);
        if due {
            *swept = Some(Instant::now());
        }
        due
    }

    fn unwritten(&self) -> MutexGuard<'_, Vec<Unwritten>> {
        self.unwritten
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what could not be written before, then works. Gives what was taken, to be kept if the transaction fails.
    fn run<T>(
        &self,
        sql: &dyn Sql,
        work: impl FnOnce(&dyn Sql) -> SqlResult<T>,
    ) -> (SqlResult<T>, Vec<Unwritten>) {
        let taken = std::mem::take(&mut *self.unwritten());
        let written = taken.iter().try_for_each(|unwritten| match unwritten {
            Unwritten::Outcome(id, outcome) => write_outcome(sql, *id, outcome),
            Unwritten::NotSent(attempt) => mark_not_sent(sql, attempt),
        });
        (written.and_then(|()| work(sql)), taken)
    }

    fn end<T>(&self, ended: Result<T>, taken: Vec<Unwritten>, sender: oneshot::Sender<Result<T>>) {
        if ended.is_err() {
            self.unwritten().extend(taken);
        }
        // Who asked may be gone.
        let _ = sender.send(ended);
    }

    /// Says that this process lives; gives the owner of its charges.
    fn announce(&self) -> Result<String> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.announce(),
            Database::Postgres(postgres) => postgres.announce(),
            Database::Nowhere => Err(nowhere()),
        }
    }

    fn owners(&self) -> Vec<String> {
        match &self.database {
            Database::Sqlite(sqlite) => vec![sqlite.owner.clone()],
            Database::Postgres(postgres) => postgres.owners(),
            Database::Nowhere => Vec::new(),
        }
    }
}

fn nowhere() -> LedgerError {
    LedgerError(
        "there is no folder for the ledger: set `state_dir` (`SEVENDIGITAL_MCP_STATE_DIR`)"
            .to_owned(),
    )
}

fn broken() -> LedgerError {
    LedgerError("the ledger's task failed".to_owned())
}

#[cfg(test)]
mod tests;
