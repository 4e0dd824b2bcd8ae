//! The operations of the ledger.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Transaction, TransactionBehavior, named_params};

use super::entry::{BeginOutcome, Entry, Intent, LedgerError, Outcome, Repeat, Result, WINDOW};
use super::queries::{
    consume_confirmation, entry, exceeded_limit, find_blocking, first, mark_orphans_unknown,
    mark_unknown, now, since, write_outcome,
};
use super::store::{Location, Store, open};
use crate::config::{Config, SpendingLimits};

/// The ledger. Cheap to clone; opened when it is first needed, and again after a failure.
#[derive(Debug, Clone)]
pub struct Ledger(Arc<Store>);

impl Ledger {
    /// In the state folder that the settings name, or else the platform's; in memory for a sandbox without one.
    pub fn from_config(config: &Config) -> Self {
        let usual = || {
            let folders = directories::ProjectDirs::from("", "", "sevendigital-mcp")?;
            let folder = folders.state_dir().unwrap_or(folders.data_local_dir());
            Some(folder.to_owned())
        };
        Self::at(match config.state_dir.clone() {
            Some(folder) => Location::Folder(folder),
            None if config.sandbox => Location::Memory,
            None => usual().map_or(Location::Nowhere, Location::Folder),
        })
    }

    fn at(location: Location) -> Self {
        Self(Arc::new(Store {
            location,
            owner: uuid::Uuid::new_v4().to_string(),
            connection: Mutex::default(),
            pending_outcomes: Mutex::default(),
        }))
    }

    /// The purchase that stands against this one: in flight, unknown, or done within the window.
    pub async fn find(
        &self,
        key: String,
        identity: String,
        repeat: Repeat,
    ) -> Result<Option<Entry>> {
        self.with(move |transaction, store| {
            find_blocking(transaction, store, &key, &identity, repeat)
        })
        .await
    }

    /// Writes an intent down, durably, unless the same purchase, a limit or a used confirmation stands against it.
    pub async fn begin(&self, intent: Intent, limits: SpendingLimits) -> Result<BeginOutcome> {
        self.with(move |transaction, store| {
            let Intent { key, identity, .. } = &intent;
            let repeat = match intent.nonce {
                Some(_) => Repeat::Asked,
                None => Repeat::Unasked,
            };
            if let Some(entry) = find_blocking(transaction, store, key, identity, repeat)? {
                return Ok(BeginOutcome::Exists(entry));
            }
            if let Some((name, value)) = exceeded_limit(transaction, &intent, limits)? {
                return Ok(BeginOutcome::LimitReached(name, value));
            }
            if let Some(nonce) = &intent.nonce
                && !consume_confirmation(transaction, nonce)?
            {
                return Ok(BeginOutcome::ConfirmationUsed);
            }
            transaction.execute(
                "INSERT INTO charge (key, identity, account, tool, arguments, item, price, state, started, owner)
                 VALUES (:key, :identity, :account, :tool, :arguments, :item, :price, 'sending', :started, :owner)",
                named_params! {
                    ":key": intent.key, ":identity": intent.identity, ":account": intent.account, ":tool": intent.tool,
                    ":arguments": intent.arguments, ":item": intent.item, ":price": intent.price,
                    ":started": now(), ":owner": store.owner,
                },
            )?;
            Ok(BeginOutcome::Begun(transaction.last_insert_rowid()))
        })
        .await
    }

    /// Writes an outcome down.
    ///
    /// One that can't be written now is kept, and written before anything else is read or written here.
    pub async fn finish(&self, id: i64, outcome: Outcome) -> Result<()> {
        self.0.pending_outcomes().push((id, outcome));
        self.flush_pending().await
    }

    /// Writes down the outcomes that could not be written before.
    pub async fn flush_pending(&self) -> Result<()> {
        if self.0.pending_outcomes().is_empty() {
            return Ok(());
        }
        self.with(|_, _| Ok(())).await
    }

    /// Writes down that the outcome of all charges of this process is unknown: it ends now.
    pub async fn abandon_in_flight(&self) -> Result<usize> {
        self.with(|transaction, store| mark_unknown(transaction, &store.owner))
            .await
    }

    /// When this account last bought this item, by any tool, within the window.
    pub async fn last_bought(&self, account: &str, item: &str) -> Result<Option<Entry>> {
        let (account, item) = (account.to_owned(), item.to_owned());
        self.with(move |transaction, _| {
            let filter =
                "account = ?1 AND item = ?2 AND state IN ('done', 'unknown') AND started > ?3";
            first(transaction, filter, (account, item, since(WINDOW)))
        })
        .await
    }

    /// 7digital's ids of the purchases that this account is known to have made.
    pub async fn purchase_ids(&self, account: &str) -> Result<Vec<String>> {
        let account = account.to_owned();
        self.with(move |transaction, _| {
            let mut statement = transaction.prepare(
                "SELECT purchase_id FROM charge WHERE account = ?1 AND purchase_id IS NOT NULL",
            )?;
            statement.query_map([account], |row| row.get(0))?.collect()
        })
        .await
    }

    /// The charges, newest first.
    pub async fn list(&self, at_most: u32) -> Result<Vec<Entry>> {
        self.with(move |transaction, store| {
            mark_orphans_unknown(transaction, store)?;
            let mut statement =
                transaction.prepare("SELECT * FROM charge ORDER BY id DESC LIMIT ?1")?;
            statement.query_map([at_most], entry)?.collect()
        })
        .await
    }

    /// One charge.
    pub async fn show(&self, id: i64) -> Result<Option<Entry>> {
        self.with(move |transaction, store| {
            mark_orphans_unknown(transaction, store)?;
            first(transaction, "id = ?1", [id])
        })
        .await
    }

    /// Takes a charge out of the ledger, so that the same purchase can be made again. One in flight stays.
    pub async fn forget(&self, id: i64) -> Result<bool> {
        self.with(move |transaction, store| {
            mark_orphans_unknown(transaction, store)?;
            let gone = transaction.execute(
                "DELETE FROM charge WHERE id = ?1 AND state <> 'sending'",
                [id],
            )?;
            Ok(gone > 0)
        })
        .await
    }

    /// Uses a confirmation up; false if it was used before.
    pub async fn consume_confirmation(&self, nonce: String) -> Result<bool> {
        self.with(move |transaction, _| consume_confirmation(transaction, &nonce))
            .await
    }

    /// The key that signs confirmations, shared by all processes on the folder.
    pub async fn signing_key(&self) -> Result<[u8; 32]> {
        self.with(|transaction, _| {
            let fresh: [u8; 32] = rand::random();
            transaction.execute(
                "INSERT OR IGNORE INTO signing_key (id, key) VALUES (1, ?1)",
                [&fresh],
            )?;
            transaction.query_row("SELECT key FROM signing_key WHERE id = 1", [], |row| {
                row.get(0)
            })
        })
        .await
    }

    /// Runs a transaction on a thread that may block. What failed is closed, and opened anew the next time.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>, &Store) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = Arc::clone(&self.0);
        let task = tokio::task::spawn_blocking(move || {
            let mut slot = store
                .connection
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let connection = match slot.as_mut() {
                Some(open) => open,
                None => slot.insert(open(&store)?),
            };
            let outcome = connection
                .sqlite
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .and_then(|transaction| {
                    let pending = store.pending_outcomes().clone();
                    for (id, outcome) in &pending {
                        write_outcome(&transaction, *id, outcome)?;
                    }
                    let value = work(&transaction, &store)?;
                    transaction.commit()?;
                    store.pending_outcomes().drain(..pending.len());
                    Ok(value)
                });
            outcome.map_err(|error| {
                // A ledger in memory is gone when it is closed.
                if store.folder().is_some() {
                    *slot = None;
                }
                store.failed("used", &error)
            })
        });
        task.await
            .unwrap_or_else(|_| Err(LedgerError("the ledger's task failed".into())))
    }
}

#[cfg(test)]
mod tests;
