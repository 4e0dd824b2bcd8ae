//! When the circuit opens, and how it closes again.

use super::Outcome::{Failure, Success};
use super::*;
use crate::error::{ConnectError, Interruption, Unreadable};
use crate::upstream::refused;

const OPEN: Duration = Duration::from_secs(5);

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new(Limits::default())
}

/// Attempts that all end in that way; returns whether the circuit is closed after them.
fn record(breaker: &CircuitBreaker, times: usize, outcome: Outcome) -> bool {
    for _ in 0..times {
        breaker.acquire().unwrap().record(outcome);
    }
    breaker.is_closed()
}

/// A circuit that has just opened.
fn opened() -> CircuitBreaker {
    let breaker = breaker();
    assert!(!record(&breaker, 20, Failure));
    breaker
}

/// A circuit that is ready for a probe.
async fn half_open() -> CircuitBreaker {
    let breaker = opened();
    tokio::time::advance(OPEN).await;
    breaker
}

#[tokio::test(start_paused = true)]
async fn it_opens_at_enough_attempts_of_which_enough_failed() {
    for (min_calls, percent, succeeded, failed, opens) in [
        (20, 50, 0, 19, false),
        (20, 50, 0, 20, true),
        (20, 50, 19, 0, false),
        (20, 50, 10, 9, false),
        (20, 50, 10, 10, true),
        (20, 50, 11, 9, false),
        (60, 50, 51, 49, false),
        (60, 50, 50, 50, true),
        // An outage, whatever came before it.
        (20, 50, 1_000, 19, false),
        (20, 50, 1_000, 20, true),
        (20, 50, 1_000, 0, false),
        (1, 100, 0, 1, true),
        (0, 100, 0, 1, true),
        (3, 100, 0, 2, false),
        (3, 100, 0, 3, true),
        (1, 101, 0, 1_000, false),
    ] {
        let breaker = CircuitBreaker::new(Limits {
            breaker_min_calls: min_calls,
            breaker_failure_percent: percent,
            ..Limits::default()
        });
        record(&breaker, succeeded, Success);
        let closed = record(&breaker, failed, Failure);
        let row = (min_calls, percent, succeeded, failed);
        assert_eq!(!closed, opens, "{row:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_older_than_the_window_is_not_counted() {
    let seconds = Duration::from_secs;
    for (later, opens) in [(10, true), (11, false)] {
        let breaker = breaker();
        record(&breaker, 19, Failure);
        tokio::time::advance(seconds(later)).await;
        assert_eq!(!record(&breaker, 1, Failure), opens, "after {later} s");
    }
    let breaker = breaker();
    for _ in 0..100 {
        assert!(record(&breaker, 9, Failure), "18 in each ten seconds");
        tokio::time::advance(seconds(6)).await;
    }
    tokio::time::advance(seconds(11)).await;
    assert!(record(&breaker, 20, Success), "and then none");
}

#[tokio::test(start_paused = true)]
async fn it_says_how_long_it_is_open_and_then_permits_one_probe() {
    let breaker = opened();
    assert_eq!(breaker.acquire().unwrap_err(), OPEN);
    tokio::time::advance(Duration::from_millis(4_999)).await;
    assert_eq!(breaker.acquire().unwrap_err(), Duration::from_millis(1));
    tokio::time::advance(Duration::from_millis(1)).await;
    let probe = breaker.acquire().unwrap();
    for _ in 0..100 {
        assert_eq!(breaker.acquire().unwrap_err(), Duration::ZERO);
    }
    assert!(!breaker.is_closed());
    drop(probe);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_succeeds_closes_it_with_an_empty_window() {
    let breaker = half_open().await;
    assert!(record(&breaker, 1, Success));
    assert!(record(&breaker, 19, Failure), "the window was emptied");
    assert!(!record(&breaker, 1, Failure), "and is filled again");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_keeps_it_open_for_as_long_again() {
    let breaker = half_open().await;
    for _ in 0..3 {
        record(&breaker, 1, Failure);
        assert_eq!(breaker.acquire().unwrap_err(), OPEN);
        tokio::time::advance(OPEN).await;
    }
    assert!(record(&breaker, 1, Success));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_lets_the_next_read_be_the_probe() {
    let breaker = half_open().await;
    for _ in 0..3 {
        let probe = breaker.acquire().unwrap();
        assert!(breaker.acquire().is_err());
        drop(probe);
        assert!(!breaker.is_closed());
    }
    assert!(record(&breaker, 1, Success));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_attempt_is_not_counted() {
    let breaker = breaker();
    for _ in 0..1_000 {
        drop(breaker.acquire().unwrap());
    }
    assert!(record(&breaker, 19, Failure));
}

#[tokio::test(start_paused = true)]
async fn permits_of_an_earlier_generation_are_not_counted() {
    for outcome in [Success, Failure] {
        let breaker = breaker();
        let mut early: Vec<Permit> = (0..60).map(|_| breaker.acquire().unwrap()).collect();
        let mut end_twenty = || {
            let twenty = early.drain(..20);
            twenty.for_each(|permit| permit.record(outcome));
        };
        assert!(!record(&breaker, 20, Failure));
        end_twenty();
        assert_eq!(breaker.acquire().unwrap_err(), OPEN, "{outcome:?}");
        tokio::time::advance(OPEN).await;
        let probe = breaker.acquire().unwrap();
        end_twenty();
        let wait = breaker.acquire().unwrap_err();
        assert_eq!(wait, Duration::ZERO, "{outcome:?}");
        probe.record(Success);
        end_twenty();
        assert!(record(&breaker, 19, Failure), "{outcome:?}");
        assert!(!record(&breaker, 1, Failure), "{outcome:?}");
    }
}

#[test]
fn an_answer_is_a_success_unless_it_is_a_fault_of_7digitals() {
    let rejected = |code| refused(200, Some(code), "");
    let unavailable = |status| Error::Unavailable {
        status,
        retry_after: None,
    };
    let unauthorised = Error::Unauthorised {
        message: String::new(),
        clock_ahead: None,
    };
    let failures = [
        Error::NotSent(ConnectError::Failed),
        Error::Interrupted(Interruption::ConnectionClosed),
        Error::Interrupted(Interruption::ReadTimeout),
        Error::Interrupted(Interruption::DeadlineExceeded),
        unavailable(500),
        unavailable(503),
        rejected(7001),
        rejected(9001),
        refused(503, Some(2001), ""),
    ];
    let successes = [
        rejected(1001),
        rejected(2001),
        rejected(3001),
        unauthorised,
        Error::Throttled { retry_after: None },
        Error::Unreadable(Unreadable::HtmlPage),
    ];
    let rows = failures.map(|error| (error, Failure)).into_iter();
    for (error, expected) in rows.chain(successes.map(|error| (error, Success))) {
        let ended: Result<(), Error> = Err(error);
        assert_eq!(Outcome::from_result(&ended), expected, "{ended:?}");
    }
    assert_eq!(Outcome::from_result(&Ok(())), Success);
}
