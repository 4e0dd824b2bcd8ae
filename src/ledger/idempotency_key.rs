//! Idempotency keys: each belongs to the call that it was first given with, as long as a purchase is sent once.

use rusqlite::{OptionalExtension as _, named_params};

use super::ledger::{Entry, Ledger, LedgerError, State, WINDOW};
use super::rows::{entry, now, since};

/// What an idempotency key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// This call; what the ledger has of it otherwise, holds.
    ThisCall,
    /// This call, which 7digital has refused under this key.
    Refused(Box<Entry>),
    /// Another call.
    AnotherCall,
}

impl Ledger {
    /// Gives the purchase `key` a name that its caller chose, unless another has it.
    pub async fn name(&self, caller: &str, name: &str, key: &str) -> Result<Named, LedgerError> {
        let (caller, name, key) = (caller.to_owned(), name.to_owned(), key.to_owned());
        self.with(move |transaction, _| {
            transaction.execute("DELETE FROM named WHERE given <= ?1", [since(WINDOW)])?;
            transaction.execute(
                "INSERT OR IGNORE INTO named (caller, name, key, given) VALUES (:caller, :name, :key, :given)",
                named_params! {":caller": caller, ":name": name, ":key": key, ":given": now()},
            )?;
            let (owner, given): (String, i64) = transaction.query_row(
                "SELECT key, given FROM named WHERE caller = ?1 AND name = ?2",
                (&caller, &name),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            if owner != key {
                return Ok(Named::AnotherCall);
            }
            let last = transaction
                .query_row(
                    "SELECT * FROM charge WHERE key = ?1 AND started >= ?2 ORDER BY id DESC LIMIT 1",
                    (&key, given),
                    entry,
                )
                .optional()?;
            Ok(match last {
                Some(entry) if entry.state == State::Refused => Named::Refused(Box::new(entry)),
                _ => Named::ThisCall,
            })
        })
        .await
    }
}
