//! The operations of the ledger, the same on every database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::clock::{read_time, since, tick};
use super::entry::{
    BeginOutcome, Entry, Intent, KeyBinding, LedgerError, LimitUse, Outcome, Repeat, Result, State,
    WINDOW,
};
use super::queries::{
    charges_by_state, consume_confirmation, dead_owners, entries, exceeded_limit, find_blocking,
    first, insert, limits_used, mark_unknown, newest, sweep, write_outcome,
};
use super::sql::{Cell, Sql};
use super::store::{Store, Unwritten};
use crate::config::{Config, ConfigError, SpendingLimits};

/// The ledger. Cheap to clone; opened when it is first needed, and again after a failure.
#[derive(Clone)]
pub struct Ledger(pub(super) Arc<Store>);

/// The addresses of databases are not printed.
impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

impl Ledger {
    /// Where the settings say.
    pub fn from_config(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self(Arc::new(Store::from_config(config)?)))
    }

    /// Where it is, for people.
    pub fn place(&self) -> String {
        self.0.place()
    }

    /// Whether other processes can use it too.
    pub fn is_shared(&self) -> bool {
        self.0.is_shared()
    }

    /// Writes down the outcomes that could not be written before, and tries so for a while.
    pub async fn drain(&self, within: Duration) -> Result<()> {
        let started = Instant::now();
        loop {
            let flushed = self.0.flush().await;
            if (flushed.is_ok() && self.0.is_settled()) || started.elapsed() > within {
                return flushed;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Milliseconds since 1970 by the clock that charges are dated with.
    pub async fn wall_clock(&self) -> Result<i64> {
        self.0.read(|sql| sql.wall_clock()).await
    }

    /// The number of the newest charge that a question about the same purchase would name; zero without one.
    pub async fn newest(&self, identity: String) -> Result<i64> {
        self.0
            .read(move |sql| newest(sql, read_time(sql)?, &identity))
            .await
    }

    /// Writes down that an unknown charge was made, unless another charge of the account has that purchase.
    pub async fn settle(&self, id: i64, account: &str, outcome: Outcome) -> Result<bool> {
        let account = account.to_owned();
        self.0
            .write(move |sql| {
                sql.lock_account(&account)?;
                let values = [(&account).into(), outcome.purchase_id.as_ref().into()];
                if first(sql, "account = $1 AND purchase_id = $2", &values)?.is_some() {
                    return Ok(false);
                }
                write_outcome(sql, id, &outcome).map(|()| true)
            })
            .await
    }

    /// The purchase that stands against this one: in flight, unknown, or done within the window.
    pub async fn find(
        &self,
        key: String,
        identity: String,
        repeat: Repeat,
    ) -> Result<Option<Entry>> {
        self.read_charges(move |sql| find_blocking(sql, read_time(sql)?, &key, &identity, repeat))
            .await
    }

    /// Writes an intent down, durably, unless the same purchase, a limit or a used confirmation stands against it.
    pub async fn begin(&self, intent: Intent, limits: SpendingLimits) -> Result<BeginOutcome> {
        self.sweep().await;
        let attempt = uuid::Uuid::new_v4().to_string();
        let (shared, named) = (Arc::clone(&self.0), attempt.clone());
        let account = intent.account.clone();
        let begun = self.0.write(move |sql| {
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
            if let Some(reached) = exceeded_limit(sql, now, &intent, limits)? {
                return Ok(BeginOutcome::LimitReached(reached));
            }
            // The user has agreed to a question that did not know of what came since.
            if intent.nonce.is_some() && newest(sql, now, &intent.identity)? > intent.seen {
                return Ok(BeginOutcome::ConfirmationUsed);
            }
            if let Some(nonce) = &intent.nonce
                && !consume_confirmation(sql, now, nonce)?
            {
                return Ok(BeginOutcome::ConfirmationUsed);
            }
            match insert(sql, now, &intent, &named, &owner)? {
                Some(id) => Ok(BeginOutcome::Begun(id)),
                None => Err(LedgerError("another process is buying the same".to_owned())),
            }
        });
        let begun = begun.await;
        if begun.is_err() {
            // It may be written all the same, and would be taken for one in flight.
            self.0.keep(Unwritten::NotSent(account, attempt));
        }
        begun
    }

    /// Binds the idempotency key `name` of a caller to the purchase `key`, unless another has it. A key belongs to the purchase that it was first given with, within the window.
    pub async fn bind_key(&self, caller: &str, name: &str, key: &str) -> Result<KeyBinding> {
        let (caller, name, key) = (caller.to_owned(), name.to_owned(), key.to_owned());
        self.0.write(move |sql| {
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

    /// What an account has used of each limit that is set, but for that on purchases in flight.
    pub async fn limits_used(
        &self,
        account: &str,
        limits: SpendingLimits,
    ) -> Result<Vec<LimitUse>> {
        let account = account.to_owned();
        let in_flight = None;
        let limits = SpendingLimits {
            in_flight,
            ..limits
        };
        self.0
            .read(move |sql| limits_used(sql, read_time(sql)?, &account, limits))
            .await
    }

    /// Writes an outcome down.
    ///
    /// One that can't be written now is kept, and written before anything else is read or written here.
    pub async fn finish(&self, id: i64, outcome: Outcome) -> Result<()> {
        let kept = outcome.clone();
        let written = self.0.write(move |sql| write_outcome(sql, id, &outcome));
        let written = written.await;
        if written.is_err() {
            self.0.keep(Unwritten::Outcome(id, kept));
        }
        written
    }

    /// Writes down that the outcome of all charges of this process is unknown: it ends now.
    pub async fn abandon_in_flight(&self) -> Result<u64> {
        let owners = self.0.owners();
        if owners.is_empty() {
            return Ok(0);
        }
        self.0.write(move |sql| mark_unknown(sql, &owners)).await
    }

    /// The same call's charge whose outcome is unknown.
    pub async fn find_unknown(&self, key: String) -> Result<Option<Entry>> {
        let unknown = "key = $1 AND state = 'unknown'";
        self.0
            .read(move |sql| first(sql, unknown, &[(&key).into()]))
            .await
    }

    /// When this account last bought this item, by any tool, within the window; or may have bought it, at any time.
    pub async fn last_bought(&self, account: &str, item: &str) -> Result<Option<Entry>> {
        let (account, item) = (account.to_owned(), item.to_owned());
        self.0
            .read(move |sql| {
                let window = since(read_time(sql)?, WINDOW);
                let may_be = "(state = 'unknown' OR (state = 'done' AND begun > $3))";
                let filter = format!("account = $1 AND item = $2 AND {may_be}");
                let values = [(&account).into(), (&item).into(), window.into()];
                first(sql, &filter, &values)
            })
            .await
    }

    /// Whether 7digital's purchase is one that this account is known to have made.
    pub async fn knows(&self, account: &str, purchase_id: &str) -> Result<bool> {
        let (account, id) = (account.to_owned(), purchase_id.to_owned());
        self.0
            .read(move |sql| {
                let values = [(&account).into(), (&id).into()];
                let known = first(sql, "account = $1 AND purchase_id = $2", &values)?;
                Ok(known.is_some())
            })
            .await
    }

    /// The charges, newest first.
    pub async fn list(&self, at_most: u32) -> Result<Vec<Entry>> {
        self.read_charges(move |sql| entries(sql, "TRUE ORDER BY id DESC", &[], at_most))
            .await
    }

    /// The charges of an account, newest first.
    pub async fn of_account(&self, account: &str, at_most: u32) -> Result<Vec<Entry>> {
        let account = account.to_owned();
        let condition = "account = $1 ORDER BY id DESC";
        self.read_charges(move |sql| entries(sql, condition, &[(&account).into()], at_most))
            .await
    }

    /// The charges with a number above this one that were written down at this time or later (milliseconds since 1970), oldest first.
    pub async fn page(&self, above: i64, since: i64, at_most: u32) -> Result<Vec<Entry>> {
        let condition = "id > $1 AND started >= $2 ORDER BY id";
        let values = [above.into(), since.into()];
        self.read_charges(move |sql| entries(sql, condition, &values, at_most))
            .await
    }

    /// How many charges are in each state.
    pub async fn status(&self) -> Result<Vec<(State, u64)>> {
        self.read_charges(charges_by_state).await
    }

    /// One charge.
    pub async fn show(&self, id: i64) -> Result<Option<Entry>> {
        self.read_charges(move |sql| first(sql, "id = $1", &[id.into()]))
            .await
    }

    /// Takes a charge out of the ledger, so that the same purchase can be made again. One in flight stays.
    pub async fn forget(&self, id: i64) -> Result<bool> {
        self.settle_orphans().await?;
        self.0
            .write(move |sql| {
                let delete = "DELETE FROM charge WHERE id = $1 AND state <> 'sending'";
                Ok(sql.execute(delete, &[id.into()])? > 0)
            })
            .await
    }

    /// Uses a confirmation up; false if it was used before.
    pub async fn consume_confirmation(&self, nonce: String) -> Result<bool> {
        self.0
            .write(move |sql| consume_confirmation(sql, tick(sql)?, &nonce))
            .await
    }

    /// The ledger's time, in milliseconds since 1970: it never goes back.
    pub async fn now(&self) -> Result<i64> {
        self.0.write(|sql| tick(sql)).await
    }

    /// The key that signs confirmations, shared by all processes on the ledger.
    pub async fn signing_key(&self) -> Result<[u8; 32]> {
        self.0
            .write(|sql| {
                let fresh: [u8; 32] = rand::random();
                let insert =
                    "INSERT INTO signing_key (id, key) VALUES (1, $1) ON CONFLICT DO NOTHING";
                sql.execute(insert, &[Cell::Bytes(fresh.to_vec())])?;
                let row = sql.first("SELECT key FROM signing_key WHERE id = 1", &[])?;
                let key = row.and_then(|mut row| row.bytes("key")?.try_into().ok());
                key.ok_or_else(|| LedgerError("its signing key is damaged".to_owned()))
            })
            .await
    }

    /// Now and again removes a little of what is old. In a transaction of its own: no purchase fails for it.
    async fn sweep(&self) {
        let keep = self.0.keep;
        if self.0.may_sweep()
            && let Err(error) = self.0.write(move |sql| sweep(sql, tick(sql)?, keep)).await
        {
            tracing::warn!("old charges could not be removed: {error}");
        }
    }

    /// Reads charges; those of dead processes are no longer in flight then.
    async fn read_charges<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Sql) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.settle_orphans().await?;
        self.0.read(work).await
    }

    /// Charges that a process left in flight when it died have an unknown outcome.
    async fn settle_orphans(&self) -> Result<()> {
        let dead = self.0.read(dead_owners).await?;
        if !dead.is_empty() {
            self.0.write(move |sql| mark_unknown(sql, &dead)).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
