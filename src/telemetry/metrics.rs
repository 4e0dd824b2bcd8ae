//! What is counted.

use std::time::Duration;

use metrics::{counter, gauge, histogram};
use sevendigital::RateLimit;

/// Bounds of the histogram's buckets: a read may take 20 seconds, a charge 45.
pub(crate) const SECONDS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 45.0];

/// Counts a call that has ended: `sevendigital_calls_total` and `sevendigital_call_seconds`.
pub(crate) fn call_ended(tool: &'static str, outcome: &'static str, elapsed: Duration) {
    counter!("sevendigital_calls_total", "tool" => tool, "outcome" => outcome).increment(1);
    histogram!("sevendigital_call_seconds", "tool" => tool).record(elapsed);
}

/// Counts the values of an answer that were not as documented: `sevendigital_unexpected_values_total`.
pub(crate) fn unexpected(tool: &'static str, values: usize) {
    if values > 0 {
        counter!("sevendigital_unexpected_values_total", "tool" => tool).increment(values as u64);
    }
}

/// Counts the outcome of a charge that was sent, or was to be: `sevendigital_charges_total`.
/// One whose unknown outcome the locker settles later is counted a second time then, as done.
pub(crate) fn charge_ended(outcome: &'static str) {
    counter!("sevendigital_charges_total", "outcome" => outcome).increment(1);
}

/// 7digital's quota: `sevendigital_rate_limit`, `…_current` and `…_reset_seconds`.
pub(crate) fn rate_limit(limit: RateLimit) {
    let set = |name, value: u64| gauge!(name).set(u32::try_from(value).unwrap_or(u32::MAX));
    set("sevendigital_rate_limit", limit.limit);
    set("sevendigital_rate_limit_current", limit.current);
    set("sevendigital_rate_limit_reset_seconds", limit.reset);
}
