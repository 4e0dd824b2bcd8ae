//! When a read is sent again: which failures, how soon, and how often in all.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::endpoint::{Effect, Endpoint};
use crate::error::{Error, Interruption};

/// Shortest and longest upper bound of a pause.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// The longest wait that 7digital may ask for and still be obeyed.
const OBEYED: Duration = Duration::from_secs(20);
/// The window in which repeats are counted.
const WINDOW: Duration = Duration::from_secs(10);
/// Repeats that are always allowed in a window.
const FLOOR: usize = 3;

/// An endpoint that may be called more than once. There is no way to make one of an endpoint that writes or charges.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Repeatable<'a>(&'a Endpoint);

impl<'a> Repeatable<'a> {
    pub(crate) fn of(endpoint: &'a Endpoint) -> Option<Self> {
        match endpoint.effect {
            Effect::Reads => Some(Self(endpoint)),
            Effect::Writes | Effect::Charges => None,
        }
    }

    pub(crate) fn endpoint(self) -> &'a Endpoint {
        self.0
    }
}

/// Keeps repeats to a small part of all requests, so that an ailing 7digital is not run over.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Repeats at most, as a percentage of first attempts.
    percent: usize,
    sent: Mutex<VecDeque<(Instant, Attempt)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    First,
    Repeat,
}

impl Budget {
    pub(crate) fn new(percent: u32) -> Self {
        Self {
            percent: percent as usize,
            sent: Mutex::default(),
        }
    }

    /// Counts a request that is sent for the first time.
    pub(crate) fn first(&self) {
        self.count(|sent, now| sent.push_back((now, Attempt::First)));
    }

    /// Counts a repeat, if there is room for one.
    pub(crate) fn repeat(&self) -> bool {
        self.count(|sent, now| {
            let repeats = sent
                .iter()
                .filter(|(_, attempt)| *attempt == Attempt::Repeat)
                .count();
            let first = sent.len() - repeats;
            let room = repeats < FLOOR.max(first * self.percent / 100);
            if room {
                sent.push_back((now, Attempt::Repeat));
            }
            room
        })
    }

    fn count<T>(&self, work: impl FnOnce(&mut VecDeque<(Instant, Attempt)>, Instant) -> T) -> T {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while sent
            .front()
            .is_some_and(|(at, _)| now.duration_since(*at) > WINDOW)
        {
            sent.pop_front();
        }
        work(&mut sent, now)
    }
}

/// How long to pause before attempt number `next` (the second is 2) after this failure; nothing if it is not worth one.
pub(crate) fn pause(next: u32, failure: &Error) -> Option<Duration> {
    let asked = match failure {
        Error::NotSent(_) | Error::Interrupted(Interruption::Broke) => None,
        Error::Unavailable {
            status: 502..=504,
            wait,
        } => *wait,
        Error::Throttled { wait: Some(wait) } => Some(*wait),
        _ => return None,
    };
    match asked {
        Some(wait) => (wait <= OBEYED).then_some(wait),
        None => Some(jitter(next)),
    }
}

/// Full jitter: anything up to a bound that doubles with each attempt.
fn jitter(next: u32) -> Duration {
    let (shortest, longest) = PAUSE;
    let bound = shortest
        .saturating_mul(1 << (next - 1).min(10))
        .min(longest);
    bound.mul_f64(rand::random::<f64>()).max(shortest / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Auth;

    #[test]
    fn only_what_reads_can_be_made_repeatable() {
        for (effect, repeatable) in [
            (Effect::Reads, true),
            (Effect::Writes, false),
            (Effect::Charges, false),
        ] {
            let endpoint = Endpoint::get("/x", Auth::User, effect);
            assert_eq!(
                Repeatable::of(&endpoint).is_some(),
                repeatable,
                "{effect:?}"
            );
        }
    }

    #[test]
    fn failures_that_may_pass_are_worth_another_attempt() {
        let seconds = Duration::from_secs;
        for (failure, worth) in [
            (Error::NotSent("refused"), true),
            (Error::Interrupted(Interruption::Broke), true),
            (Error::Interrupted(Interruption::Silent), false),
            (Error::Interrupted(Interruption::TooLong), false),
            (
                Error::Unavailable {
                    status: 503,
                    wait: None,
                },
                true,
            ),
            (
                Error::Unavailable {
                    status: 503,
                    wait: Some(seconds(21)),
                },
                false,
            ),
            (
                Error::Unavailable {
                    status: 500,
                    wait: None,
                },
                false,
            ),
            (
                Error::Throttled {
                    wait: Some(seconds(20)),
                },
                true,
            ),
            (
                Error::Throttled {
                    wait: Some(seconds(3600)),
                },
                false,
            ),
            (Error::Throttled { wait: None }, false),
            (
                Error::Refused {
                    code: 9001,
                    message: String::new(),
                },
                false,
            ),
            (Error::Unreadable("HTML".into()), false),
            (
                Error::Unauthorised {
                    message: String::new(),
                    clock_ahead: None,
                },
                false,
            ),
        ] {
            assert_eq!(pause(2, &failure).is_some(), worth, "{failure:?}");
        }
        assert_eq!(
            pause(
                2,
                &Error::Throttled {
                    wait: Some(seconds(2))
                }
            ),
            Some(seconds(2))
        );
    }

    #[test]
    fn pauses_stay_within_their_bounds() {
        for next in 2..40 {
            for _ in 0..100 {
                let pause = jitter(next);
                assert!(
                    pause >= Duration::from_millis(50) && pause <= PAUSE.1,
                    "{next}: {pause:?}"
                );
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn repeats_are_at_most_their_part_of_the_requests_in_ten_seconds() {
        let allowed = |budget: &Budget| (0..1_000).take_while(|_| budget.repeat()).count();
        for (percent, first, repeats) in [
            (20, 0, FLOOR),
            (20, 19, FLOOR),
            (20, 20, 4),
            (20, 100, 20),
            (20, 104, 20),
            (50, 100, 50),
            (0, 1_000, FLOOR),
        ] {
            let budget = Budget::new(percent);
            for _ in 0..first {
                budget.first();
            }
            assert_eq!(allowed(&budget), repeats, "{percent} % of {first}");
            tokio::time::advance(WINDOW + Duration::from_secs(1)).await;
            assert_eq!(allowed(&budget), FLOOR, "the window has passed");
        }
    }
}
