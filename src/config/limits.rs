//! The limits: what one request, one connection, one caller and all of them together may take of this server.

use std::num::NonZeroU32;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::values::{human_duration, whole};

/// The limits, each declared once: key, type, documentation and default. None may be zero.
///
/// In the file they stand in the table `[limits]`; in the environment as `SEVENDIGITAL_MCP_LIMIT_` and the key in capitals.
/// Durations are written with their unit, such as `500ms`, `10s` or `2m`.
#[serde_with::apply(
    Duration => #[serde(deserialize_with = "human_duration")] #[schemars(with = "String", extend("expected" = "a duration with its unit, such as `500ms`, `10s` or `2m`, from `1ms` to `49d`"))],
    usize => #[serde(deserialize_with = "whole")],
    u32 => #[serde(deserialize_with = "whole")],
)]
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes in the body of a request.
    #[schemars(extend("default" = 262_144))]
    pub body_bytes: usize,
    /// Bodies of 16 KiB and more, or without a `Content-Length`, that are read at once; further ones wait.
    #[schemars(extend("default" = 128))]
    pub large_bodies: usize,
    /// Levels of nesting in a JSON body.
    #[schemars(extend("default" = 32))]
    pub json_depth: usize,
    /// Keys in one object of a JSON body.
    #[schemars(extend("default" = 64))]
    pub json_keys: usize,
    /// Header fields of a request.
    #[schemars(extend("default" = 64))]
    pub header_fields: usize,
    /// Bytes in the request line and the header fields of a request together.
    #[schemars(extend("default" = 16_384))]
    pub header_bytes: usize,
    /// From the first byte of a request, or from the start of a connection, to the end of its header.
    #[schemars(extend("default" = "10s"))]
    pub header_timeout: Duration,
    /// From the header of a request to the end of its body.
    #[schemars(extend("default" = "15s"))]
    pub body_timeout: Duration,
    /// A connection between two requests.
    #[schemars(extend("default" = "1m"))]
    pub keep_alive_timeout: Duration,
    /// A client that takes neither the rest of its response nor 256 KiB of it.
    #[schemars(extend("default" = "30s"))]
    pub write_timeout: Duration,
    /// Bytes of answers that clients have not taken, over all connections; further ones wait. Pieces of less than 16 KiB are not counted.
    #[schemars(extend("default" = 25_165_824))]
    pub untaken_bytes: usize,
    /// Bytes of answers that one named caller has not taken; beyond them it reads nothing more.
    #[schemars(extend("default" = 8_388_608))]
    pub caller_untaken_bytes: usize,
    /// Connections to one address of this server; more wait until one is closed.
    #[schemars(extend("default" = 1_024))]
    pub max_connections: usize,
    /// Calls in flight, not counting those that charge.
    #[schemars(extend("default" = 256))]
    pub max_concurrent_calls: usize,
    /// Calls in flight that charge. Their permits are their own, so that reads that hang can't take them.
    #[schemars(extend("default" = 64))]
    pub max_concurrent_charges: usize,
    /// Calls of either sort that wait for a permit.
    #[schemars(extend("default" = 256))]
    pub max_queued: usize,
    /// A call that waits for a permit.
    #[schemars(extend("default" = "1s"))]
    pub queue_timeout: Duration,
    /// Calls of one named caller in flight.
    #[schemars(extend("default" = 32))]
    pub caller_concurrent_calls: usize,
    /// Reads of one named caller in a second, on average.
    #[schemars(extend("default" = 10))]
    pub caller_reads_per_second: NonZeroU32,
    /// Reads of one named caller at once after a pause.
    #[schemars(extend("default" = 20))]
    pub caller_reads_burst: NonZeroU32,
    /// Passwords tried for one e-mail address in a minute, by all callers together.
    #[schemars(extend("default" = 5))]
    pub logins_per_minute: NonZeroU32,
    /// Passwords that one named caller tries in a minute.
    #[schemars(extend("default" = 20))]
    pub caller_logins_per_minute: NonZeroU32,
    /// Accounts that one named caller opens in a minute, with each of the tools that open one.
    #[schemars(extend("default" = 3))]
    pub caller_signups_per_minute: NonZeroU32,
    /// Sessions of the older protocols.
    #[schemars(extend("default" = 1_000))]
    pub max_sessions: usize,
    /// Sessions of one named caller.
    #[schemars(extend("default" = 64))]
    pub caller_max_sessions: usize,
    /// A session in which nothing happens.
    #[schemars(extend("default" = "30m"))]
    pub session_idle_timeout: Duration,
    /// A session that was opened and not initialized.
    #[schemars(extend("default" = "10s"))]
    pub session_init_timeout: Duration,
    /// How long the user may take to confirm a call.
    #[schemars(extend("default" = "10m"))]
    pub confirmation_ttl: Duration,
    /// Connecting to 7digital, TLS included.
    #[schemars(extend("default" = "3s"))]
    pub connect_timeout: Duration,
    /// Silence inside a response of 7digital's.
    #[schemars(extend("default" = "5s"))]
    pub read_timeout: Duration,
    /// A read at 7digital, all attempts together.
    #[schemars(extend("default" = "20s"))]
    pub read_deadline: Duration,
    /// A change or a charge at 7digital, which is sent once. Agent hosts give up after a minute.
    #[schemars(extend("default" = "45s"))]
    pub change_deadline: Duration,
    /// Bytes in a response of 7digital's.
    #[schemars(extend("default" = 4_194_304))]
    pub response_bytes: usize,
    /// Bytes of 7digital's responses to reads, of 32 KiB and more each, that are received at once; 128 such responses wait, as long as calls do for a permit.
    #[schemars(extend("default" = 8_388_608))]
    pub large_answer_bytes: usize,
    /// Attempts at one read, the first among them.
    #[schemars(extend("default" = 3))]
    pub max_attempts: u32,
    /// Retried reads, as a percentage of all reads in ten seconds; three are always allowed.
    #[schemars(extend("default" = 20))]
    pub retry_budget_percent: u32,
    /// Attempts that must have ended in the window before the circuit breaker judges them; so many failures in a row open it, whatever came before.
    #[schemars(extend("default" = 20))]
    pub breaker_min_calls: u32,
    /// The window that the circuit breaker looks at.
    #[schemars(extend("default" = "10s"))]
    pub breaker_window: Duration,
    /// The percentage of failed attempts in the window that opens the circuit breaker, which then holds reads back.
    #[schemars(extend("default" = 50))]
    pub breaker_failure_percent: u32,
    /// How long the circuit breaker stays open before one read is tried.
    #[schemars(extend("default" = "5s"))]
    pub breaker_open_time: Duration,
    /// How long reads in flight may take to end when the server stops.
    #[schemars(extend("default" = "10s"))]
    pub drain_reads_timeout: Duration,
    /// How long changes and charges in flight may take to end when the server stops: longer than `change_deadline`.
    #[schemars(extend("default" = "50s"))]
    pub drain_changes_timeout: Duration,
}

impl Limits {
    /// The limits of the client that calls 7digital.
    pub fn upstream(&self) -> sevendigital::Limits {
        sevendigital::Limits {
            connect_timeout: self.connect_timeout,
            read_timeout: self.read_timeout,
            read_deadline: self.read_deadline,
            change_deadline: self.change_deadline,
            response_bytes: self.response_bytes,
            large_answer_bytes: self.large_answer_bytes,
            large_answer_timeout: self.queue_timeout,
            max_attempts: self.max_attempts,
            retry_budget_percent: self.retry_budget_percent,
            breaker_min_calls: self.breaker_min_calls,
            breaker_window: self.breaker_window,
            breaker_failure_percent: self.breaker_failure_percent,
            breaker_open_time: self.breaker_open_time,
        }
    }
}
