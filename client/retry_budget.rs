//! The retry budget: keeps retries to a small part of all reads, so that a failing 7digital is not overloaded by them.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// The window in which attempts are counted.
const WINDOW: Duration = Duration::from_secs(10);
/// Retries that are always allowed in a window.
const MIN_RETRIES: usize = 3;

/// Shared by all clones of a client.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    /// Retries at most, as a percentage of first attempts.
    percent: usize,
    attempts: Mutex<VecDeque<(Instant, Attempt)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    First,
    Retry,
}

impl RetryBudget {
    /// `percent` is [`Limits::retry_budget_percent`](crate::Limits::retry_budget_percent).
    pub(crate) fn new(percent: u32) -> Self {
        Self {
            percent: percent as usize,
            attempts: Mutex::default(),
        }
    }

    /// Counts a first attempt, which is always allowed.
    pub(crate) fn deposit(&self) {
        self.with_window(|attempts, now| attempts.push_back((now, Attempt::First)));
    }

    /// Counts a retry and returns true, or returns false where the budget is spent.
    pub(crate) fn withdraw(&self) -> bool {
        self.with_window(|attempts, now| {
            let is_retry = |(_, attempt): &&(_, Attempt)| *attempt == Attempt::Retry;
            let retries = attempts.iter().filter(is_retry).count();
            let first = attempts.len() - retries;
            let allowed = retries < MIN_RETRIES.max(first * self.percent / 100);
            if allowed {
                attempts.push_back((now, Attempt::Retry));
            }
            allowed
        })
    }

    /// Drops the attempts that are older than the window, then works on the others.
    fn with_window<T>(
        &self,
        work: impl FnOnce(&mut VecDeque<(Instant, Attempt)>, Instant) -> T,
    ) -> T {
        let mut attempts = self.attempts.lock();
        let now = Instant::now();
        while let Some((at, _)) = attempts.front()
            && now.duration_since(*at) > WINDOW
        {
            attempts.pop_front();
        }
        work(&mut attempts, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn retries_are_at_most_their_percentage_of_reads_in_the_window() {
        let allowed = |budget: &RetryBudget| (0..1_000).take_while(|_| budget.withdraw()).count();
        for (percent, first, retries) in [
            (20, 0, MIN_RETRIES),
            (20, 19, MIN_RETRIES),
            (20, 20, 4),
            (20, 100, 20),
            (20, 104, 20),
            (50, 100, 50),
            (0, 1_000, MIN_RETRIES),
        ] {
            let budget = RetryBudget::new(percent);
            (0..first).for_each(|_| budget.deposit());
            assert_eq!(allowed(&budget), retries, "{percent} % of {first}");
            tokio::time::advance(WINDOW + Duration::from_secs(1)).await;
            assert_eq!(allowed(&budget), MIN_RETRIES, "the window has passed");
        }
    }
}
