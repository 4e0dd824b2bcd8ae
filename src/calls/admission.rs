//! How much is under way at once: places for calls, places of their own for calls that charge, and a share for each named caller.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use metrics::gauge;
use sevendigital::Effect;
use std::num::NonZeroU32;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;
use crate::http::errors::Refused;
use crate::identity::Caller;
use crate::problem::Kind;

/// When to come again where every place is taken.
const LATER: Duration = Duration::from_secs(1);

/// The places that there are. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Load(Arc<Places>);

#[derive(Debug)]
struct Places {
    calls: Gate,
    charges: Gate,
    of_callers: Mutex<HashMap<Arc<str>, usize>>,
    for_one_caller: usize,
    reads: Keyed,
}

/// Places of one sort, and a queue before them.
#[derive(Debug)]
struct Gate {
    name: &'static str,
    places: Arc<Semaphore>,
    waiting: Semaphore,
    patience: Duration,
}

impl Gate {
    fn new(name: &'static str, places: usize, limits: &Limits) -> Self {
        Self {
            name,
            places: Arc::new(Semaphore::new(places)),
            waiting: Semaphore::new(limits.waiting.count()),
            patience: limits.wait_ms.time(),
        }
    }

    /// A place, at once or after a wait; none if the queue is full too, or the wait was too long.
    async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        let _waiting = self.waiting.try_acquire().ok()?;
        let place = Arc::clone(&self.places).acquire_owned();
        tokio::time::timeout(self.patience, place).await.ok()?.ok()
    }
}

/// A place that a call has. It is free again once the last of its clones is dropped, or by [`Place::leave`].
#[derive(Debug, Clone)]
pub struct Place(Arc<Held>);

#[derive(Debug)]
struct Held {
    load: Load,
    caller: Caller,
    effect: Effect,
    taken: Mutex<Option<Taken>>,
}

#[derive(Debug)]
struct Taken {
    _place: OwnedSemaphorePermit,
    _share: Option<Share>,
    _counted: Counted,
}

impl Place {
    /// Leaves it to others: a person is asked, and may take their time.
    pub fn leave(&self) {
        self.hold(None);
    }

    /// Takes one again: they have answered. The error says when to come again.
    pub async fn come_back(&self) -> Result<(), Refused> {
        let Held {
            load,
            caller,
            effect,
            ..
        } = &*self.0;
        let taken = load.take(caller, *effect).await?;
        self.hold(Some(taken));
        Ok(())
    }

    fn hold(&self, taken: Option<Taken>) {
        let mut held = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *held = taken;
    }
}

/// A gauge that is one higher while this lives.
#[derive(Debug)]
struct Counted(&'static str);

impl Counted {
    fn new(kind: &'static str) -> Self {
        gauge!("sevendigital_calls_in_flight", "kind" => kind).increment(1);
        Self(kind)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        gauge!("sevendigital_calls_in_flight", "kind" => self.0).decrement(1);
    }
}

/// One call of a named caller.
#[derive(Debug)]
struct Share {
    of: Arc<str>,
    places: Arc<Places>,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut callers = self
            .places
            .of_callers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = callers.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                callers.remove(&self.of);
            }
        }
    }
}

impl Load {
    /// As the settings say.
    pub fn new(limits: &Limits) -> Self {
        let reads = Quota::per_second(limits.caller_reads_per_second.nonzero())
            .allow_burst(limits.caller_reads_burst.nonzero());
        Self(Arc::new(Places {
            calls: Gate::new("calls", limits.calls.count(), limits),
            charges: Gate::new("charges", limits.charges.count(), limits),
            of_callers: Mutex::default(),
            for_one_caller: limits.caller_calls.count(),
            reads: Keyed::new(reads),
        }))
    }

    /// A place for a call with that effect. The error says when to come again.
    pub async fn admit(&self, caller: &Caller, effect: Effect) -> Result<Place, Refused> {
        if effect == Effect::Reads
            && let Some(name) = caller.name()
        {
            self.0.reads.pass(name).map_err(|wait| {
                Refused::new(Kind::TooOften, "this caller reads too often").after(wait)
            })?;
        }
        let taken = self.take(caller, effect).await?;
        Ok(Place(Arc::new(Held {
            load: self.clone(),
            caller: caller.clone(),
            effect,
            taken: Mutex::new(Some(taken)),
        })))
    }

    async fn take(&self, caller: &Caller, effect: Effect) -> Result<Taken, Refused> {
        let share = caller.name().map(|name| self.share(name)).transpose()?;
        let gate = match effect {
            Effect::Charges => &self.0.charges,
            Effect::Reads | Effect::Writes => &self.0.calls,
        };
        let place = gate.enter().await.ok_or_else(|| {
            Refused::new(
                Kind::Busy,
                "as many calls are under way as this server takes at once",
            )
            .after(LATER)
        })?;
        Ok(Taken {
            _place: place,
            _share: share,
            _counted: Counted::new(gate.name),
        })
    }

    fn share(&self, name: &Arc<str>) -> Result<Share, Refused> {
        let mut callers = self
            .0
            .of_callers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = callers.entry(Arc::clone(name)).or_default();
        if *count >= self.0.for_one_caller {
            let why = "this caller has as many calls under way as it may";
            return Err(Refused::new(Kind::TooOften, why).after(LATER));
        }
        *count += 1;
        Ok(Share {
            of: Arc::clone(name),
            places: Arc::clone(&self.0),
        })
    }
}

/// So many in a time, for each key.
#[derive(Debug)]
pub(crate) struct Keyed(DefaultKeyedRateLimiter<Arc<str>>);

/// Keys that are kept before those that no longer matter are dropped.
const KEYS: usize = 4_096;

impl Keyed {
    pub(crate) fn new(quota: Quota) -> Self {
        Self(RateLimiter::keyed(quota))
    }

    pub(crate) fn per_minute(count: NonZeroU32) -> Self {
        Self::new(Quota::per_minute(count))
    }

    /// Counts one; the error says how long to wait.
    pub(crate) fn pass(&self, key: &Arc<str>) -> Result<(), Duration> {
        if self.0.len() > KEYS {
            self.0.retain_recent();
        }
        self.0
            .check_key(key)
            .map_err(|refused| refused.wait_time_from(DefaultClock::default().now()))
    }
}
