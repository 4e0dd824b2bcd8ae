//! What clients count: how many calls, how long each took, and which answers were wrong.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use memchr::memmem;

use super::messages::{digits, id};
use super::upstream::LAST;

/// Calls and their times.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// In microseconds.
    pub(crate) times: Vec<u32>,
    pub(crate) failed: usize,
    /// What was wrong first.
    pub(crate) wrong: Option<String>,
}

impl Tally {
    /// Counts a call, whose answer is checked.
    pub(crate) fn add(
        &mut self,
        started: Instant,
        expected: Expected,
        serial: &str,
        answer: &[u8],
    ) {
        let time = started.elapsed().as_micros();
        self.times.push(u32::try_from(time).unwrap_or(u32::MAX));
        if !expected.is_met(serial, answer) {
            self.failed += 1;
            let answer = answer.get(..answer.len().min(400)).unwrap_or_default();
            let answer = || String::from_utf8_lossy(answer).into_owned();
            self.wrong.get_or_insert_with(answer);
        }
    }

    /// Adds what another client counted.
    pub(crate) fn merge(&mut self, other: Self) {
        self.times.extend(other.times);
        self.failed += other.failed;
        self.wrong = self.wrong.take().or(other.wrong);
    }
}

/// What an answer must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The upstream's own document.
    Document,
    /// A result with the locker.
    Locker,
    /// A result with the id of this purchase.
    Purchase,
}

impl Expected {
    /// Whether this is the answer to the request of that number, no failure, and has all of its content.
    fn is_met(self, serial: &str, answer: &[u8]) -> bool {
        let has = |text: &str| memmem::find(answer, text.as_bytes()).is_some();
        let is_result = || {
            has(&id(serial)) && has("\"result\"") && has("\"content\"") && !has("\"isError\":true")
        };
        match self {
            Self::Document => has(LAST),
            Self::Locker => is_result() && has(LAST),
            Self::Purchase => is_result() && has(&format!("\"8{serial}\"")),
        }
    }
}

/// When clients stop, and the numbers of their calls.
#[derive(Debug)]
pub(crate) struct Work {
    serial: AtomicU64,
    end: Option<Instant>,
    left: AtomicUsize,
}

impl Work {
    /// Calls for that long, or that many of them.
    pub(crate) fn new(time: Duration, calls: Option<usize>) -> Self {
        // No purchase has the number of one in an earlier run: its answer would come from the ledger.
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = since.map_or(0, |since| since.as_millis());
        let first = u64::try_from(millis * 1_000 % 1_000_000_000_000).unwrap_or_default();
        Self {
            serial: AtomicU64::new(first),
            end: calls.is_none().then(|| Instant::now() + time),
            left: AtomicUsize::new(calls.unwrap_or(usize::MAX)),
        }
    }

    /// The number of the next call, if there is to be one.
    pub(crate) fn next(&self) -> Option<String> {
        if self.end.is_some_and(|end| Instant::now() >= end) {
            return None;
        }
        let take = |left: usize| left.checked_sub(1);
        let (order, number) = (Ordering::Relaxed, &self.left);
        number.fetch_update(order, order, take).ok()?;
        Some(digits(self.serial.fetch_add(1, order) % 1_000_000_000_000))
    }
}
