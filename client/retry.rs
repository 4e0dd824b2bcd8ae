//! Retries: which endpoints may be called again, after which failures, and how soon.

use std::time::Duration;

use crate::endpoint::{Effect, Endpoint};
use crate::error::{Error, Interruption};

/// Bound of a pause, which is doubled for each attempt that failed.
const BASE_BACKOFF: Duration = Duration::from_millis(200);
/// Largest bound of a pause.
const MAX_BACKOFF: Duration = Duration::from_secs(5);
/// The longest `Retry-After` of 7digital's that is waited for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(20);

/// An endpoint that may be called more than once. There is no way to make one of an endpoint that writes or charges.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retryable<'a>(&'a Endpoint);

impl<'a> Retryable<'a> {
    pub(crate) fn new(endpoint: &'a Endpoint) -> Option<Self> {
        match endpoint.effect {
            Effect::Reads => Some(Self(endpoint)),
            Effect::Writes | Effect::Charges => None,
        }
    }

    pub(crate) fn endpoint(self) -> &'a Endpoint {
        self.0
    }
}

/// How long to pause after attempt number `attempt` (the first is 1) has failed so; nothing if a retry would not help.
pub(crate) fn backoff(attempt: u32, failure: &Error) -> Option<Duration> {
    let asked = match failure {
        Error::NotSent(_) | Error::Interrupted(Interruption::ConnectionClosed) => None,
        Error::Unavailable {
            status: 502..=504,
            retry_after,
        } => *retry_after,
        Error::Rejected(refusal) if (502..=504).contains(&refusal.status) => refusal.retry_after,
        Error::Throttled {
            retry_after: Some(retry_after),
        } => Some(*retry_after),
        _ => return None,
    };
    match asked {
        Some(retry_after) => (retry_after <= MAX_RETRY_AFTER).then_some(retry_after),
        None => Some(jitter(attempt)),
    }
}

/// Full jitter: anything up to a bound that doubles with each attempt, but never next to nothing.
fn jitter(attempt: u32) -> Duration {
    let bound = BASE_BACKOFF
        .saturating_mul(1 << attempt.min(10))
        .min(MAX_BACKOFF);
    bound.mul_f64(rand::random::<f64>()).max(BASE_BACKOFF / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Auth;
    use crate::error::{ConnectError, Unreadable};
    use crate::upstream::refused;

    #[test]
    fn only_an_endpoint_that_reads_is_retryable() {
        for (effect, retryable) in [
            (Effect::Reads, true),
            (Effect::Writes, false),
            (Effect::Charges, false),
        ] {
            let endpoint = Endpoint::get("/x", Auth::User, effect);
            assert_eq!(Retryable::new(&endpoint).is_some(), retryable, "{effect:?}");
        }
    }

    #[test]
    fn failures_that_may_pass_are_worth_another_attempt() {
        let after = |seconds| Some(Duration::from_secs(seconds));
        let unavailable = |status, retry_after| Error::Unavailable {
            status,
            retry_after,
        };
        let throttled = |retry_after| Error::Throttled { retry_after };
        let rejected = |status| refused(status, Some(9001), "");
        let unauthorised = Error::Unauthorised {
            message: String::new(),
            clock_ahead: None,
        };
        for (failure, worth) in [
            (Error::NotSent(ConnectError::Failed), true),
            (Error::Interrupted(Interruption::ConnectionClosed), true),
            (Error::Interrupted(Interruption::ReadTimeout), false),
            (Error::Interrupted(Interruption::DeadlineExceeded), false),
            (unavailable(503, None), true),
            (unavailable(503, after(21)), false),
            (unavailable(500, None), false),
            (throttled(after(20)), true),
            (throttled(after(3_600)), false),
            (throttled(None), false),
            (rejected(200), false),
            (rejected(500), false),
            (rejected(503), true),
            (Error::Unreadable(Unreadable::HtmlPage), false),
            (unauthorised, false),
        ] {
            assert_eq!(backoff(1, &failure).is_some(), worth, "{failure:?}");
        }
        assert_eq!(backoff(1, &throttled(after(2))), after(2), "as it asks");
    }

    #[test]
    fn pauses_stay_within_their_bounds() {
        for attempt in 1..40 {
            for _ in 0..100 {
                let pause = jitter(attempt);
                let bounds = Duration::from_millis(50)..=MAX_BACKOFF;
                assert!(bounds.contains(&pause), "{attempt}: {pause:?}");
            }
        }
    }
}
