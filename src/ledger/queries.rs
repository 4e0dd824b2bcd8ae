//! Queries: what a repeat is checked against, which limit a charge exceeds, and what a dead process left.

use std::fs::{self, File, TryLockError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{OptionalExtension as _, Params, Result, Row, Transaction, named_params};

use super::entry::{Entry, Intent, Outcome, Repeat, State, WINDOW};
use super::store::Store;
use crate::config::SpendingLimits;

/// The entry that stands against a purchase: the same call's, in flight, unknown or done within the window; else the same purchase's by another call.
///
/// Of another call it counts where it is in flight, and where the user was not asked about it ([`Repeat::Unasked`]) also an unknown or done one.
pub(super) fn find_blocking(
    transaction: &Transaction<'_>,
    store: &Store,
    key: &str,
    identity: &str,
    repeat: Repeat,
) -> Result<Option<Entry>> {
    mark_orphans_unknown(transaction, store)?;
    let same = "(state IN ('sending', 'unknown') OR (state = 'done' AND started > ?2))";
    let of_call = first(
        transaction,
        &format!("key = ?1 AND {same}"),
        (key, since(WINDOW)),
    )?;
    if of_call.is_some() {
        return Ok(of_call);
    }
    match repeat {
        Repeat::Unasked => first(
            transaction,
            &format!("identity = ?1 AND {same}"),
            (identity, since(WINDOW)),
        ),
        Repeat::Asked => first(
            transaction,
            "identity = ?1 AND state = 'sending'",
            [identity],
        ),
    }
}

/// The newest entry that meets a condition of SQL.
pub(super) fn first(
    transaction: &Transaction<'_>,
    condition: &str,
    values: impl Params,
) -> Result<Option<Entry>> {
    let query = format!("SELECT * FROM charge WHERE {condition} ORDER BY id DESC LIMIT 1");
    transaction.query_row(&query, values, entry).optional()
}

/// Charges that a process left in flight when it died have an unknown outcome.
pub(super) fn mark_orphans_unknown(transaction: &Transaction<'_>, store: &Store) -> Result<()> {
    let Some(folder) = store.folder() else {
        return Ok(());
    };
    let mut statement = transaction
        .prepare("SELECT DISTINCT owner FROM charge WHERE state = 'sending' AND owner <> ?1")?;
    let owners: Vec<String> = statement
        .query_map([&store.owner], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for owner in owners {
        let path = folder.join(format!("{owner}.alive"));
        let alive = File::open(&path)
            .is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)));
        if !alive {
            mark_unknown(transaction, &owner)?;
            let _ = fs::remove_file(path);
        }
    }
    Ok(())
}

/// What a process had in flight has an unknown outcome.
pub(super) fn mark_unknown(transaction: &Transaction<'_>, owner: &str) -> Result<usize> {
    transaction.execute(
        "UPDATE charge SET state = 'unknown', ended = ?1 WHERE state = 'sending' AND owner = ?2",
        (now(), owner),
    )
}

/// States of a charge that cost money, or may have.
const SPENT: &str = "'sending', 'done', 'unknown'";

/// The first limit that one more charge would break. Entries from the future count: a clock set back refills nothing.
pub(super) fn exceeded_limit(
    transaction: &Transaction<'_>,
    intent: &Intent,
    limits: SpendingLimits,
) -> Result<Option<(&'static str, u64)>> {
    let total = |what: &str, states: &str, from: i64| {
        transaction.query_row(
            &format!(
                "SELECT {what} FROM charge WHERE account = ?1 AND started > ?2 AND state IN ({states})"
            ),
            (&intent.account, from),
            |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()),
        )
    };
    let minute = Duration::from_secs(60);
    for (name, most, states, from) in [
        ("max_charges_in_flight", limits.in_flight, "'sending'", 0),
        (
            "max_charges_per_minute",
            limits.per_minute,
            SPENT,
            since(minute),
        ),
        ("max_charges_per_day", limits.per_day, SPENT, since(WINDOW)),
    ] {
        if let Some(most) = most.map(u64::from)
            && total("COUNT(*)", states, from)? >= most
        {
            return Ok(Some((name, most)));
        }
    }
    let Some(budget) = limits.daily_budget else {
        return Ok(None);
    };
    let spent = total("COALESCE(SUM(price), 0)", SPENT, since(WINDOW))?;
    let price = u64::from(intent.price.unwrap_or_default());
    let exceeded = spent.saturating_add(price) > budget;
    Ok(exceeded.then_some(("daily_budget", budget)))
}

/// Writes an outcome down, unless a better one stands there.
pub(super) fn write_outcome(
    transaction: &Transaction<'_>,
    id: i64,
    outcome: &Outcome,
) -> Result<()> {
    transaction.execute(
        "UPDATE charge SET state = :state, ended = :ended, purchase_id = :purchase_id, document = :document, code = :code
         WHERE id = :id AND state IN ('sending', 'unknown')",
        named_params! {
            ":id": id, ":state": outcome.state.as_str(), ":ended": now(),
            ":purchase_id": outcome.purchase_id,
            ":code": outcome.code,
            ":document": outcome.document.as_ref().map(ToString::to_string),
        },
    )?;
    Ok(())
}

pub(super) fn consume_confirmation(transaction: &Transaction<'_>, nonce: &str) -> Result<bool> {
    let fresh = transaction.execute(
        "INSERT OR IGNORE INTO confirmation (nonce, used) VALUES (?1, ?2)",
        (nonce, now()),
    )?;
    Ok(fresh > 0)
}

pub(super) fn entry(row: &Row<'_>) -> Result<Entry> {
    let document: Option<String> = row.get("document")?;
    Ok(Entry {
        id: row.get("id")?,
        account: row.get("account")?,
        tool: row.get("tool")?,
        arguments: row.get("arguments")?,
        item: row.get("item")?,
        price: row.get("price")?,
        state: State::parse(&row.get::<_, String>("state")?),
        started: row.get("started")?,
        ended: row.get("ended")?,
        purchase_id: row.get("purchase_id")?,
        document: document.and_then(|text| serde_json::from_str(&text).ok()),
        code: row.get("code")?,
    })
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn since(window: Duration) -> i64 {
    now().saturating_sub(i64::try_from(window.as_millis()).unwrap_or(i64::MAX))
}
