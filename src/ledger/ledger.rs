//! The ledger: what was bought, written down before it is sent, so that the same purchase is sent once.
//!
//! One SQLite file in the state folder, shared by all processes that use the folder.
//! It holds digests, item ids and 7digital's purchase ids; no token, no e-mail address, no card.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, named_params};
use serde::Serialize;
use serde_json::Value;

use super::rows::now;
use super::rows::{bury, entry, live, reached, since, use_consent, write_outcome};
use super::store::{Home, Open, Place, open};

/// How long the same purchase for the same account is sent once.
pub const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// Why the ledger can't be used. While it can't, nothing is bought.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LedgerError(pub(crate) String);

/// How far a charge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Written down; perhaps on its way.
    Sending,
    /// Bought, with a purchase id.
    Done,
    /// 7digital said no.
    Refused,
    /// Nothing reached 7digital.
    NotSent,
    /// Sent, and no trustworthy answer came: it may have been charged.
    Unknown,
}

impl State {
    /// Its name in the ledger and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::NotSent => "not_sent",
            Self::Unknown => "unknown",
        }
    }

    pub(super) fn parse(text: &str) -> Self {
        match text {
            "sending" => Self::Sending,
            "done" => Self::Done,
            "refused" => Self::Refused,
            "not_sent" => Self::NotSent,
            // A state that a later version wrote is one that this version must not buy over.
            _ => Self::Unknown,
        }
    }
}

/// What is about to be bought.
#[derive(Debug, Clone)]
pub struct Intent {
    /// Digest of account, tool and arguments: the purchase's identity.
    pub key: String,
    /// Digest of the account.
    pub account: String,
    /// Tool name.
    pub tool: &'static str,
    /// Digest of the arguments.
    pub arguments: String,
    /// What it is, in ids: `release 11700062`.
    pub item: String,
    /// Its price in minor units, where it is known before.
    pub price: Option<u32>,
    /// The number of the user's yes, where one was given: good for one purchase.
    pub consent: Option<String>,
}

/// Bounds on charges of one account. What is not set does not bind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Charges in any minute.
    pub per_minute: Option<u32>,
    /// Charges in any 24 hours.
    pub per_day: Option<u32>,
    /// Sum of prices in any 24 hours, in minor units.
    pub daily_budget: Option<u64>,
    /// Charges under way at once.
    pub in_flight: Option<u32>,
}

/// A charge as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Number in the ledger.
    pub id: i64,
    /// Digest of the account.
    pub account: String,
    /// Tool name.
    pub tool: String,
    /// Digest of the arguments.
    pub arguments: String,
    /// What it is, in ids.
    pub item: String,
    /// Price in minor units, where it was known before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<u32>,
    /// How far it is.
    pub state: State,
    /// When it was written down, in milliseconds since 1970.
    pub started: i64,
    /// When its outcome was written down, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<i64>,
    /// 7digital's purchase id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchase_id: Option<String>,
    /// The stored answer: envelope, purchase id and date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Value>,
    /// 7digital's code, where it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
}

/// What became of an attempt to write an intent down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It stands in the ledger; send it.
    Started(i64),
    /// The same purchase stands there already.
    Exists(Entry),
    /// A limit of this name and value is reached.
    Limit(&'static str, u64),
    /// The user's yes was used before.
    ConsentUsed,
}

/// The outcome of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What became of it; not [`State::Sending`].
    pub state: State,
    /// 7digital's purchase id.
    pub purchase_id: Option<String>,
    /// What a repeat is answered with.
    pub document: Option<Value>,
    /// 7digital's code, where it refused.
    pub code: Option<u32>,
}

/// The ledger. Cheap to clone; opened when it is first needed, and again after a failure.
#[derive(Debug, Clone)]
pub struct Ledger {
    place: Arc<Place>,
}

impl Ledger {
    /// A ledger in this folder, which is made when it is first needed.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self::at(Home::Folder(folder))
    }

    /// A ledger that ends with the process, for a sandbox.
    pub fn in_memory() -> Self {
        Self::at(Home::Memory)
    }

    /// No ledger, where the platform names no folder for one: nothing can be bought.
    pub fn nowhere() -> Self {
        Self::at(Home::Nowhere)
    }

    fn at(home: Home) -> Self {
        let owner = uuid::Uuid::new_v4().to_string();
        Self {
            place: Arc::new(Place {
                home,
                owner,
                open: Mutex::default(),
                unwritten: Mutex::default(),
            }),
        }
    }

    /// The purchase with that key that a repeat must be held against: under way, unknown, or done within the window.
    pub async fn find(&self, key: &str) -> Result<Option<Entry>, LedgerError> {
        let key = key.to_owned();
        self.with(move |transaction, place| live(transaction, place, &key))
            .await
    }

    /// Writes an intent down, durably, unless the same purchase, a limit or a used consent stands against it.
    pub async fn begin(&self, intent: Intent, limits: Allowance) -> Result<Begun, LedgerError> {
        self.with(move |transaction, place| {
            if let Some(entry) = live(transaction, place, &intent.key)? {
                return Ok(Begun::Exists(entry));
            }
            if let Some((name, value)) = reached(transaction, &intent, limits)? {
                return Ok(Begun::Limit(name, value));
            }
            if let Some(nonce) = &intent.consent
                && !use_consent(transaction, nonce)?
            {
                return Ok(Begun::ConsentUsed);
            }
            transaction.execute(
                "INSERT INTO charge (key, account, tool, arguments, item, price, state, started, owner)
                 VALUES (:key, :account, :tool, :arguments, :item, :price, 'sending', :started, :owner)",
                named_params! {
                    ":key": intent.key, ":account": intent.account, ":tool": intent.tool,
                    ":arguments": intent.arguments, ":item": intent.item, ":price": intent.price,
                    ":started": now(), ":owner": place.owner,
                },
            )?;
            Ok(Begun::Started(transaction.last_insert_rowid()))
        })
        .await
    }

    /// Writes an outcome down.
    ///
    /// One that can't be written now is kept, and written before anything else is read or written here.
    pub async fn finish(&self, id: i64, outcome: Outcome) -> Result<(), LedgerError> {
        self.place.unwritten().push((id, outcome));
        self.catch_up().await
    }

    /// Writes down the outcomes that could not be written before.
    pub async fn catch_up(&self) -> Result<(), LedgerError> {
        let unwritten = !self.place.unwritten().is_empty();
        if unwritten {
            self.with(|_, _| Ok(())).await
        } else {
            Ok(())
        }
    }

    /// Writes down that the outcome of all charges of this process is unknown: it ends now.
    pub async fn give_up(&self) -> Result<usize, LedgerError> {
        self.with(|transaction, place| {
            transaction.execute(
                "UPDATE charge SET state = 'unknown', ended = ?1 WHERE state = 'sending' AND owner = ?2",
                (now(), &place.owner),
            )
        })
        .await
    }

    /// When this account last bought this item, under whatever tool, within the window.
    pub async fn last_bought(
        &self,
        account: &str,
        item: &str,
    ) -> Result<Option<Entry>, LedgerError> {
        let (account, item) = (account.to_owned(), item.to_owned());
        self.with(move |transaction, _| {
            transaction
                .query_row(
                    "SELECT * FROM charge WHERE account = ?1 AND item = ?2 AND state IN ('done', 'unknown')
                     AND started > ?3 ORDER BY id DESC LIMIT 1",
                    (account, item, since(WINDOW)),
                    entry,
                )
                .optional()
        })
        .await
    }

    /// 7digital's ids of the purchases that this account is known to have made.
    pub async fn purchase_ids(&self, account: &str) -> Result<Vec<String>, LedgerError> {
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
    pub async fn list(&self, at_most: u32) -> Result<Vec<Entry>, LedgerError> {
        self.with(move |transaction, place| {
            bury(transaction, place)?;
            let mut statement =
                transaction.prepare("SELECT * FROM charge ORDER BY id DESC LIMIT ?1")?;
            let entries = statement.query_map([at_most], entry)?;
            entries.collect()
        })
        .await
    }

    /// One charge.
    pub async fn show(&self, id: i64) -> Result<Option<Entry>, LedgerError> {
        self.with(move |transaction, place| {
            bury(transaction, place)?;
            transaction
                .query_row("SELECT * FROM charge WHERE id = ?1", [id], entry)
                .optional()
        })
        .await
    }

    /// Takes a charge out of the ledger, so that the same purchase can be made again. One under way stays.
    pub async fn forget(&self, id: i64) -> Result<bool, LedgerError> {
        self.with(move |transaction, place| {
            bury(transaction, place)?;
            let gone = transaction.execute(
                "DELETE FROM charge WHERE id = ?1 AND state <> 'sending'",
                [id],
            )?;
            Ok(gone > 0)
        })
        .await
    }

    /// Uses up the number of a user's yes; false if it was used before.
    pub async fn use_consent(&self, nonce: String) -> Result<bool, LedgerError> {
        self.with(move |transaction, _| use_consent(transaction, &nonce))
            .await
    }

    /// The key that seals confirmations, shared by all processes on the folder.
    pub async fn seal(&self) -> Result<Vec<u8>, LedgerError> {
        self.with(|transaction, _| {
            let fresh: [u8; 32] = rand::random();
            transaction.execute(
                "INSERT OR IGNORE INTO seal (id, key) VALUES (1, ?1)",
                [&fresh],
            )?;
            transaction.query_row("SELECT key FROM seal WHERE id = 1", [], |row| row.get(0))
        })
        .await
    }

    /// Runs a transaction on a thread that may block. What failed is closed, and opened anew the next time.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>, &Place) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let place = Arc::clone(&self.place);
        let task = tokio::task::spawn_blocking(move || {
            let mut slot = place.open.lock().unwrap_or_else(PoisonError::into_inner);
            if slot.is_none() {
                *slot = Some(open(&place)?);
            }
            let Some(Open { connection, .. }) = slot.as_mut() else {
                return Err(LedgerError("the ledger could not be opened".into()));
            };
            let outcome = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .and_then(|transaction| {
                    let late = place.unwritten().clone();
                    for (id, outcome) in &late {
                        write_outcome(&transaction, *id, outcome)?;
                    }
                    let value = work(&transaction, &place)?;
                    transaction.commit()?;
                    place.unwritten().drain(..late.len());
                    Ok(value)
                });
            outcome.map_err(|error| {
                // A ledger in memory is gone when it is closed.
                if place.folder().is_some() {
                    *slot = None;
                }
                LedgerError(format!(
                    "the ledger{} can't be used: {error}",
                    place.shown()
                ))
            })
        });
        task.await
            .unwrap_or_else(|_| Err(LedgerError("the ledger's work broke off".into())))
    }
}

#[cfg(test)]
mod tests;
