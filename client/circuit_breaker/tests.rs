//! When the circuit opens, and how it closes again.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new(Limits::default())
}

/// Attempts that all end in that way.
fn end(breaker: &CircuitBreaker, times: usize, outcome: Outcome) {
    for _ in 0..times {
        breaker.acquire().unwrap().record(outcome);
    }
}

/// A breaker that has just opened.
fn open() -> CircuitBreaker {
    let breaker = breaker();
    end(&breaker, 20, Outcome::Failure);
    assert!(!breaker.is_closed());
    breaker
}

#[tokio::test(start_paused = true)]
async fn it_opens_at_twenty_attempts_of_which_half_failed() {
    for (worked, failed, opens) in [
        (0, 19, false),
        (0, 20, true),
        (19, 0, false),
        (10, 9, false),
        (10, 10, true),
        (11, 9, false),
        (51, 49, false),
        (50, 50, true),
        (1_000, 0, false),
    ] {
        let breaker = breaker();
        end(&breaker, worked, Outcome::Success);
        end(&breaker, failed, Outcome::Failure);
        assert_eq!(!breaker.is_closed(), opens, "{worked} and {failed}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_limits_of_the_client_bind_it() {
    let rows = [
        (1, 100, 1, true),
        (0, 100, 1, true),
        (3, 100, 2, false),
        (3, 100, 3, true),
        (1, 101, 1_000, false),
    ];
    for (calls, percent, failed, opens) in rows {
        let breaker = CircuitBreaker::new(Limits {
            breaker_min_calls: calls,
            breaker_failure_percent: percent,
            ..Limits::default()
        });
        end(&breaker, failed, Outcome::Failure);
        assert_eq!(
            !breaker.is_closed(),
            opens,
            "{failed} with {calls}, {percent} %"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_older_than_the_window_is_not_counted() {
    for (seconds, opens) in [(10, true), (11, false)] {
        let breaker = breaker();
        end(&breaker, 19, Outcome::Failure);
        tokio::time::advance(SECOND * seconds).await;
        end(&breaker, 1, Outcome::Failure);
        assert_eq!(!breaker.is_closed(), opens, "after {seconds} s");
    }
    let breaker = breaker();
    for _ in 0..100 {
        end(&breaker, 9, Outcome::Failure);
        tokio::time::advance(SECOND * 6).await;
    }
    assert!(breaker.is_closed(), "18 failures in each ten seconds");
    tokio::time::advance(SECOND * 11).await;
    end(&breaker, 20, Outcome::Success);
    assert!(breaker.is_closed(), "and then none");
}

#[tokio::test(start_paused = true)]
async fn while_it_is_open_it_says_for_how_long() {
    let breaker = open();
    assert_eq!(breaker.acquire().unwrap_err(), SECOND * 5);
    tokio::time::advance(Duration::from_millis(4_999)).await;
    assert_eq!(breaker.acquire().unwrap_err(), Duration::from_millis(1));
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(breaker.acquire().is_ok());
}

#[tokio::test(start_paused = true)]
async fn after_that_one_probe_alone_is_permitted() {
    let breaker = open();
    tokio::time::advance(SECOND * 60).await;
    let probe = breaker.acquire().unwrap();
    for _ in 0..100 {
        assert_eq!(breaker.acquire().unwrap_err(), Duration::ZERO);
    }
    assert!(!breaker.is_closed());
    drop(probe);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_succeeds_closes_it_with_an_empty_window() {
    let breaker = open();
    tokio::time::advance(SECOND * 5).await;
    end(&breaker, 1, Outcome::Success);
    assert!(breaker.is_closed());
    end(&breaker, 19, Outcome::Failure);
    assert!(breaker.is_closed(), "the window was emptied");
    end(&breaker, 1, Outcome::Failure);
    assert!(!breaker.is_closed(), "and is filled again");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_keeps_it_open_for_as_long_again() {
    let breaker = open();
    for _ in 0..3 {
        tokio::time::advance(SECOND * 5).await;
        end(&breaker, 1, Outcome::Failure);
        assert_eq!(breaker.acquire().unwrap_err(), SECOND * 5);
    }
    tokio::time::advance(SECOND * 5).await;
    end(&breaker, 1, Outcome::Success);
    assert!(breaker.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_lets_the_next_read_be_the_probe() {
    let breaker = open();
    tokio::time::advance(SECOND * 5).await;
    for _ in 0..3 {
        let probe = breaker.acquire().unwrap();
        assert!(breaker.acquire().is_err());
        drop(probe);
        assert!(!breaker.is_closed());
    }
    end(&breaker, 1, Outcome::Success);
    assert!(breaker.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_attempt_is_not_counted() {
    let breaker = breaker();
    for _ in 0..1_000 {
        drop(breaker.acquire().unwrap());
    }
    end(&breaker, 19, Outcome::Failure);
    assert!(breaker.is_closed());
}

#[tokio::test(start_paused = true)]
async fn permits_of_an_earlier_generation_are_not_counted() {
    for outcome in [Outcome::Success, Outcome::Failure] {
        let breaker = breaker();
        let early: Vec<Permit> = (0..60).map(|_| breaker.acquire().unwrap()).collect();
        end(&breaker, 20, Outcome::Failure);
        let mut early = early.into_iter();
        let mut ends = |times| {
            early
                .by_ref()
                .take(times)
                .for_each(|permit| permit.record(outcome))
        };
        ends(20);
        assert_eq!(breaker.acquire().unwrap_err(), SECOND * 5, "{outcome:?}");
        tokio::time::advance(SECOND * 5).await;
        let probe = breaker.acquire().unwrap();
        ends(20);
        assert_eq!(
            breaker.acquire().unwrap_err(),
            Duration::ZERO,
            "{outcome:?}"
        );
        probe.record(Outcome::Success);
        ends(20);
        assert!(breaker.is_closed(), "{outcome:?}");
        end(&breaker, 19, Outcome::Failure);
        assert!(breaker.is_closed(), "{outcome:?}");
        end(&breaker, 1, Outcome::Failure);
        assert!(!breaker.is_closed(), "{outcome:?}");
    }
}

#[test]
fn a_rejection_of_7digitals_is_a_success() {
    use crate::error::{ConnectError, Interruption, Unreadable};
    let rejected = |code| Error::Rejected {
        code,
        message: String::new(),
    };
    let unavailable = |status| Error::Unavailable {
        status,
        retry_after: None,
    };
    for (error, outcome) in [
        (Error::NotSent(ConnectError::Failed), Outcome::Failure),
        (
            Error::Interrupted(Interruption::ConnectionClosed),
            Outcome::Failure,
        ),
        (
            Error::Interrupted(Interruption::ReadTimeout),
            Outcome::Failure,
        ),
        (
            Error::Interrupted(Interruption::DeadlineExceeded),
            Outcome::Failure,
        ),
        (unavailable(500), Outcome::Failure),
        (unavailable(503), Outcome::Failure),
        (Error::Unreadable(Unreadable::HtmlPage), Outcome::Success),
        (rejected(7001), Outcome::Failure),
        (rejected(9001), Outcome::Failure),
        (rejected(1001), Outcome::Success),
        (rejected(2001), Outcome::Success),
        (rejected(3001), Outcome::Success),
        (
            Error::Unauthorised {
                message: String::new(),
                clock_ahead: None,
            },
            Outcome::Success,
        ),
        (Error::Throttled { retry_after: None }, Outcome::Success),
    ] {
        let ended: Result<(), Error> = Err(error);
        assert_eq!(Outcome::from_result(&ended), outcome, "{ended:?}");
    }
    assert_eq!(Outcome::from_result(&Ok(())), Outcome::Success);
}
