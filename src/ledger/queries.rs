//! Queries: what stands against a purchase, which limit it exceeds, what a dead process left, and what is no longer needed.

use std::time::Duration;

use super::clock::since;
use super::entry::{DAILY_BUDGET, Entry, Intent, LimitUse, Outcome, Repeat, State, WINDOW};
use super::sql::{Cell, Row, Sql, SqlResult};
use crate::config::SpendingLimits;

/// Rows that are removed at once, so that no purchase waits for it.
const SWEEP: u32 = 100;
/// How long a used confirmation is remembered: longer than any may be good.
const CONFIRMATIONS: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// How many charges are in each state.
pub(super) fn charges_by_state(sql: &dyn Sql) -> SqlResult<Vec<(State, u64)>> {
    let query = "SELECT state, COUNT(*) AS n FROM charge GROUP BY state ORDER BY state";
    let rows = sql.query(query, &[])?.into_iter();
    let rows = rows.filter_map(|mut row| {
        let state = State::parse(&row.text("state")?);
        Some((state, row.int("n")?.unsigned_abs()))
    });
    Ok(rows.collect())
}

/// The entry that stands against a purchase: one in flight; the same call's that is done within the window; and where nobody is asked ([`Repeat::Unasked`]) also an unknown one, or one by another call that is done.
pub(super) fn find_blocking(
    sql: &dyn Sql,
    now: i64,
    key: &str,
    identity: &str,
    repeat: Repeat,
) -> SqlResult<Option<Entry>> {
    let window = since(now, WINDOW);
    let is_asked = repeat == Repeat::Asked;
    let open = if is_asked {
        "'sending'"
    } else {
        "'sending', 'unknown'"
    };
    let stands = format!("(state IN ({open}) OR (state = 'done' AND begun > $2))");
    let find = |column: &str, value: &str| {
        let condition = format!("{column} = $1 AND {stands}");
        first(sql, &condition, &[value.into(), window.into()])
    };
    match find("key", key)? {
        None if is_asked => {
            let in_flight = "identity = $1 AND state = 'sending'";
            first(sql, in_flight, &[identity.into()])
        }
        None => find("identity", identity),
        of_call => Ok(of_call),
    }
}

/// The number of the newest charge that a question about the same purchase would name; zero without one.
pub(super) fn newest(sql: &dyn Sql, now: i64, identity: &str) -> SqlResult<i64> {
    let named = "state = 'unknown' OR (state = 'done' AND begun > $2)";
    let query = format!("SELECT MAX(id) AS n FROM charge WHERE identity = $1 AND ({named})");
    sql.number(&query, &[identity.into(), since(now, WINDOW).into()])
}

/// The newest entry that meets a condition of SQL.
pub(super) fn first(sql: &dyn Sql, condition: &str, values: &[Cell]) -> SqlResult<Option<Entry>> {
    Ok(entries(sql, &format!("{condition} ORDER BY id DESC"), values, 1)?.pop())
}

/// The entries that meet a condition of SQL, in the order that it ends with.
pub(super) fn entries(
    sql: &dyn Sql,
    condition: &str,
    values: &[Cell],
    at_most: u32,
) -> SqlResult<Vec<Entry>> {
    let query = format!("SELECT {COLUMNS} FROM charge WHERE {condition} LIMIT {at_most}");
    let rows = sql.query(&query, values)?.into_iter();
    Ok(rows.filter_map(entry).collect())
}

/// The processes that have charges in flight and are dead.
pub(super) fn dead_owners(sql: &dyn Sql) -> SqlResult<Vec<String>> {
    let query = "SELECT DISTINCT owner FROM charge WHERE state = 'sending'";
    let owners = sql.query(query, &[])?;
    let mut dead = Vec::new();
    for owner in owners.into_iter().filter_map(|mut row| row.text("owner")) {
        if !sql.is_alive(&owner)? {
            dead.push(owner);
        }
    }
    Ok(dead)
}

/// What these processes had in flight has an unknown outcome.
pub(super) fn mark_unknown(sql: &dyn Sql, owners: &[String]) -> SqlResult<u64> {
    let now = sql.wall_clock()?;
    let mut marked = 0;
    for owner in owners {
        marked += sql.execute(
            "UPDATE charge SET state = 'unknown', ended = $1 WHERE state = 'sending' AND owner = $2",
            &[now.into(), owner.into()],
        )?;
    }
    Ok(marked)
}

/// States of a charge that cost money, or may have.
const SPENT: &str = "'sending', 'done', 'unknown'";

/// What an account has used of each limit that is set.
pub(super) fn limits_used(
    sql: &dyn Sql,
    now: i64,
    account: &str,
    limits: SpendingLimits,
) -> SqlResult<Vec<LimitUse>> {
    const COUNT: &str = "COUNT(*)";
    const SUM: &str = "CAST(COALESCE(SUM(price), 0) AS BIGINT)";
    let (minute, day) = (since(now, Duration::from_secs(60)), since(now, WINDOW));
    let (in_flight, per_minute) = (limits.in_flight, limits.per_minute);
    let mut uses = Vec::new();
    #[rustfmt::skip]
    let all = [
        ("max_charges_in_flight", in_flight.map(u64::from), COUNT, "'sending'", 0),
        ("max_charges_per_minute", per_minute.map(u64::from), COUNT, SPENT, minute),
        ("max_charges_per_day", limits.per_day.map(u64::from), COUNT, SPENT, day),
        (DAILY_BUDGET, limits.daily_budget, SUM, SPENT, day),
    ];
    for (name, limit, what, states, from) in all {
        let Some(limit) = limit else { continue };
        let query = format!(
            "SELECT {what} AS n FROM charge WHERE account = $1 AND begun > $2 AND state IN ({states})"
        );
        let total = sql.number(&query, &[account.into(), from.into()])?;
        uses.push(LimitUse {
            name,
            used: total.unsigned_abs(),
            limit,
        });
    }
    Ok(uses)
}

/// The first limit that one more charge would break.
pub(super) fn exceeded_limit(
    sql: &dyn Sql,
    now: i64,
    intent: &Intent,
    limits: SpendingLimits,
) -> SqlResult<Option<LimitUse>> {
    let price = intent.price.unwrap_or_default();
    let mut uses = limits_used(sql, now, &intent.account, limits)?.into_iter();
    Ok(uses.find(|of| {
        let more = if of.name == DAILY_BUDGET { price } else { 1 };
        of.used.saturating_add(more.into()) > of.limit
    }))
}

/// Writes a purchase down as being sent; gives its number, or none where another transaction has written the same one meanwhile.
pub(super) fn insert(
    sql: &dyn Sql,
    now: i64,
    intent: &Intent,
    attempt: &str,
    owner: &str,
) -> SqlResult<Option<i64>> {
    let row = sql.first(
        "INSERT INTO charge (attempt, key, identity, account, tool, arguments, item, title, price, currency, state, started, begun, upstream_time, owner)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'sending', $11, $12, $13, $14) ON CONFLICT DO NOTHING RETURNING id",
        &[
            attempt.into(),
            (&intent.key).into(),
            (&intent.identity).into(),
            (&intent.account).into(),
            intent.tool.into(),
            (&intent.arguments).into(),
            (&intent.item).into(),
            intent.title.as_ref().into(),
            intent.price.into(),
            intent.currency.as_ref().into(),
            sql.wall_clock()?.into(),
            now.into(),
            intent.upstream_time.into(),
            owner.into(),
        ],
    )?;
    Ok(row.and_then(|mut row| row.int("id")))
}

/// Writes an outcome down, unless a better one stands there.
pub(super) fn write_outcome(sql: &dyn Sql, id: i64, outcome: &Outcome) -> SqlResult<()> {
    let document = outcome.document.as_ref().map(ToString::to_string);
    let written = sql.execute(
        "UPDATE charge SET state = $2, ended = $3, purchase_id = $4, document = $5, code = $6
         WHERE id = $1 AND state IN ('sending', 'unknown')",
        &[
            id.into(),
            outcome.state.as_str().into(),
            sql.wall_clock()?.into(),
            outcome.purchase_id.as_ref().into(),
            document.as_ref().into(),
            outcome.code.into(),
        ],
    )?;
    let there = "SELECT COUNT(*) AS n FROM charge WHERE id = $1";
    if written == 0 && sql.number(there, &[id.into()])? == 0 {
        let (state, purchase_id) = (outcome.state.as_str(), outcome.purchase_id.as_deref());
        tracing::error!(
            charge = id,
            outcome = state,
            purchase_id,
            "charge {id} was forgotten before its outcome came: {state}"
        );
    }
    Ok(())
}

/// Writes down that an intent was not sent: whether it was written at all is not known. Its transaction may still be at it, and holds the account's lock until it ends.
pub(super) fn mark_not_sent(sql: &dyn Sql, account: &str, attempt: &str) -> SqlResult<()> {
    sql.lock_account(account)?;
    sql.execute(
        "UPDATE charge SET state = 'not_sent', ended = $1 WHERE attempt = $2 AND state IN ('sending', 'unknown')",
        &[sql.wall_clock()?.into(), attempt.into()],
    )?;
    Ok(())
}

/// Uses a confirmation up, and the question that it came from; false if it was used before.
pub(super) fn consume_confirmation(sql: &dyn Sql, now: i64, nonce: &str) -> SqlResult<bool> {
    withdraw_question(sql, nonce)?;
    let insert = "INSERT INTO confirmation (nonce, used) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    Ok(sql.execute(insert, &[nonce.into(), now.into()])? > 0)
}

/// Removes a question: it was used, refused or taken back.
pub(super) fn withdraw_question(sql: &dyn Sql, id: &str) -> SqlResult<()> {
    sql.execute("DELETE FROM question WHERE id = $1", &[id.into()])?;
    Ok(())
}

/// Removes a little of what is no longer needed: settled charges older than `keep`, and confirmations past their window.
pub(super) fn sweep(sql: &dyn Sql, now: i64, keep: Duration) -> SqlResult<()> {
    let settled = "state IN ('done', 'refused', 'not_sent')";
    let charges = format!("{settled} AND begun");
    for (table, key, old, before) in [
        ("charge", "id", &*charges, keep.max(WINDOW)),
        ("confirmation", "nonce", "used", CONFIRMATIONS),
    ] {
        let delete = format!(
            "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {old} < $1 LIMIT {SWEEP})"
        );
        sql.execute(&delete, &[since(now, before).into()])?;
    }
    Ok(())
}

const COLUMNS: &str = "id, account, tool, arguments, item, title, price, currency, state, started, upstream_time, ended, purchase_id, document, code";

fn entry(mut row: Row) -> Option<Entry> {
    let document = row.text("document");
    let small = |number: i64| u32::try_from(number).ok();
    Some(Entry {
        id: row.int("id")?,
        account: row.text("account")?,
        tool: row.text("tool")?,
        arguments: row.text("arguments")?,
        item: row.text("item")?,
        title: row.text("title"),
        price: row.int("price").and_then(small),
        currency: row.text("currency"),
        state: State::parse(&row.text("state")?),
        started: row.int("started")?,
        upstream_time: row.int("upstream_time"),
        ended: row.int("ended"),
        purchase_id: row.text("purchase_id"),
        document: document.and_then(|text| serde_json::from_str(&text).ok()),
        code: row.int("code").and_then(small),
    })
}
