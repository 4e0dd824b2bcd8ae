//! What bounds a call: in time, in size, and in how often it is made.

use std::time::Duration;

/// What bounds the calls of a client.
///
/// The defaults are this crate's own choice, since 7digital publishes none. Agent hosts give up on a call at a minute,
/// so that every call ends before that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest wait for a connection, name resolution and TLS included. More than zero; 3 seconds.
    pub connect: Duration,
    /// Longest silence inside the body of an answer. More than zero; 5 seconds.
    pub silence: Duration,
    /// Longest read, all attempts and the pauses between them together. More than zero; 20 seconds.
    pub read: Duration,
    /// Longest change or charge, which has one attempt. More than zero; 45 seconds.
    pub change: Duration,
    /// Bytes in the body of an answer at most. More than zero; 4 MiB.
    pub answer_bytes: usize,
    /// Attempts at one read, the first among them. From 1, which means no repeats; 3.
    pub attempts: u32,
    /// Repeats at most in ten seconds, as a percentage of the reads begun in them; a few are always allowed. From 0; 20.
    pub repeats_percent: u32,
    /// Attempts at reads that must have ended within the window before the breaker judges them. From 1; 20.
    pub breaker_calls: u32,
    /// How far back the breaker looks. More than zero; 10 seconds.
    pub breaker_window: Duration,
    /// The percentage of failures at which the breaker opens. 1 to 100, or more for a breaker that never opens; 50.
    pub breaker_percent: u32,
    /// How long the breaker holds reads back before it lets one through to try. More than zero; 5 seconds.
    pub breaker_open: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            silence: Duration::from_secs(5),
            read: Duration::from_secs(20),
            change: Duration::from_secs(45),
            answer_bytes: 4 << 20,
            attempts: 3,
            repeats_percent: 20,
            breaker_calls: 20,
            breaker_window: Duration::from_secs(10),
            breaker_percent: 50,
            breaker_open: Duration::from_secs(5),
        }
    }
}
