//! When reads are held back, and how they come to pass again.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn breaker() -> Breaker {
    Breaker::new(Limits::default())
}

/// Attempts that all end in that way.
fn end(breaker: &Breaker, times: usize, health: Health) {
    for _ in 0..times {
        breaker.admit().unwrap().end(health);
    }
}

/// A breaker that has just opened.
fn open() -> Breaker {
    let breaker = breaker();
    end(&breaker, 20, Health::Fails);
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
        end(&breaker, worked, Health::Works);
        end(&breaker, failed, Health::Fails);
        assert_eq!(!breaker.is_closed(), opens, "{worked} and {failed}");
    }
}

#[tokio::test(start_paused = true)]
async fn its_limits_are_the_clients() {
    let rows = [
        (1, 100, 1, true),
        (0, 100, 1, true),
        (3, 100, 2, false),
        (3, 100, 3, true),
        (1, 101, 1_000, false),
    ];
    for (calls, percent, failed, opens) in rows {
        let breaker = Breaker::new(Limits {
            breaker_calls: calls,
            breaker_percent: percent,
            ..Limits::default()
        });
        end(&breaker, failed, Health::Fails);
        assert_eq!(
            !breaker.is_closed(),
            opens,
            "{failed} with {calls}, {percent} %"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_older_than_ten_seconds_is_not_counted() {
    for (seconds, opens) in [(10, true), (11, false)] {
        let breaker = breaker();
        end(&breaker, 19, Health::Fails);
        tokio::time::advance(SECOND * seconds).await;
        end(&breaker, 1, Health::Fails);
        assert_eq!(!breaker.is_closed(), opens, "after {seconds} s");
    }
    let breaker = breaker();
    for _ in 0..100 {
        end(&breaker, 9, Health::Fails);
        tokio::time::advance(SECOND * 6).await;
    }
    assert!(breaker.is_closed(), "18 failures in ten seconds, for ever");
    tokio::time::advance(SECOND * 11).await;
    end(&breaker, 20, Health::Works);
    assert!(breaker.is_closed(), "and then none");
}

#[tokio::test(start_paused = true)]
async fn while_it_is_open_it_tells_how_long() {
    let breaker = open();
    assert_eq!(breaker.admit().unwrap_err(), SECOND * 5);
    tokio::time::advance(Duration::from_millis(4_999)).await;
    assert_eq!(breaker.admit().unwrap_err(), Duration::from_millis(1));
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(breaker.admit().is_ok());
}

#[tokio::test(start_paused = true)]
async fn then_one_alone_may_try() {
    let breaker = open();
    tokio::time::advance(SECOND * 60).await;
    let probe = breaker.admit().unwrap();
    for _ in 0..100 {
        assert_eq!(breaker.admit().unwrap_err(), Duration::ZERO);
    }
    assert!(!breaker.is_closed());
    drop(probe);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_works_closes_it_and_what_was_is_forgotten() {
    let breaker = open();
    tokio::time::advance(SECOND * 5).await;
    end(&breaker, 1, Health::Works);
    assert!(breaker.is_closed());
    end(&breaker, 19, Health::Fails);
    assert!(breaker.is_closed(), "the window was emptied");
    end(&breaker, 1, Health::Fails);
    assert!(!breaker.is_closed(), "and is filled again");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_keeps_it_open_for_as_long_again() {
    let breaker = open();
    for _ in 0..3 {
        tokio::time::advance(SECOND * 5).await;
        end(&breaker, 1, Health::Fails);
        assert_eq!(breaker.admit().unwrap_err(), SECOND * 5);
    }
    tokio::time::advance(SECOND * 5).await;
    end(&breaker, 1, Health::Works);
    assert!(breaker.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_given_up_gives_its_place_to_the_next() {
    let breaker = open();
    tokio::time::advance(SECOND * 5).await;
    for _ in 0..3 {
        let probe = breaker.admit().unwrap();
        assert!(breaker.admit().is_err());
        drop(probe);
        assert!(!breaker.is_closed());
    }
    end(&breaker, 1, Health::Works);
    assert!(breaker.is_closed());
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_given_up_says_nothing() {
    let breaker = breaker();
    for _ in 0..1_000 {
        drop(breaker.admit().unwrap());
    }
    end(&breaker, 19, Health::Fails);
    assert!(breaker.is_closed());
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_before_it_opened_neither_closes_it_nor_counts_after() {
    for health in [Health::Works, Health::Fails] {
        let breaker = breaker();
        let early: Vec<Pass> = (0..60).map(|_| breaker.admit().unwrap()).collect();
        end(&breaker, 20, Health::Fails);
        let mut early = early.into_iter();
        let mut ends = |times| early.by_ref().take(times).for_each(|pass| pass.end(health));
        ends(20);
        assert_eq!(breaker.admit().unwrap_err(), SECOND * 5, "{health:?}");
        tokio::time::advance(SECOND * 5).await;
        let probe = breaker.admit().unwrap();
        ends(20);
        assert_eq!(breaker.admit().unwrap_err(), Duration::ZERO, "{health:?}");
        probe.end(Health::Works);
        ends(20);
        assert!(breaker.is_closed(), "{health:?}");
        end(&breaker, 19, Health::Fails);
        assert!(breaker.is_closed(), "{health:?}");
        end(&breaker, 1, Health::Fails);
        assert!(!breaker.is_closed(), "{health:?}");
    }
}

#[test]
fn a_no_of_7digitals_speaks_for_its_health() {
    use crate::error::Interruption;
    let refused = |code| Error::Refused {
        code,
        message: String::new(),
    };
    let unavailable = |status| Error::Unavailable { status, wait: None };
    for (error, health) in [
        (Error::NotSent("refused"), Health::Fails),
        (Error::Interrupted(Interruption::Broke), Health::Fails),
        (Error::Interrupted(Interruption::Silent), Health::Fails),
        (Error::Interrupted(Interruption::TooLong), Health::Fails),
        (unavailable(500), Health::Fails),
        (unavailable(503), Health::Fails),
        (Error::Unreadable("HTML".into()), Health::Works),
        (refused(7001), Health::Fails),
        (refused(9001), Health::Fails),
        (refused(1001), Health::Works),
        (refused(2001), Health::Works),
        (refused(3001), Health::Works),
        (
            Error::Unauthorised {
                message: String::new(),
                clock_ahead: None,
            },
            Health::Works,
        ),
        (Error::Throttled { wait: None }, Health::Works),
    ] {
        let ended: Result<(), Error> = Err(error);
        assert_eq!(Health::of(&ended), health, "{ended:?}");
    }
    assert_eq!(Health::of(&Ok(())), Health::Works);
}
