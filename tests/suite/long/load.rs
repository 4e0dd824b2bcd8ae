//! The load that the limit sheet promises to bear, against the real server: throughput, permits, queues, sessions.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::bench::{MIB, Process, Times, mib};
use super::peers::{Answer, Plan, Upstream, Wire, hello, in_session, locker, post, read};
use crate::support::{LEGACY, until, within};

// Callers by name, and readers that don't read.
mod clients;
// 7digital comes and goes.
mod outage;
// A server that has run out of descriptors.
mod starved;

const SECOND: Duration = Duration::from_secs(1);
/// A page of the locker as most users have it: 1,8 KB.
const RELEASES: usize = 4;

/// What clients that keep their connections got, each making one call after another for that long.
pub(super) async fn keep_calling(
    server: &Process,
    clients: usize,
    time: Duration,
) -> (Times, usize) {
    let (address, end) = (server.mcp, Instant::now() + time);
    let mut calls = JoinSet::new();
    for _ in 0..clients {
        calls.spawn(async move {
            let request = read(address);
            let mut wire = Wire::connect(address).await.unwrap();
            let (mut times, mut failed) = (Times::default(), 0);
            while Instant::now() < end {
                let started = Instant::now();
                let answer = wire.ask(&request).await.unwrap();
                times.add(started.elapsed());
                if !answer.is_done() {
                    if failed == 0 {
                        println!("failed: {} {}", answer.head, answer.text());
                    }
                    failed += 1;
                }
            }
            (times, failed)
        });
    }
    let (mut times, mut failed) = (Times::default(), 0);
    for (some, of_them) in calls.join_all().await {
        times.merge(some);
        failed += of_them;
    }
    (times, failed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l1_sixty_four_clients_for_thirty_seconds() {
    const TIME: Duration = Duration::from_secs(30);
    let page = locker(RELEASES);
    let upstream = Upstream::start(move |_, _| Plan::Say(page.clone())).await;
    let server = Process::start(&upstream.base_uri(), &[]).await;
    let idle = server.resident();
    keep_calling(&server, 64, SECOND).await;
    let (cpu, started) = (server.cpu(), Instant::now());
    let (mut times, failed) = keep_calling(&server, 64, TIME).await;
    let (took, cpu) = (started.elapsed(), server.cpu() - cpu);
    let thousands = times.count().max(1) as f64 / 1e3;
    println!(
        "L1: {:.0} calls/s, {:.3} s of processor for 1,000 calls; {}",
        times.count() as f64 / took.as_secs_f64(),
        cpu.as_secs_f64() / thousands,
        times.shown()
    );
    println!("L1: {} idle, at most {}", mib(idle), mib(server.peak()));
    assert_eq!(failed, 0, "of {}", times.count());
    assert!(times.count() > 10_000, "{}", times.count());
    assert!(idle <= 40 * MIB, "{}", mib(idle));
    assert!(server.peak() <= 128 * MIB, "{}", mib(server.peak()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l3_every_permit_is_taken_for_a_minute_and_every_call_succeeds() {
    let page = locker(RELEASES);
    let upstream = Upstream::start(move |_, _| Plan::After(2 * SECOND, page.clone())).await;
    let server = Process::start(&upstream.base_uri(), &[]).await;
    let idle = server.resident();
    let (mut times, failed) = keep_calling(&server, 256, 60 * SECOND).await;
    println!("L3: {}", times.shown());
    let grown = server.peak().saturating_sub(idle);
    println!("L3: {} idle, and {} more at most", mib(idle), mib(grown));
    assert_eq!(failed, 0, "of {}", times.count());
    assert!(times.count() >= 256 * 25, "{}", times.count());
    // For each call rmcp and hyper hold 41 KiB of channels and four buffers of 8 KiB; our own part is a quarter.
    assert!(grown <= 48 * MIB, "{}", mib(grown));
    server.is_quiet().await;
}

/// Calls that come all at once, each over a connection of its own, and what became of them.
struct Storm {
    done: Times,
    refused: Times,
    other: Vec<Answer>,
}

/// `many` clients call at once; once all but the admitted have an answer, the upstream lets go.
async fn storm(server: &Process, upstream: &Upstream, many: usize, admitted: usize) -> Storm {
    upstream.open(false);
    let (address, answered) = (server.mcp, Arc::new(AtomicUsize::new(0)));
    let mut calls = JoinSet::new();
    for _ in 0..many {
        let answered = Arc::clone(&answered);
        calls.spawn(async move {
            let request = read(address);
            let started = Instant::now();
            let answer = Wire::ask_once(address, &request).await.unwrap();
            answered.fetch_add(1, Ordering::SeqCst);
            (started.elapsed(), answer)
        });
    }
    until("the refusals", || {
        answered.load(Ordering::SeqCst) >= many - admitted
    })
    .await;
    upstream.open(true);
    let mut storm = Storm {
        done: Times::default(),
        refused: Times::default(),
        other: Vec::new(),
    };
    for (time, answer) in within("the answers", calls.join_all()).await {
        if answer.is_done() {
            storm.done.add(time);
        } else if answer.text().contains("\"code\":503")
            && answer.text().contains("\"retryAfter\":1")
        {
            storm.refused.add(time);
        } else {
            storm.other.push(answer);
        }
    }
    storm
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l4_of_four_thousand_calls_at_once_some_are_made_and_the_rest_refused() {
    const MANY: usize = 4_000;
    let (page, now, most) = (
        locker(RELEASES),
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicUsize::new(0)),
    );
    let (arrived, seen) = (Arc::clone(&now), Arc::clone(&most));
    let upstream = Upstream::start(move |_, _| {
        let arrived = arrived.fetch_add(1, Ordering::SeqCst) + 1;
        seen.fetch_max(arrived, Ordering::SeqCst);
        Plan::Held(page.clone())
    })
    .await;
    let server = Process::start(&upstream.base_uri(), &[]).await;
    upstream.open(true);
    let (mut quiet, failed) = keep_calling(&server, 64, 3 * SECOND).await;
    assert_eq!(failed, 0);
    server.forget_peak();
    // First the upstream lets go when all that waited have given up, then while they wait.
    for admitted in [256, 512] {
        now.store(0, Ordering::SeqCst);
        let storm = storm(&server, &upstream, MANY, admitted).await;
        let Storm {
            mut done,
            mut refused,
            other,
        } = storm;
        println!("L4: made: {}", done.shown());
        println!("L4: refused: {}", refused.shown());
        assert!(other.is_empty(), "{:?}", other.first());
        assert!(
            (256..=admitted).contains(&done.count()),
            "{} of {admitted} were made",
            done.count()
        );
        assert_eq!(done.count() + refused.count(), MANY);
        assert_eq!(now.load(Ordering::SeqCst), done.count(), "at 7digital");
        // The wait in the queue is a second; the rest is a machine with two processors and four thousand clients.
        assert!(refused.within(1_000) < 10 * SECOND);
        server.is_quiet().await;
    }
    println!("L4: {} lines logged", server.logged());
    println!("L4: {} at most", mib(server.peak()));
    assert!(server.peak() <= 128 * MIB, "{}", mib(server.peak()));
    let (mut after, failed) = keep_calling(&server, 64, 3 * SECOND).await;
    println!("L4: three seconds before: {}", quiet.shown());
    println!("L4: three seconds after: {}", after.shown());
    assert_eq!(failed, 0);
    assert!(after.count() * 2 > quiet.count(), "full speed again");
}

/// Opens a session over a connection of its own.
async fn open(server: &Process) -> Answer {
    let request = in_session(server.mcp, "", &hello());
    let answer = Wire::ask_once(server.mcp, &request).await.unwrap();
    if answer.status == 200 {
        let done = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        let request = in_session(server.mcp, &answer.session(), &done);
        let noted = Wire::ask_once(server.mcp, &request).await.unwrap();
        assert_eq!(noted.status, 202);
    }
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l5_a_thousand_sessions_and_a_thousand_idle_streams() {
    const SESSIONS: usize = 1_000;
    let page = locker(RELEASES);
    let upstream = Upstream::start(move |_, _| Plan::Say(page.clone())).await;
    let server = Process::start(&upstream.base_uri(), &[]).await;
    let idle = server.resident();
    let mut ids = Vec::new();
    for _ in 0..SESSIONS {
        ids.push(open(&server).await.session());
    }
    let with_sessions = server.resident() - idle;
    let refused = open(&server).await;
    assert_eq!((refused.status, refused.retry_after()), (503, Some(10)));
    let mut streams = Vec::new();
    for id in &ids {
        let mut wire = Wire::connect(server.mcp).await.unwrap();
        let request = format!(
            "GET /mcp HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nMcp-Session-Id: {id}\r\nMcp-Protocol-Version: {}\r\n\r\n",
            server.mcp, LEGACY[0]
        );
        wire.send(request.as_bytes()).await.unwrap();
        assert_eq!(wire.head().await.unwrap().status, 200);
        streams.push(wire);
    }
    let (cpu, started) = (server.cpu(), Instant::now());
    tokio::time::sleep(10 * SECOND).await;
    let cpu = (server.cpu() - cpu).as_secs_f64() / started.elapsed().as_secs_f64();
    let with_streams = server.resident() - idle;
    println!(
        "L5: {} idle; {} more with {SESSIONS} sessions, {} more with as many streams, which take {:.1} % of a processor",
        mib(idle),
        mib(with_sessions),
        mib(with_streams),
        cpu * 100.0
    );
    assert!(with_streams <= 64 * MIB, "{}", mib(with_streams));
    // Clients that need no session are served beside them.
    let (mut times, failed) = keep_calling(&server, 8, 3 * SECOND).await;
    println!("L5: eight clients beside them: {}", times.shown());
    assert_eq!(failed, 0);
    assert_eq!(open(&server).await.status, 503);
    drop(streams);
    for id in &ids {
        let request = format!(
            "DELETE /mcp HTTP/1.1\r\nHost: {}\r\nMcp-Session-Id: {id}\r\nMcp-Protocol-Version: {}\r\n\r\n",
            server.mcp, LEGACY[0]
        );
        let answer = Wire::ask_once(server.mcp, request.as_bytes()).await;
        assert!(answer.unwrap().status < 300);
    }
    assert!(server.metric("sevendigital_sessions").await.abs() < 0.5);
    assert_eq!(open(&server).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l5_sessions_that_nobody_ends_are_gone_in_time_and_leave_nothing() {
    let upstream = Upstream::start(|_, _| Plan::Cut).await;
    let idle = ("SEVENDIGITAL_MCP_LIMIT_SESSION_IDLE_TIMEOUT", "4s");
    let server = Process::start(&upstream.base_uri(), &[idle]).await;
    let mut peaks = Vec::new();
    for _ in 0..5 {
        server.forget_peak();
        for _ in 0..1_000 {
            // Some say hello, and never that they are ready.
            if open(&server).await.status != 200 {
                break;
            }
        }
        let open = server.metric("sevendigital_sessions").await;
        peaks.push(server.peak());
        println!("L5: {open} sessions, {} at most", mib(server.peak()));
        let gone = async {
            while server.metric("sevendigital_sessions").await > 0.0 {
                tokio::time::sleep(SECOND / 10).await;
            }
        };
        timeout(15 * SECOND, gone).await.expect("sessions that end");
    }
    assert!(peaks[4] * 10 <= peaks[1] * 11, "{peaks:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_large_bodies_at_once_are_bounded_too() {
    // Each stops one byte short of its end, so that all are held at once.
    let upstream = Upstream::start(|_, _| Plan::Cut).await;
    let server = Process::start(&upstream.base_uri(), &[]).await;
    let idle = server.resident();
    let mut request = post(server.mcp, "/mcp", "", &" ".repeat(256 << 10));
    request.pop();
    let mut wires = JoinSet::new();
    for _ in 0..1_000 {
        let (address, request) = (server.mcp, request.clone());
        wires.spawn(async move {
            let mut wire = Wire::connect(address).await.unwrap();
            wire.send(&request).await.unwrap();
            wire
        });
    }
    let wires = within("the bodies", wires.join_all()).await;
    tokio::time::sleep(2 * SECOND).await;
    println!(
        "bodies: {} with {} of 256 KiB unfinished, {} idle",
        mib(server.resident()),
        wires.len(),
        mib(idle)
    );
    drop(wires);
    let took = server.descriptors_fall_to(30).await;
    println!(
        "bodies: {} once they are gone, after {took:.1?}",
        mib(server.resident())
    );
    assert!(server.peak() <= idle + 300 * MIB, "{}", mib(server.peak()));
}
