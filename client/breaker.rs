//! The breaker: holds reads back while 7digital fails, and lets one through now and then to see whether it still does.
//!
//! Changes and charges neither ask it nor tell it anything: they are never held back, and never sent to try something out.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::gauge;
use tokio::time::Instant;

use crate::error::{Error, is_remote_fault};
use crate::limits::Limits;

/// One for all clones of a client.
#[derive(Debug)]
pub(crate) struct Breaker {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    window: Window,
    /// How often the breaker has opened. What was sent before it last did is not counted after.
    era: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Reads pass, and how they end is counted.
    Closed,
    /// Reads are held back until then.
    Open(Instant),
    /// One read is on its way, and all others are held back until it has ended.
    Probing,
}

/// How the attempts of the last seconds ended.
#[derive(Debug, Default)]
struct Window {
    ended: VecDeque<(Instant, Health)>,
    failed: u64,
}

/// What the end of an attempt says of 7digital.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// It answered, be it with a no.
    Works,
    /// It could not be reached, broke off, or answered what is of no use to anybody.
    Fails,
}

/// The right to one attempt, given back when dropped. An attempt that was given up says nothing of 7digital.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    breaker: &'a Breaker,
    kind: Kind,
    health: Option<Health>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// One of many, in that era.
    Usual(u64),
    /// The one that is to find out.
    Probe,
}

impl Breaker {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: Mutex::new(State {
                phase: Phase::Closed,
                window: Window::default(),
                era: 0,
            }),
        }
    }

    /// Lets an attempt pass, or says how long reads are held back yet.
    ///
    /// Nobody knows how long a probe takes, so while one is on its way the wait is zero.
    pub(crate) fn admit(&self) -> Result<Pass<'_>, Duration> {
        let mut state = self.lock();
        let now = Instant::now();
        let kind = match state.phase {
            Phase::Closed => Kind::Usual(state.era),
            Phase::Open(until) if now < until => return Err(until - now),
            Phase::Open(_) => {
                state.phase = Phase::Probing;
                Kind::Probe
            }
            Phase::Probing => return Err(Duration::ZERO),
        };
        Ok(Pass {
            breaker: self,
            kind,
            health: None,
        })
    }

    /// Whether reads pass.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().phase == Phase::Closed
    }

    fn leave(&self, kind: Kind, health: Option<Health>) {
        let mut state = self.lock();
        let now = Instant::now();
        match (kind, health) {
            (Kind::Usual(era), Some(health)) if era == state.era => {
                state.window.count(health, now, self.limits.breaker_window);
                if state.window.is_bad(&self.limits) {
                    let Window { ended, failed } = std::mem::take(&mut state.window);
                    tracing::warn!(
                        "reads are held back: {failed} of the last {} failed",
                        ended.len()
                    );
                    state.phase = Phase::Open(now + self.limits.breaker_open);
                    state.era += 1;
                }
            }
            (Kind::Usual(_), _) => {}
            (Kind::Probe, Some(Health::Works)) => {
                tracing::info!("reads pass again");
                state.phase = Phase::Closed;
            }
            (Kind::Probe, Some(Health::Fails)) => {
                state.phase = Phase::Open(now + self.limits.breaker_open);
            }
            // The next read is the probe.
            (Kind::Probe, None) => state.phase = Phase::Open(now),
        }
        let open = u8::from(state.phase != Phase::Closed);
        gauge!("sevendigital_breaker_open").set(open);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    fn count(&mut self, health: Health, now: Instant, length: Duration) {
        self.ended.push_back((now, health));
        self.failed += u64::from(health == Health::Fails);
        while let Some((at, health)) = self.ended.front()
            && now.duration_since(*at) > length
        {
            self.failed -= u64::from(*health == Health::Fails);
            self.ended.pop_front();
        }
    }

    fn is_bad(&self, limits: &Limits) -> bool {
        let ended = self.ended.len() as u64;
        ended >= u64::from(limits.breaker_calls)
            && 100 * self.failed >= u64::from(limits.breaker_percent) * ended
    }
}

impl Health {
    pub(crate) fn of<T>(ended: &Result<T, Error>) -> Self {
        let Err(error) = ended else {
            return Self::Works;
        };
        match error {
            Error::Refused { code, .. } if is_remote_fault(*code) => Self::Fails,
            Error::NotSent(_) | Error::Unavailable { .. } | Error::Interrupted(_) => Self::Fails,
            // An answer that can't be read is no sign of an ailing server: one caller's odd argument must not hold all others back.
            Error::Unreadable(_)
            | Error::NoConsumerKey
            | Error::Input { .. }
            | Error::HeldBack { .. }
            | Error::Refused { .. }
            | Error::Unauthorised { .. }
            | Error::Throttled { .. } => Self::Works,
        }
    }
}

impl Pass<'_> {
    /// The attempt has ended so.
    pub(crate) fn end(mut self, health: Health) {
        self.health = Some(health);
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.breaker.leave(self.kind, self.health);
    }
}

#[cfg(test)]
mod tests;
