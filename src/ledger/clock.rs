//! The ledger's clock, which never goes back: windows and limits go by it, whatever happens to the machine's.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use super::entry::LedgerError;
use super::sql::{Sql, SqlResult};

/// A difference up to this is no jump: two machines, or a clock that is being adjusted.
const SLACK: i64 = 10_000;
/// How far the time may go on before it is written down again.
const STEP: i64 = 1_000;

/// The last reading of this machine's clock, the time that it was taken for, and when.
static LAST: Mutex<Option<(i64, i64, Instant)>> = Mutex::new(None);

/// Milliseconds since 1970 by this machine's clock. While the process runs it never goes back: where the clock is set back, the time goes on from where it was.
pub(crate) fn wall_clock() -> SqlResult<i64> {
    let reading = SystemTime::now().duration_since(UNIX_EPOCH);
    let reading = reading.map_err(|_| LedgerError("this machine's clock is before 1970".into()))?;
    let (reading, now) = (milliseconds(reading), Instant::now());
    let mut last = LAST.lock();
    let mut time = reading;
    if let Some((before, taken_for, at)) = *last {
        let passed = milliseconds(now - at);
        let jump = reading - before.saturating_add(passed);
        if jump.abs() > SLACK {
            let seconds = jump / 1_000;
            tracing::warn!(seconds, "this machine's clock was set by {seconds} seconds");
        }
        time = reading.max(taken_for.saturating_add(passed));
    }
    *last = Some((reading, time, now));
    Ok(time)
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The ledger's time, as far as it is written down.
pub(super) fn read_time(sql: &dyn Sql) -> SqlResult<i64> {
    let wall = sql.wall_clock()?;
    let (highest, ahead) = written(sql)?;
    Ok(wall.saturating_add(ahead).max(highest))
}

fn written(sql: &dyn Sql) -> SqlResult<(i64, i64)> {
    let row = sql.first("SELECT highest, ahead FROM clock WHERE id = 1", &[])?;
    let mut row = row.unwrap_or_default();
    let number = |number: Option<i64>| number.unwrap_or_default();
    Ok((number(row.int("highest")), number(row.int("ahead"))))
}

/// The ledger's time within a transaction that writes.
pub(super) fn tick(sql: &dyn Sql) -> SqlResult<i64> {
    let wall = sql.wall_clock()?;
    let (highest, ahead) = written(sql)?;
    let time = wall.saturating_add(ahead);
    if time >= highest.saturating_add(STEP) {
        let update = "UPDATE clock SET highest = $1 WHERE id = 1 AND highest < $1";
        sql.execute(update, &[time.into()])?;
    } else if time < highest.saturating_sub(SLACK) {
        let ahead = highest - wall;
        let update = "UPDATE clock SET ahead = $1 WHERE id = 1";
        sql.execute(update, &[ahead.into()])?;
        let seconds = (highest - time) / 1_000;
        tracing::warn!(
            seconds,
            "the clock was set back by {seconds} seconds since the ledger was last used: its own goes on from there"
        );
    }
    Ok(time.max(highest))
}

/// The beginning of a window that ends now.
pub(super) fn since(now: i64, window: Duration) -> i64 {
    now.saturating_sub(milliseconds(window))
}
