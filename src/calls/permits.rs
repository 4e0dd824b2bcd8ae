//! Admission control: how many calls are in flight at once, and how many wait for a permit.
//!
//! Charges have permits of their own, so that hanging reads can't block them, and each named caller has a share of all.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    by_caller: Mutex<HashMap<Arc<str>, Share>>,
    caller_calls: usize,
    caller_untaken_bytes: usize,
}

/// Concurrency permit; held until the upstream work ends, even if the client has disconnected, and of a read until its answer is handed to the socket. A gauge counts those that are held.
#[derive(Debug)]
pub(super) struct Permit {
    kind: &'static str,
    _permit: OwnedSemaphorePermit,
    share: Option<(OwnedSemaphorePermit, Arc<AtomicUsize>)>,
}

/// What a named caller has taken of its share.
#[derive(Debug)]
struct Share {
    calls: Arc<Semaphore>,
    /// Bytes of answers that were handed to the socket, and that the caller has not taken.
    untaken: Arc<AtomicUsize>,
}

/// Bytes of an answer that its caller has not taken; dropped once it has, or is gone.
#[derive(Debug)]
pub struct UntakenBytes {
    bytes: usize,
    of_caller: Arc<AtomicUsize>,
}

impl Admission {
    /// As the settings say.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            calls: ConcurrencyLimit::new("calls", limits.max_concurrent_calls, limits),
            charges: ConcurrencyLimit::new("charges", limits.max_concurrent_charges, limits),
            by_caller: Mutex::default(),
            caller_calls: limits.caller_concurrent_calls.min(Semaphore::MAX_PERMITS),
            caller_untaken_bytes: limits.caller_untaken_bytes,
        }
    }

    /// A permit for a call with that effect, at once or after a wait in the queue.
    pub(super) async fn admit(&self, caller: &Caller, effect: Effect) -> Result<Permit, Problem> {
        let share = caller.name().map(|name| self.share(name, effect));
        let share = share.transpose()?;
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
            share,
        })
    }

    fn share(
        &self,
        name: &Arc<str>,
        effect: Effect,
    ) -> Result<(OwnedSemaphorePermit, Arc<AtomicUsize>), Problem> {
        let mut by_caller = self.by_caller.lock();
        // Only callers with a call in flight, or an answer to take, are kept.
        by_caller.retain(|_, share| {
            share.calls.available_permits() < self.caller_calls
                || share.untaken.load(Ordering::Relaxed) > 0
        });
        let whole = || Share {
            calls: Arc::new(Semaphore::new(self.caller_calls)),
            untaken: Arc::default(),
        };
        let share = by_caller.entry(Arc::clone(name)).or_insert_with(whole);
        let reads = effect == Effect::Reads;
        if reads && share.untaken.load(Ordering::Relaxed) >= self.caller_untaken_bytes {
            let full =
                "It was not sent: this caller has not taken the answers to its earlier calls.";
            return Err(later(Kind::RateLimited, full));
        }
        let full = "It was not sent: this caller has as many calls in flight as it may.";
        let permit = Arc::clone(&share.calls).try_acquire_owned();
        let permit = permit.map_err(|_| later(Kind::RateLimited, full))?;
        Ok((permit, Arc::clone(&share.untaken)))
    }
}

impl Permit {
    /// The call's answer, of that many bytes, is handed to the socket. A named caller's bytes count until the value is dropped.
    pub(super) fn hand_over(mut self, bytes: usize) -> Option<UntakenBytes> {
        let (_, of_caller) = self.share.take()?;
        of_caller.fetch_add(bytes, Ordering::Relaxed);
        Some(UntakenBytes { bytes, of_caller })
    }
}

impl Drop for UntakenBytes {
    fn drop(&mut self) {
        self.of_caller.fetch_sub(self.bytes, Ordering::Relaxed);
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
