//! Which calls are made and how often, what travels with them, and what is counted.

use std::sync::atomic::{AtomicU16, Ordering};

use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;

use super::*;
use crate::endpoint::{Auth, Effect};
use crate::upstream::{LOCKER, Upstream, brief, http, ok};

const REGISTRATION: Endpoint = Endpoint::get("/user/card/{id}", Auth::User, Effect::Reads);
const SIGNUP: Endpoint = Endpoint::post("/user/signup", Auth::Consumer, Effect::Writes);
const PURCHASE: Endpoint = Endpoint::get("/user/purchase/item", Auth::User, Effect::Charges);
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn call(client: &Client, endpoint: &Endpoint) -> Result<(), Error> {
    let input = if endpoint.path.contains("{id}") {
        json!({"id": "1234"})
    } else {
        json!({})
    };
    let answer = client.send::<Value>(endpoint, &input).await?;
    assert_eq!(answer.document["status"], "ok");
    Ok(())
}

/// An upstream that answers with this status, which can be changed.
async fn with_status(status: u16) -> (Upstream, Arc<AtomicU16>) {
    let status = Arc::new(AtomicU16::new(status));
    let now = Arc::clone(&status);
    let upstream = Upstream::answering(move |_| match now.load(Ordering::SeqCst) {
        200 => ok("me"),
        status => http(status, "", ""),
    })
    .await;
    (upstream, status)
}

/// How long the breaker is open in most tests.
const OPEN: Duration = Duration::from_millis(500);

/// Limits under which three failures open the breaker.
fn touchy() -> Limits {
    Limits {
        breaker_calls: 3,
        breaker_open: OPEN,
        ..brief()
    }
}

fn is_held_back(ended: &Result<(), Error>) -> bool {
    matches!(ended, Err(Error::HeldBack { .. }))
}

#[tokio::test]
async fn reads_are_held_back_while_7digital_fails_and_pass_when_it_works_again() {
    let (upstream, status) = with_status(500).await;
    let client = upstream.client(touchy());
    let failed = Err(Error::Unavailable {
        status: 500,
        wait: None,
    });
    for _ in 0..3 {
        assert_eq!(call(&client, &LOCKER).await, failed);
    }
    let wait = Duration::from_secs(1);
    let held_back = Err(Error::HeldBack { wait });
    let started = Instant::now();
    for _ in 0..100 {
        assert_eq!(call(&client, &REGISTRATION).await, held_back);
    }
    println!("held back in {:?}", started.elapsed() / 100);
    assert!(started.elapsed() < Duration::from_millis(100));
    let another = client.with_credentials(client.credentials().clone());
    assert_eq!(call(&another, &LOCKER).await, held_back, "one for all");
    assert_eq!(upstream.heads().len(), 3);

    tokio::time::sleep(OPEN).await;
    assert_eq!(call(&client, &LOCKER).await, failed, "the probe");
    assert_eq!(call(&client, &LOCKER).await, held_back);
    assert_eq!(upstream.heads().len(), 4);

    status.store(200, Ordering::SeqCst);
    tokio::time::sleep(OPEN).await;
    for _ in 0..10 {
        assert_eq!(call(&client, &LOCKER).await, Ok(()));
    }
    assert_eq!(upstream.heads().len(), 14);
}

#[tokio::test]
async fn changes_and_charges_pass_while_reads_are_held_back_and_never_try_for_them() {
    let (upstream, status) = with_status(500).await;
    let client = upstream.client(touchy());
    for endpoint in [&SIGNUP, &PURCHASE] {
        for _ in 0..10 {
            assert!(call(&client, endpoint).await.is_err());
        }
    }
    assert_eq!(upstream.heads().len(), 20);
    for _ in 0..3 {
        let ended = call(&client, &LOCKER).await;
        assert!(!is_held_back(&ended), "what changes or charges fed nothing");
    }
    assert!(is_held_back(&call(&client, &LOCKER).await));

    status.store(200, Ordering::SeqCst);
    for endpoint in [&SIGNUP, &PURCHASE] {
        assert_eq!(call(&client, endpoint).await, Ok(()));
    }
    assert!(is_held_back(&call(&client, &LOCKER).await), "still");
    tokio::time::sleep(OPEN).await;
    for endpoint in [&SIGNUP, &PURCHASE] {
        assert_eq!(call(&client, endpoint).await, Ok(()));
    }
    assert!(!client.breaker.is_closed(), "nobody has tried");
    assert_eq!(call(&client, &LOCKER).await, Ok(()));
    assert!(client.breaker.is_closed());
}

#[tokio::test]
async fn a_probe_that_came_to_nothing_leaves_its_place_to_the_next_read() {
    let (upstream, status) = with_status(500).await;
    let client = upstream.client(touchy());
    for _ in 0..3 {
        assert!(call(&client, &LOCKER).await.is_err());
    }
    status.store(200, Ordering::SeqCst);
    tokio::time::sleep(OPEN).await;
    let left = tokio::time::timeout(Duration::ZERO, call(&client, &LOCKER)).await;
    assert!(left.is_err(), "its caller left");
    let input = json!({"id": "../x"});
    let wrong = client.send::<Value>(&REGISTRATION, &input).await;
    assert!(matches!(wrong, Err(Error::Input { .. })), "nothing to send");
    assert_eq!(call(&client, &LOCKER).await, Ok(()));
}

#[tokio::test]
async fn a_read_is_not_repeated_once_reads_are_held_back_and_tells_what_it_met() {
    for (breaker_calls, attempts) in [(1, 1), (2, 2), (3, 3), (4, 3)] {
        let (upstream, _) = with_status(503).await;
        let limits = Limits {
            breaker_calls,
            read: Duration::from_secs(5),
            ..touchy()
        };
        let failed = Err(Error::Unavailable {
            status: 503,
            wait: None,
        });
        assert_eq!(call(&upstream.client(limits), &LOCKER).await, failed);
        assert_eq!(upstream.heads().len(), attempts, "{breaker_calls}");
    }
}

#[tokio::test]
async fn a_read_that_made_the_breaker_open_does_not_pause_for_nothing() {
    let upstream = Upstream::answering(|_| http(503, "Retry-After: 4\r\n", "")).await;
    let client = upstream.client(Limits {
        breaker_calls: 1,
        ..Limits::default()
    });
    let started = Instant::now();
    let ended = call(&client, &LOCKER).await;
    assert!(matches!(ended, Err(Error::Unavailable { .. })));
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_read_that_pauses_while_reads_come_to_be_held_back_tells_what_it_met() {
    let throttled = http(503, "Retry-After: 1\r\n", "");
    let broken = http(500, "", "");
    let answer = move |head: &str| {
        let asked_to_wait = head.contains("/card/");
        if asked_to_wait { &throttled } else { &broken }.clone()
    };
    let upstream = Upstream::answering(answer).await;
    let client = upstream.client(Limits {
        read: Duration::from_secs(5),
        breaker_open: Duration::from_secs(5),
        ..touchy()
    });
    let others = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for _ in 0..2 {
            assert!(call(&client, &LOCKER).await.is_err());
        }
    };
    let (ended, ()) = tokio::join!(call(&client, &REGISTRATION), others);
    let failed = Err(Error::Unavailable {
        status: 503,
        wait: Some(Duration::from_secs(1)),
    });
    assert_eq!(ended, failed);
    assert_eq!(upstream.heads().len(), 3);
}

#[tokio::test]
async fn a_read_has_as_many_attempts_as_its_limits_say() {
    for (attempts, arrive) in [(0, 1), (1, 1), (2, 2), (4, 4)] {
        let (upstream, _) = with_status(502).await;
        let limits = Limits {
            attempts,
            read: Duration::from_secs(10),
            ..Limits::default()
        };
        assert!(call(&upstream.client(limits), &LOCKER).await.is_err());
        assert_eq!(upstream.heads().len(), arrive, "{attempts}");
    }
}

#[tokio::test]
async fn calls_end_when_their_limits_say() {
    let upstream = Upstream::start(|mut connection| async move {
        connection.hear().await?;
        connection.wait().await
    })
    .await;
    let limits = Limits {
        read: Duration::from_millis(100),
        change: Duration::from_millis(300),
        ..Limits::default()
    };
    let client = upstream.client(limits);
    for (endpoint, limit) in [(LOCKER, 100), (SIGNUP, 300), (PURCHASE, 300)] {
        let started = Instant::now();
        let ended = call(&client, &endpoint).await;
        assert_eq!(ended, Err(Error::Interrupted(Interruption::TooLong)));
        let took = started.elapsed().as_millis();
        assert!((limit..limit + 500).contains(&took), "{took}");
    }
}

#[tokio::test]
async fn reads_share_a_connection_and_nothing_else_does() {
    let (upstream, _) = with_status(200).await;
    let client = upstream.client(brief());
    for (endpoint, connections) in [(LOCKER, 1), (SIGNUP, 6), (PURCHASE, 11), (LOCKER, 11)] {
        for _ in 0..5 {
            assert_eq!(call(&client, &endpoint).await, Ok(()));
        }
        assert_eq!(upstream.connections(), connections, "{}", endpoint.path);
    }
}

#[tokio::test]
async fn a_trace_travels_with_each_request_if_there_is_one_and_is_not_signed() {
    let (upstream, _) = with_status(200).await;
    let plain = upstream.client(brief());
    let traced = plain.with_traceparent(HeaderValue::from_static(TRACE));
    let endpoints = [LOCKER, SIGNUP, PURCHASE];
    for client in [&plain, &traced, &plain] {
        for endpoint in &endpoints {
            assert_eq!(call(client, endpoint).await, Ok(()));
        }
        assert!(client.request_token().await.is_err(), "sent, and no token");
    }
    let other = traced.with_credentials(Credentials::clone(plain.credentials()));
    assert_eq!(call(&other, &LOCKER).await, Ok(()), "it stays");

    let heads = upstream.heads();
    assert_eq!(heads.len(), 13);
    for (number, head) in heads.iter().enumerate() {
        let traced = (4..8).contains(&number) || number == 12;
        let line = format!("\r\ntraceparent: {TRACE}\r\n");
        assert_eq!(head.contains(&line), traced, "{number}: {head}");
        assert_eq!(head.matches("trace").count(), usize::from(traced), "{head}");
    }
}

#[tokio::test]
async fn exchanges_repeats_and_the_breaker_are_counted_under_names_of_ours() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let figures = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let counted = |line: &str| {
        let shown = figures.render();
        assert!(shown.lines().any(|shown| shown == line), "{line}:\n{shown}");
    };
    let responses = |labels: &str, count: usize| {
        counted(&format!(
            "sevendigital_upstream_responses_total{{{labels}}} {count}"
        ));
    };

    let (upstream, status) = with_status(200).await;
    let client = upstream.client(Limits {
        read: Duration::from_secs(5),
        ..touchy()
    });
    for endpoint in [&REGISTRATION, &REGISTRATION, &PURCHASE] {
        assert_eq!(call(&client, endpoint).await, Ok(()));
    }
    responses(r#"operation="/user/card/{id}",status="200""#, 2);
    responses(r#"operation="/user/purchase/item",status="200""#, 1);
    counted("sevendigital_breaker_open 0");

    status.store(503, Ordering::SeqCst);
    assert!(call(&client, &LOCKER).await.is_err());
    assert!(is_held_back(&call(&client, &LOCKER).await));
    responses(r#"operation="/user/locker",status="503""#, 2);
    counted(r#"sevendigital_upstream_retries_total{operation="/user/locker"} 1"#);
    counted(r#"sevendigital_upstream_seconds_count{operation="/user/locker"} 2"#);
    counted("sevendigital_breaker_open 1");

    status.store(200, Ordering::SeqCst);
    tokio::time::sleep(OPEN).await;
    assert_eq!(call(&client, &LOCKER).await, Ok(()));
    counted("sevendigital_breaker_open 0");

    let broken = Upstream::start(|mut connection| async move {
        connection.hear().await?;
        connection
            .say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
            .await
    })
    .await;
    assert!(call(&broken.client(brief()), &PURCHASE).await.is_err());
    responses(
        r#"operation="/user/purchase/item",status="none",why="interrupted""#,
        1,
    );
    let nowhere = broken.client(brief());
    drop(broken);
    tokio::task::yield_now().await;
    assert!(call(&nowhere, &SIGNUP).await.is_err());
    responses(
        r#"operation="/user/signup",status="none",why="not_sent""#,
        1,
    );
    let shown = figures.render();
    for secret in ["1234", "oauth", "token", "127.0.0.1", "secret"] {
        assert!(!shown.contains(secret), "{secret}:\n{shown}");
    }
}
