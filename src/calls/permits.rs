//! Admission control: how many calls are in flight at once, and how many wait for a permit.
//!
//! Charges have permits of their own, so that hanging reads can't block them, and each named caller has a share of all.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use metrics::gauge;
use parking_lot::Mutex;
use sevendigital::Effect;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;
use crate::identity::Caller;
use crate::problem::{Kind, Problem};

/// Hands out permits for calls.
#[derive(Debug)]
pub(super) struct Admission {
    calls: ConcurrencyLimit,
    charges: ConcurrencyLimit,
    by_caller: Mutex<HashMap<Arc<str>, Arc<Semaphore>>>,
    caller_limit: usize,
}

/// Concurrency permit; held until the upstream work ends, even if the client has disconnected. A gauge counts those that are held.
#[derive(Debug)]
pub(super) struct Permit {
    kind: &'static str,
    _permit: OwnedSemaphorePermit,
    _share: Option<OwnedSemaphorePermit>,
}

impl Admission {
    /// As the settings say.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            calls: ConcurrencyLimit::new("calls", limits.max_concurrent_calls, limits),
            charges: ConcurrencyLimit::new("charges", limits.max_concurrent_charges, limits),
            by_caller: Mutex::default(),
            caller_limit: limits.caller_concurrent_calls.min(Semaphore::MAX_PERMITS),
        }
    }

    /// A permit for a call with that effect, at once or after a wait in the queue.
    pub(super) async fn admit(&self, caller: &Caller, effect: Effect) -> Result<Permit, Problem> {
        let share = caller.name().map(|name| self.share(name)).transpose()?;
        let limit = match effect {
            Effect::Charges => &self.charges,
            Effect::Reads | Effect::Writes => &self.calls,
        };
        let full = "It was not sent: as many calls are in flight as this server takes at once.";
        let permit = limit.acquire().await;
        let permit = permit.ok_or_else(|| later(Kind::Overloaded, full))?;
        gauge!("sevendigital_calls_in_flight", "kind" => limit.kind).increment(1);
        Ok(Permit {
            kind: limit.kind,
            _permit: permit,
            _share: share,
        })
    }

    fn share(&self, name: &Arc<str>) -> Result<OwnedSemaphorePermit, Problem> {
        let mut by_caller = self.by_caller.lock();
        // Only callers with a call in flight are kept.
        by_caller.retain(|_, share| share.available_permits() < self.caller_limit);
        let whole = || Arc::new(Semaphore::new(self.caller_limit));
        let share = by_caller.entry(Arc::clone(name)).or_insert_with(whole);
        let full = "It was not sent: this caller has as many calls in flight as it may.";
        let permit = Arc::clone(share).try_acquire_owned();
        permit.map_err(|_| later(Kind::RateLimited, full))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        gauge!("sevendigital_calls_in_flight", "kind" => self.kind).decrement(1);
    }
}

fn later(kind: Kind, what: &str) -> Problem {
    Problem::new(kind, what, "").after(Duration::from_secs(1))
}

/// Permits of one kind, and a queue before them.
#[derive(Debug)]
struct ConcurrencyLimit {
    kind: &'static str,
    permits: Arc<Semaphore>,
    queue: Semaphore,
    queue_timeout: Duration,
}

impl ConcurrencyLimit {
    fn new(kind: &'static str, permits: usize, limits: &Limits) -> Self {
        Self {
            kind,
            permits: Arc::new(Semaphore::new(permits)),
            queue: Semaphore::new(limits.max_queued),
            queue_timeout: limits.queue_timeout,
        }
    }

    /// None if the queue is full too, or the wait was too long.
    async fn acquire(&self) -> Option<OwnedSemaphorePermit> {
        let permits = Arc::clone(&self.permits);
        if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
            return Some(permit);
        }
        let _queued = self.queue.try_acquire().ok()?;
        let permit = tokio::time::timeout(self.queue_timeout, permits.acquire_owned());
        permit.await.ok()?.ok()
    }
}
