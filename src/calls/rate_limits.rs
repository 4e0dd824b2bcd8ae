//! Rate limits: reads of a named caller, passwords tried, accounts opened.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sevendigital::Effect;
use sevendigital_tools::{Contract, RateLimitClass};

use crate::config::Limits;
use crate::digest::{hex, sha256};
use crate::identity::Caller;
use crate::problem::{Kind, Problem};

/// Keys that are kept before those that no longer matter are dropped.
const MAX_KEYS: usize = 4_096;

/// The rate limits of all callers.
#[derive(Debug)]
pub(super) struct RateLimits {
    caller_reads: KeyedRateLimiter,
    caller_logins: KeyedRateLimiter,
    caller_signups: KeyedRateLimiter,
    logins: KeyedRateLimiter,
}

impl RateLimits {
    /// As the settings say.
    pub(super) fn new(limits: &Limits) -> Self {
        let reads = Quota::per_second(limits.caller_reads_per_second)
            .allow_burst(limits.caller_reads_burst);
        Self {
            caller_reads: KeyedRateLimiter::new(reads),
            caller_logins: KeyedRateLimiter::per_minute(limits.caller_logins_per_minute),
            caller_signups: KeyedRateLimiter::per_minute(limits.caller_signups_per_minute),
            logins: KeyedRateLimiter::per_minute(limits.logins_per_minute),
        }
    }

    /// Counts a call of a named caller. The operator has no limit.
    pub(super) fn check_caller(&self, caller: &Caller, contract: &Contract) -> Result<(), Problem> {
        let Some(name) = caller.name() else {
            return Ok(());
        };
        if contract.upstream.effect == Effect::Reads {
            self.caller_reads
                .check(name)
                .map_err(|wait| exceeded("this caller reads too often", wait))?;
        }
        match contract.rate_limit {
            RateLimitClass::General => Ok(()),
            RateLimitClass::Login => self.caller_logins.check(name).map_err(|wait| {
                let what = "passwords were tried by this caller too often in the last minute";
                exceeded(what, wait)
            }),
            RateLimitClass::Signup => {
                let key = format!("{name} {}", contract.name).into();
                self.caller_signups.check(&key).map_err(|wait| {
                    let what = "accounts were opened by this caller too often in the last minute";
                    exceeded(what, wait)
                })
            }
        }
    }

    /// Counts a password that is tried for an e-mail address, by any caller. After [`check_caller`](Self::check_caller): a caller over its own limit uses up nothing of the address's.
    pub(super) fn check_email(&self, email: Option<&str>) -> Result<(), Problem> {
        let Some(email) = email else {
            return Ok(());
        };
        // Only a digest stays in memory.
        let key = hex(&sha256(&email.trim().to_lowercase())).into();
        self.logins.check(&key).map_err(|wait| {
            let what = "passwords for this e-mail address were tried too often in the last minute";
            exceeded(what, wait)
        })
    }
}

fn exceeded(what: &str, wait: Duration) -> Problem {
    Problem::new(Kind::RateLimited, format!("It was not sent: {what}."), "").after(wait)
}

/// A rate limit for each key.
#[derive(Debug)]
struct KeyedRateLimiter(DefaultKeyedRateLimiter<Arc<str>>);

impl KeyedRateLimiter {
    fn new(quota: Quota) -> Self {
        Self(RateLimiter::keyed(quota))
    }

    fn per_minute(count: NonZeroU32) -> Self {
        Self::new(Quota::per_minute(count))
    }

    /// Counts one; the error is how long to wait.
    fn check(&self, key: &Arc<str>) -> Result<(), Duration> {
        if self.0.len() > MAX_KEYS {
            self.0.retain_recent();
        }
        self.0
            .check_key(key)
            .map_err(|refused| refused.wait_time_from(DefaultClock::default().now()))
    }
}
