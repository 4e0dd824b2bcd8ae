//! Admission control: how many calls are in flight at once, and how many wait for a permit.
//!
//! Charges have permits of their own, so that hanging reads can't block them, and each named caller has a share of all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::gauge;
use sevendigital::Effect;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;
use crate::identity::Caller;
use crate::problem::{Kind, Problem};

/// When to call again where every permit is taken.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Hands out permits for calls. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Admission(Arc<Limiters>);

#[derive(Debug)]
struct Limiters {
    calls: ConcurrencyLimit,
    charges: ConcurrencyLimit,
    by_caller: Mutex<HashMap<Arc<str>, usize>>,
    caller_limit: usize,
}

/// Concurrency permit; held until the upstream work ends, even if the client has disconnected.
#[derive(Debug)]
pub(super) struct Permit {
    _permit: OwnedSemaphorePermit,
    _share: Option<CallerShare>,
    _in_flight: InFlight,
}

impl Admission {
    /// As the settings say.
    pub(super) fn new(limits: &Limits) -> Self {
        Self(Arc::new(Limiters {
            calls: ConcurrencyLimit::new("calls", limits.max_concurrent_calls, limits),
            charges: ConcurrencyLimit::new("charges", limits.max_concurrent_charges, limits),
            by_caller: Mutex::default(),
            caller_limit: limits.caller_concurrent_calls,
        }))
    }

    /// A permit for a call with that effect, at once or after a wait in the queue.
    pub(super) async fn admit(&self, caller: &Caller, effect: Effect) -> Result<Permit, Problem> {
        let share = caller.name().map(|name| self.share(name)).transpose()?;
        let limit = match effect {
            Effect::Charges => &self.0.charges,
            Effect::Reads | Effect::Writes => &self.0.calls,
        };
        let Some(permit) = limit.acquire().await else {
            return Err(Problem::new(
                Kind::Overloaded,
                "It was not sent: as many calls are in flight as this server takes at once.",
                "",
            )
            .after(RETRY_AFTER));
        };
        Ok(Permit {
            _permit: permit,
            _share: share,
            _in_flight: InFlight::new(limit.name),
        })
    }

    fn share(&self, name: &Arc<str>) -> Result<CallerShare, Problem> {
        let mut by_caller = self.0.by_caller();
        let count = by_caller.entry(Arc::clone(name)).or_default();
        if *count >= self.0.caller_limit {
            return Err(Problem::new(
                Kind::RateLimited,
                "It was not sent: this caller has as many calls in flight as it may.",
                "",
            )
            .after(RETRY_AFTER));
        }
        *count += 1;
        Ok(CallerShare {
            caller: Arc::clone(name),
            limiters: Arc::clone(&self.0),
        })
    }
}

impl Limiters {
    fn by_caller(&self) -> MutexGuard<'_, HashMap<Arc<str>, usize>> {
        self.by_caller
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Permits of one sort, and a queue before them.
#[derive(Debug)]
struct ConcurrencyLimit {
    name: &'static str,
    permits: Arc<Semaphore>,
    queue: Semaphore,
    queue_timeout: Duration,
}

impl ConcurrencyLimit {
    fn new(name: &'static str, permits: usize, limits: &Limits) -> Self {
        Self {
            name,
            permits: Arc::new(Semaphore::new(permits)),
            queue: Semaphore::new(limits.max_queued),
            queue_timeout: limits.queue_timeout,
        }
    }

    /// None if the queue is full too, or the wait was too long.
    async fn acquire(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Some(permit);
        }
        let _queued = self.queue.try_acquire().ok()?;
        let permit = Arc::clone(&self.permits).acquire_owned();
        tokio::time::timeout(self.queue_timeout, permit)
            .await
            .ok()?
            .ok()
    }
}

/// One call of a named caller, counted while this lives.
#[derive(Debug)]
struct CallerShare {
    caller: Arc<str>,
    limiters: Arc<Limiters>,
}

impl Drop for CallerShare {
    fn drop(&mut self) {
        let mut by_caller = self.limiters.by_caller();
        if let Some(count) = by_caller.get_mut(&self.caller) {
            *count -= 1;
            if *count == 0 {
                by_caller.remove(&self.caller);
            }
        }
    }
}

/// A gauge that is one higher while this lives.
#[derive(Debug)]
struct InFlight(&'static str);

impl InFlight {
    fn new(kind: &'static str) -> Self {
        gauge!("sevendigital_calls_in_flight", "kind" => kind).increment(1);
        Self(kind)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        gauge!("sevendigital_calls_in_flight", "kind" => self.0).decrement(1);
    }
}
