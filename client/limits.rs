//! What bounds a call: in time, in size, and in how often it is made.

use std::time::Duration;

/// What bounds the calls of a client.
///
/// The defaults are this crate's own choice, since 7digital publishes none; with them every call ends within a minute.
/// All fields are public and the struct is exhaustive, so that a program which fills it from settings decides on each.
///
/// ```
/// use std::time::Duration;
/// use sevendigital::Limits;
///
/// let limits = Limits { max_attempts: 1, read_deadline: Duration::from_secs(5), ..Limits::default() };
/// assert_eq!(limits.connect_timeout, Duration::from_secs(3));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest wait for a connection, name resolution and TLS included. More than zero; 3 seconds.
    pub connect_timeout: Duration,
    /// Longest silence inside the body of an answer. More than zero; 5 seconds.
    pub read_timeout: Duration,
    /// Longest read, all attempts and the pauses between them together. More than zero; 20 seconds.
    pub read_deadline: Duration,
    /// Longest change or charge, which has one attempt. More than zero; 45 seconds.
    pub change_deadline: Duration,
    /// Bytes in the body of an answer at most. More than zero; 4 MiB.
    pub response_bytes: usize,
    /// Bytes of answers to reads, of 32 KiB and more each, that are received at once; 128 such answers wait. More than zero; 8 MiB.
    pub large_answer_bytes: usize,
    /// Longest wait of such an answer until it is let in. More than zero; 1 second.
    pub large_answer_timeout: Duration,
    /// Attempts at one read, the first among them. From 1, which means no retries; 3.
    pub max_attempts: u32,
    /// Retries at most in ten seconds, as a percentage of the reads begun in them; three are always allowed. From 0; 20.
    pub retry_budget_percent: u32,
    /// Attempts at reads that must have ended within the window before the circuit breaker judges them; so many failures in a row open it, whatever came before. From 1; 20.
    pub breaker_min_calls: u32,
    /// How far back the circuit breaker looks. More than zero; 10 seconds.
    pub breaker_window: Duration,
    /// The percentage of failures at which the circuit breaker opens. 1 to 100, or more for one that never opens; 50.
    pub breaker_failure_percent: u32,
    /// How long the circuit breaker stays open before it lets one read through as a probe. More than zero; 5 seconds.
    pub breaker_open_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            read_timeout: Duration::from_secs(5),
            read_deadline: Duration::from_secs(20),
            change_deadline: Duration::from_secs(45),
            response_bytes: 4 << 20,
            large_answer_bytes: 8 << 20,
            large_answer_timeout: Duration::from_secs(1),
            max_attempts: 3,
            retry_budget_percent: 20,
            breaker_min_calls: 20,
            breaker_window: Duration::from_secs(10),
            breaker_failure_percent: 50,
            breaker_open_time: Duration::from_secs(5),
        }
    }
}
