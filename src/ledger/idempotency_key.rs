//! Idempotency keys: each belongs to the purchase that it was first given with, within the window.

use rusqlite::named_params;

use super::entry::{Entry, Result, State, WINDOW};
use super::ledger::Ledger;
use super::queries::{first, now, since};

/// What an idempotency key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyBinding {
    /// This purchase.
    Bound,
    /// This purchase, which 7digital has refused under this key.
    Refused(Box<Entry>),
    /// Another purchase.
    OtherPurchase,
}

impl Ledger {
    /// Binds the idempotency key `name` of a caller to the purchase `key`, unless another has it.
    pub async fn bind_key(&self, caller: &str, name: &str, key: &str) -> Result<KeyBinding> {
        let (caller, name, key) = (caller.to_owned(), name.to_owned(), key.to_owned());
        self.with(move |transaction, _| {
            transaction.execute("DELETE FROM idempotency_key WHERE given <= ?1", [since(WINDOW)])?;
            transaction.execute(
                "INSERT OR IGNORE INTO idempotency_key (caller, name, key, given) VALUES (:caller, :name, :key, :given)",
                named_params! {":caller": caller, ":name": name, ":key": key, ":given": now()},
            )?;
            let (owner, given): (String, i64) = transaction.query_row(
                "SELECT key, given FROM idempotency_key WHERE caller = ?1 AND name = ?2",
                (&caller, &name),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            if owner != key {
                return Ok(KeyBinding::OtherPurchase);
            }
            let last = first(transaction, "key = ?1 AND started >= ?2", (&key, given))?;
            Ok(match last {
                Some(entry) if entry.state == State::Refused => KeyBinding::Refused(Box::new(entry)),
                _ => KeyBinding::Bound,
            })
        })
        .await
    }
}
