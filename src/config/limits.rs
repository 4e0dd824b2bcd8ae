//! The limit sheet: what one request, one connection, one caller and all of them together may take of this server.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

/// The limits, each with its default. A key's ending says the unit: `_ms` milliseconds, `_bytes` bytes, `_percent` hundredths; else a count.
///
/// In the file they stand in the table `[limits]`; in the environment as `SEVENDIGITAL_MCP_LIMIT_` and the key in capitals. None may be zero.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Body of a request.
    pub body_bytes: Number,
    /// Bodies of 16 KiB and more, or of untold length, that are being read at once; further ones wait.
    pub large_bodies: Number,
    /// Levels of nesting in a JSON body.
    pub json_depth: Number,
    /// Keys in one object of a JSON body.
    pub json_keys: Number,
    /// Header fields of a request.
    pub header_fields: Number,
    /// Request line and header fields of a request together.
    pub header_bytes: Number,
    /// From the first byte of a request, or from the start of a connection, to the end of its header.
    pub header_ms: Number,
    /// From a request's header to the end of its body.
    pub body_ms: Number,
    /// A connection between two requests.
    pub idle_ms: Number,
    /// A client that takes nothing of its answer.
    pub stalled_ms: Number,
    /// Connections to one address of this server; more wait until one is closed.
    pub connections: Number,
    /// Calls under way at once, those that charge apart.
    pub calls: Number,
    /// Calls that charge under way at once: they have places of their own, which hanging reads can't take.
    pub charges: Number,
    /// Calls of either sort that wait for a place at once.
    pub waiting: Number,
    /// A call that waits for a place.
    pub wait_ms: Number,
    /// Calls of one named caller under way at once.
    pub caller_calls: Number,
    /// Reads of one named caller in a second, on average.
    pub caller_reads_per_second: Number,
    /// Reads of one named caller at once after a pause.
    pub caller_reads_burst: Number,
    /// Passwords tried for one e-mail address in a minute, whoever calls.
    pub logins_per_minute: Number,
    /// Passwords that one named caller tries in a minute.
    pub caller_logins_per_minute: Number,
    /// Accounts that one named caller opens in a minute, with each of the tools that open one.
    pub caller_openings_per_minute: Number,
    /// Sessions of the older protocols.
    pub sessions: Number,
    /// Sessions of one named caller.
    pub caller_sessions: Number,
    /// A session in which nothing happens.
    pub session_idle_ms: Number,
    /// A session that was opened and not initialized.
    pub session_init_ms: Number,
    /// A question to the user that waits for its answer.
    pub confirmation_ms: Number,
    /// Connecting to 7digital, TLS included.
    pub connect_ms: Number,
    /// Silence inside an answer of 7digital's.
    pub silence_ms: Number,
    /// A read at 7digital, all attempts together.
    pub read_ms: Number,
    /// A change or a charge at 7digital, which is sent once. Agent hosts give up at a minute.
    pub change_ms: Number,
    /// An answer of 7digital's.
    pub answer_bytes: Number,
    /// Attempts at one read, the first among them.
    pub attempts: Number,
    /// Repeated reads, of all reads in ten seconds; three are always allowed.
    pub repeats_percent: Number,
    /// Attempts that must have ended in the window before the breaker judges them.
    pub breaker_calls: Number,
    /// The window that the breaker looks at.
    pub breaker_window_ms: Number,
    /// Failed attempts in the window from which on reads are held back.
    pub breaker_percent: Number,
    /// How long reads are held back before one is tried.
    pub breaker_open_ms: Number,
    /// Reads under way when the server is told to stop.
    pub drain_reads_ms: Number,
    /// Changes and charges under way when the server is told to stop: longer than one may take.
    pub drain_changes_ms: Number,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: Number(256 << 10),
            large_bodies: Number(128),
            json_depth: Number(32),
            json_keys: Number(64),
            header_fields: Number(64),
            header_bytes: Number(16 << 10),
            header_ms: Number(10_000),
            body_ms: Number(15_000),
            idle_ms: Number(60_000),
            stalled_ms: Number(30_000),
            connections: Number(1_024),
            calls: Number(256),
            charges: Number(64),
            waiting: Number(256),
            wait_ms: Number(1_000),
            caller_calls: Number(32),
            caller_reads_per_second: Number(10),
            caller_reads_burst: Number(20),
            logins_per_minute: Number(5),
            caller_logins_per_minute: Number(20),
            caller_openings_per_minute: Number(3),
            sessions: Number(1_000),
            caller_sessions: Number(64),
            session_idle_ms: Number(30 * 60_000),
            session_init_ms: Number(10_000),
            confirmation_ms: Number(120_000),
            connect_ms: Number(3_000),
            silence_ms: Number(5_000),
            read_ms: Number(20_000),
            change_ms: Number(45_000),
            answer_bytes: Number(4 << 20),
            attempts: Number(3),
            repeats_percent: Number(20),
            breaker_calls: Number(20),
            breaker_window_ms: Number(10_000),
            breaker_percent: Number(50),
            breaker_open_ms: Number(5_000),
            drain_reads_ms: Number(10_000),
            drain_changes_ms: Number(50_000),
        }
    }
}

impl Limits {
    /// Every limit with its default, by key, as a table of the file has them.
    pub fn defaults() -> Vec<(String, u64)> {
        let table = serde_json::to_value(Self::default()).unwrap_or_default();
        let rows = table.as_object().into_iter().flatten();
        rows.filter_map(|(key, value)| Some((key.clone(), value.as_u64()?)))
            .collect()
    }

    /// What binds the client that calls 7digital.
    pub fn upstream(&self) -> sevendigital::Limits {
        sevendigital::Limits {
            connect_timeout: self.connect_ms.time(),
            read_timeout: self.silence_ms.time(),
            read_deadline: self.read_ms.time(),
            change_deadline: self.change_ms.time(),
            response_bytes: self.answer_bytes.count(),
            max_attempts: self.attempts.small(),
            retry_budget_percent: self.repeats_percent.small(),
            breaker_min_calls: self.breaker_calls.small(),
            breaker_window: self.breaker_window_ms.time(),
            breaker_failure_percent: self.breaker_percent.small(),
            breaker_open_time: self.breaker_open_ms.time(),
        }
    }
}

/// A whole number from 1 to 4,294,967,295.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Number(u32);

impl Number {
    /// As milliseconds.
    pub fn time(self) -> Duration {
        Duration::from_millis(self.0.into())
    }

    /// As a count or a size.
    pub fn count(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// As a small number.
    pub fn small(self) -> u32 {
        self.0
    }

    /// As a quota.
    pub fn nonzero(self) -> NonZeroU32 {
        NonZeroU32::new(self.0).unwrap_or(NonZeroU32::MIN)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 1 to 4294967295")
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                match u32::try_from(number) {
                    Ok(number) if number > 0 => Ok(Number(number)),
                    _ => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
                }
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
                }
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                match text.trim().parse() {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Written)
    }
}
