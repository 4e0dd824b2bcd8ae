//! Rate limits: reads of a named caller, passwords tried, accounts opened.

use std::sync::Arc;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sevendigital::Effect;
use sevendigital_tools::{AnyTool, RateLimitClass};

use crate::config::Limits;
use crate::digest::{hex, sha256};
use crate::identity::Caller;
use crate::problem::{Kind, Problem};

/// Keys that are kept before those that no longer matter are dropped.
const MAX_KEYS: usize = 4_096;

/// A rate limit for each key.
type KeyedRateLimiter = DefaultKeyedRateLimiter<Arc<str>>;

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
        let reads = Quota::per_second(limits.caller_reads_per_second);
        let per_minute = |count| RateLimiter::keyed(Quota::per_minute(count));
        Self {
            caller_reads: RateLimiter::keyed(reads.allow_burst(limits.caller_reads_burst)),
            caller_logins: per_minute(limits.caller_logins_per_minute),
            caller_signups: per_minute(limits.caller_signups_per_minute),
            logins: per_minute(limits.logins_per_minute),
        }
    }

    /// Counts a call of a named caller. The operator has no limit.
    pub(super) fn check_caller(&self, caller: &Caller, tool: &AnyTool) -> Result<(), Problem> {
        let Some(name) = caller.name() else {
            return Ok(());
        };
        let contract = &tool.contract;
        if contract.upstream.effect == Effect::Reads {
            self.check_read(caller)?;
        }
        match tool.rate_limit {
            RateLimitClass::General => Ok(()),
            RateLimitClass::Login => {
                let what = "passwords were tried by this caller too often in the last minute";
                check(&self.caller_logins, name, what)
            }
            RateLimitClass::Signup => {
                let key = format!("{name} {}", contract.name).into();
                let what = "accounts were opened by this caller too often in the last minute";
                check(&self.caller_signups, &key, what)
            }
        }
    }

    /// Counts a read of a named caller.
    pub(super) fn check_read(&self, caller: &Caller) -> Result<(), Problem> {
        let what = "this caller reads too often";
        caller
            .name()
            .map_or(Ok(()), |name| check(&self.caller_reads, name, what))
    }

    /// Counts a password that is tried for an e-mail address, by any caller. After [`check_caller`](Self::check_caller): a caller over its own limit uses up nothing of the address's.
    pub(super) fn check_email(&self, email: &str) -> Result<(), Problem> {
        // Only a digest stays in memory.
        let key = hex(&sha256(&email.trim().to_lowercase())).into();
        let what = "passwords for this e-mail address were tried too often in the last minute";
        check(&self.logins, &key, what)
    }
}

/// Counts one for a key.
fn check(limiter: &KeyedRateLimiter, key: &Arc<str>, what: &str) -> Result<(), Problem> {
    if limiter.len() > MAX_KEYS {
        limiter.retain_recent();
    }
    limiter.check_key(key).map_err(|refused| {
        let wait = refused.wait_time_from(DefaultClock::default().now());
        let what = format!("It was not sent: {what}.");
        Problem::new(Kind::RateLimited, what, "").after(wait)
    })
}
