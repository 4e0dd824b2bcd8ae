//! The circuit breaker: stops reads while 7digital fails, and lets one through now and then as a probe.
//!
//! Changes and charges neither ask it nor count in it: they are always sent, and never as a probe.

use std::collections::VecDeque;
use std::time::Duration;

use metrics::gauge;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::error::Error;
use crate::error_code::is_remote_fault;
use crate::limits::Limits;

/// Shared by all clones of a client.
#[derive(Debug)]
pub(crate) struct CircuitBreaker {
    limits: Limits,
    circuit: Mutex<Circuit>,
}

#[derive(Debug)]
struct Circuit {
    state: State,
    window: Window,
    /// How often the circuit has opened. A permit of an earlier generation is not counted any more.
    generation: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Reads are sent, and their outcomes counted.
    Closed,
    /// No read is sent until then.
    Open(Instant),
    /// One read is in flight as a probe; no other is sent until it has ended.
    HalfOpen,
}

/// What the end of an attempt says of 7digital.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It answered, even if it rejected the call.
    Success,
    /// It could not be reached, broke off, or answered with a fault of its own.
    Failure,
}

/// The right to one attempt, returned when dropped. An attempt that was dropped without an outcome is not counted.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    breaker: &'a CircuitBreaker,
    kind: Kind,
    outcome: Option<Outcome>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// One of many, in that generation.
    Usual(u64),
    Probe,
}

impl CircuitBreaker {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            circuit: Mutex::new(Circuit {
                state: State::Closed,
                window: Window::default(),
                generation: 0,
            }),
        }
    }

    /// A permit for one attempt, or how long the circuit stays open.
    ///
    /// That is zero while a probe is in flight, since how long one takes is not known.
    pub(crate) fn acquire(&self) -> Result<Permit<'_>, Duration> {
        let mut circuit = self.circuit.lock();
        let now = Instant::now();
        let kind = match circuit.state {
            State::Closed => Kind::Usual(circuit.generation),
            State::Open(until) if now < until => return Err(until - now),
            State::Open(_) => {
                circuit.state = State::HalfOpen;
                Kind::Probe
            }
            State::HalfOpen => return Err(Duration::ZERO),
        };
        Ok(Permit {
            breaker: self,
            kind,
            outcome: None,
        })
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.circuit.lock().state == State::Closed
    }

    fn release(&self, kind: Kind, outcome: Option<Outcome>) {
        let mut circuit = self.circuit.lock();
        let now = Instant::now();
        let reopened = State::Open(now + self.limits.breaker_open_time);
        match (kind, outcome) {
            (Kind::Usual(generation), Some(outcome)) if generation == circuit.generation => {
                circuit
                    .window
                    .push(outcome, now, self.limits.breaker_window);
                if circuit.window.exceeds(&self.limits) {
                    let Window {
                        outcomes, failed, ..
                    } = std::mem::take(&mut circuit.window);
                    tracing::warn!(
                        "circuit breaker open: {failed} of the last {} reads failed",
                        outcomes.len()
                    );
                    circuit.state = reopened;
                    circuit.generation += 1;
                }
            }
            (Kind::Usual(_), _) => {}
            (Kind::Probe, Some(Outcome::Success)) => {
                tracing::info!("circuit breaker closed");
                circuit.state = State::Closed;
            }
            (Kind::Probe, Some(Outcome::Failure)) => circuit.state = reopened,
            // The next read is the probe.
            (Kind::Probe, None) => circuit.state = State::Open(now),
        }
        let open = u8::from(circuit.state != State::Closed);
        gauge!("sevendigital_breaker_open").set(open);
    }
}

impl Permit<'_> {
    /// Returns the permit with the outcome of its attempt.
    pub(crate) fn record(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.breaker.release(self.kind, self.outcome);
    }
}

impl Outcome {
    pub(crate) fn from_result<T>(ended: &Result<T, Error>) -> Self {
        let Err(error) = ended else {
            return Self::Success;
        };
        match error {
            Error::Rejected(refusal)
                if refusal.status >= 500 || refusal.code.is_some_and(is_remote_fault) =>
            {
                Self::Failure
            }
            Error::NotSent(_) | Error::Unavailable { .. } | Error::Interrupted(_) => Self::Failure,
            // An unreadable answer may be due to one caller's odd argument, which must not stop all other reads.
            Error::Unreadable(_)
            | Error::DryRun(_)
            | Error::NoConsumerKey
            | Error::Input { .. }
            | Error::CircuitOpen { .. }
            | Error::TooManyAnswers
            | Error::Rejected(_)
            | Error::Unauthorised { .. }
            | Error::Throttled { .. } => Self::Success,
        }
    }
}

/// The outcomes of the last seconds, oldest first.
#[derive(Debug, Default)]
struct Window {
    outcomes: VecDeque<(Instant, Outcome)>,
    failed: u64,
    /// Failures since the last success.
    in_a_row: u64,
}

impl Window {
    fn push(&mut self, outcome: Outcome, now: Instant, length: Duration) {
        self.outcomes.push_back((now, outcome));
        self.failed += u64::from(outcome == Outcome::Failure);
        self.in_a_row = match outcome {
            Outcome::Success => 0,
            Outcome::Failure => self.in_a_row + 1,
        };
        while let Some((at, outcome)) = self.outcomes.front()
            && now.duration_since(*at) > length
        {
            self.failed -= u64::from(*outcome == Outcome::Failure);
            self.outcomes.pop_front();
        }
    }

    fn exceeds(&self, limits: &Limits) -> bool {
        let ended = self.outcomes.len() as u64;
        let least = u64::from(limits.breaker_min_calls);
        let percent = u64::from(limits.breaker_failure_percent);
        // An outage must not wait until it outweighs the successes before it.
        let is_outage = self.in_a_row >= least && percent <= 100;
        ended >= least && (is_outage || 100 * self.failed >= percent * ended)
    }
}

#[cfg(test)]
mod tests;
