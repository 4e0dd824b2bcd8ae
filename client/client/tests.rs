//! Which calls are made and how often, what is sent with them, and what is counted.

use std::sync::atomic::{AtomicU16, Ordering};

use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;

use super::*;
use crate::endpoint::{Auth, Effect};
use crate::upstream::{LOCKER, PATIENCE, Upstream, http, ok, pass, patient};

const REGISTRATION: Endpoint = Endpoint::get("/user/card/{id}", Auth::User, Effect::Reads);
const SIGNUP: Endpoint = Endpoint::post("/user/signup", Auth::Consumer, Effect::Writes);
const PURCHASE: Endpoint = Endpoint::get("/user/purchase/item", Auth::User, Effect::Charges);
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// How long the circuit stays open in these tests.
const OPEN: Duration = PATIENCE;

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

/// Limits under which three failures open the circuit.
fn touchy() -> Limits {
    Limits {
        breaker_min_calls: 3,
        breaker_window: 10 * PATIENCE,
        breaker_open_time: OPEN,
        ..patient()
    }
}

/// Reads until the circuit is open, each of which is sent.
async fn open(client: &Client) {
    for _ in 0..3 {
        assert_eq!(call(client, &LOCKER).await, unavailable(500));
    }
}

fn unavailable(status: u16) -> Result<(), Error> {
    Err(Error::Unavailable {
        status,
        retry_after: None,
    })
}

fn is_stopped(ended: &Result<(), Error>) -> bool {
    matches!(ended, Err(Error::CircuitOpen { retry_after }) if *retry_after <= OPEN)
}

#[tokio::test]
async fn an_open_circuit_stops_reads_until_a_probe_succeeds() {
    let (upstream, status) = with_status(500).await;
    let client = upstream.client(touchy());
    open(&client).await;
    for _ in 0..100 {
        assert!(is_stopped(&call(&client, &REGISTRATION).await));
    }
    let another = client.with_credentials(client.credentials().clone());
    assert!(is_stopped(&call(&another, &LOCKER).await), "one for all");
    assert_eq!(upstream.heads().len(), 3);

    pass(OPEN).await;
    assert_eq!(call(&client, &LOCKER).await, unavailable(500), "the probe");
    assert!(is_stopped(&call(&client, &LOCKER).await));
    assert_eq!(upstream.heads().len(), 4);

    status.store(200, Ordering::SeqCst);
    pass(OPEN).await;
    for _ in 0..10 {
        assert_eq!(call(&client, &LOCKER).await, Ok(()));
    }
    assert_eq!(upstream.heads().len(), 14);
}

#[tokio::test]
async fn changes_and_charges_neither_ask_the_circuit_nor_count_in_it() {
    let (upstream, status) = with_status(500).await;
    let client = upstream.client(touchy());
    for endpoint in [&SIGNUP, &PURCHASE] {
        for _ in 0..10 {
            assert!(call(&client, endpoint).await.is_err());
        }
    }
    assert_eq!(upstream.heads().len(), 20);
    open(&client).await;
    assert!(is_stopped(&call(&client, &LOCKER).await));

    status.store(200, Ordering::SeqCst);
    for wait in [Duration::ZERO, OPEN] {
        pass(wait).await;
        for endpoint in [&SIGNUP, &PURCHASE] {
            assert_eq!(call(&client, endpoint).await, Ok(()));
        }
        assert!(!client.circuit_breaker.is_closed(), "no read was a probe");
    }
    assert_eq!(call(&client, &LOCKER).await, Ok(()));
    assert!(client.circuit_breaker.is_closed());
}

#[tokio::test]
async fn a_probe_that_was_not_answered_leaves_the_next_read_to_be_one() {
    let (upstream, status) = with_status(500).await;
    let client = upstream.client(touchy());
    open(&client).await;
    status.store(200, Ordering::SeqCst);
    pass(OPEN).await;
    tokio::select! {
        biased;
        ended = call(&client, &LOCKER) => panic!("before it was sent: {ended:?}"),
        () = std::future::ready(()) => {}
    }
    let input = json!({"id": "../x"});
    let wrong = client.send::<Value>(&REGISTRATION, &input).await;
    assert!(matches!(wrong, Err(Error::Input { .. })), "nothing to send");
    assert_eq!(call(&client, &LOCKER).await, Ok(()));
}

#[tokio::test]
async fn a_read_has_as_many_attempts_as_limits_and_circuit_allow() {
    for (breaker_min_calls, max_attempts, arrive) in [
        (100, 0, 1),
        (100, 1, 1),
        (100, 2, 2),
        (100, 4, 4),
        (1, 3, 1),
        (2, 3, 2),
        (3, 3, 3),
    ] {
        let (upstream, _) = with_status(503).await;
        let limits = Limits {
            max_attempts,
            breaker_min_calls,
            ..touchy()
        };
        let ended = call(&upstream.client(limits), &LOCKER).await;
        assert_eq!(ended, unavailable(503), "what 7digital said");
        let heads = upstream.heads().len();
        assert_eq!(heads, arrive, "{breaker_min_calls}, {max_attempts}");
    }
}

#[tokio::test]
async fn a_read_that_opened_the_circuit_does_not_wait_in_vain() {
    let upstream = Upstream::repeating(http(503, "Retry-After: 20\r\n", "")).await;
    let client = upstream.client(Limits {
        breaker_min_calls: 1,
        ..touchy()
    });
    let started = Instant::now();
    let ended = call(&client, &LOCKER).await;
    assert!(matches!(ended, Err(Error::Unavailable { .. })));
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_read_that_waits_while_the_circuit_opens_returns_its_own_failure() {
    let asked = Duration::from_secs(20);
    let upstream = Upstream::answering(|head: &str| {
        let asked_to_wait = head.contains("/card/");
        let (status, headers) = if asked_to_wait {
            (503, "Retry-After: 20\r\n")
        } else {
            (500, "")
        };
        http(status, headers, "")
    })
    .await;
    let client = upstream.client(touchy());
    let others = async {
        upstream.requests(1).await;
        for _ in 0..2 {
            assert_eq!(call(&client, &LOCKER).await, unavailable(500));
        }
        pass(asked).await;
    };
    let (ended, ()) = tokio::join!(call(&client, &REGISTRATION), others);
    let failed = Err(Error::Unavailable {
        status: 503,
        retry_after: Some(asked),
    });
    assert_eq!(ended, failed);
    assert_eq!(upstream.heads().len(), 3);
}

#[test]
fn an_open_circuit_says_how_many_whole_seconds_to_wait() {
    for (milliseconds, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (4_999, 5)] {
        let expected = Error::CircuitOpen {
            retry_after: Duration::from_secs(seconds),
        };
        assert_eq!(circuit_open(Duration::from_millis(milliseconds)), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_end_when_their_limits_say() {
    let upstream = Upstream::start(|mut connection| async move {
        connection.read_request().await?;
        connection.wait().await
    })
    .await;
    let limits = Limits {
        connect_timeout: PATIENCE,
        ..Limits::default()
    };
    let client = upstream.client(limits);
    for (endpoint, limit) in [
        (LOCKER, limits.read_deadline),
        (SIGNUP, limits.change_deadline),
        (PURCHASE, limits.change_deadline),
    ] {
        let started = Instant::now();
        let ended = call(&client, &endpoint).await;
        assert_eq!(
            ended,
            Err(Error::Interrupted(Interruption::DeadlineExceeded))
        );
        let took = started.elapsed();
        assert!(
            (limit..limit + Duration::from_millis(10)).contains(&took),
            "{took:?}"
        );
    }
}

#[tokio::test]
async fn reads_share_a_connection_and_nothing_else_does() {
    let (upstream, _) = with_status(200).await;
    let client = upstream.client(patient());
    for (endpoint, connections) in [(LOCKER, 1), (SIGNUP, 6), (PURCHASE, 11), (LOCKER, 11)] {
        for _ in 0..5 {
            assert_eq!(call(&client, &endpoint).await, Ok(()));
        }
        assert_eq!(upstream.connections(), connections, "{}", endpoint.path);
    }
}

#[tokio::test]
async fn a_trace_is_sent_with_each_request_if_there_is_one_and_is_not_signed() {
    let (upstream, _) = with_status(200).await;
    let plain = upstream.client(patient());
    let traced = plain.with_traceparent(HeaderValue::from_static(TRACE));
    for client in [&plain, &traced, &plain] {
        for endpoint in [&LOCKER, &SIGNUP, &PURCHASE] {
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
async fn metrics_count_exchanges_retries_and_the_circuit_by_operation() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let counted = |line: &str| {
        let shown = metrics.render();
        assert!(shown.lines().any(|shown| shown == line), "{line}:\n{shown}");
    };
    let responses = |labels: &str, count: usize| {
        counted(&format!(
            "sevendigital_upstream_responses_total{{{labels}}} {count}"
        ));
    };

    let (upstream, status) = with_status(200).await;
    let client = upstream.client(touchy());
    for endpoint in [&REGISTRATION, &REGISTRATION, &PURCHASE] {
        assert_eq!(call(&client, endpoint).await, Ok(()));
    }
    responses(r#"operation="/user/card/{id}",status="200""#, 2);
    responses(r#"operation="/user/purchase/item",status="200""#, 1);
    counted("sevendigital_breaker_open 0");

    status.store(503, Ordering::SeqCst);
    assert!(call(&client, &LOCKER).await.is_err());
    assert!(is_stopped(&call(&client, &LOCKER).await));
    responses(r#"operation="/user/locker",status="503""#, 2);
    counted(r#"sevendigital_upstream_retries_total{operation="/user/locker"} 1"#);
    counted(r#"sevendigital_upstream_seconds_count{operation="/user/locker"} 2"#);
    counted("sevendigital_breaker_open 1");

    status.store(200, Ordering::SeqCst);
    pass(OPEN).await;
    assert_eq!(call(&client, &LOCKER).await, Ok(()));
    counted("sevendigital_breaker_open 0");

    let broken = Upstream::start(|mut connection| async move {
        connection.read_request().await?;
        connection
            .write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
            .await
    })
    .await;
    let client = broken.client(patient());
    assert!(call(&client, &PURCHASE).await.is_err());
    let interrupted = r#"operation="/user/purchase/item",status="none",why="interrupted""#;
    responses(interrupted, 1);
    drop(broken);
    tokio::task::yield_now().await;
    assert!(call(&client, &SIGNUP).await.is_err());
    let not_sent = r#"operation="/user/signup",status="none",why="not_sent""#;
    responses(not_sent, 1);
    let shown = metrics.render();
    for secret in ["1234", "oauth", "token", "127.0.0.1", "secret"] {
        assert!(!shown.contains(secret), "{secret}:\n{shown}");
    }
}
