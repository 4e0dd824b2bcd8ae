//! Ten minutes of everything at once, with faults: nothing is left over, and every purchase is written down.
//!
//! `SOAK_SECONDS` shortens it for a first look.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bench::{Process, mib};
use super::peers::{Plan, Upstream, kept, locker};
use crate::support::{Client, LEGACY, Reply, Surface, states, within};

/// How long resident memory has to settle before it is looked at for the first time, of ten parts.
const SETTLED: u32 = 2;

/// 7digital, as far as the soak needs it: sells, and fails a read or a change once in twenty. Charges are not failed: the sums must be equal to the last one.
async fn shop(sold: Arc<AtomicUsize>) -> Upstream {
    let asked = AtomicUsize::new(0);
    Upstream::start(move |path, _| {
        let turn = asked.fetch_add(1, Ordering::SeqCst) % 60;
        if path == "/user/purchase/item" {
            let id = 9_000_000 + sold.fetch_add(1, Ordering::SeqCst);
            let purchase = json!({"id": id.to_string(), "purchaseDate": "2026-03-01T12:00:00Z"});
            let sale = json!({"status": "ok", "version": "1.2", "purchase": purchase});
            return Plan::Say(kept(200, &sale.to_string()));
        }
        match turn {
            0 => Plan::Cut,
            20 => Plan::Say(kept(503, "busy")),
            40 => Plan::SayAndCut(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{".to_vec()),
            _ => Plan::Say(locker(0)),
        }
    })
    .await
}

/// What the clients did and how long it took, in milliseconds, by minute.
#[derive(Default)]
struct Seen {
    counts: Mutex<BTreeMap<&'static str, usize>>,
    times: Mutex<Vec<(u64, f64)>>,
}

impl Seen {
    fn count(&self, what: &'static str) {
        *self.counts.lock().unwrap().entry(what).or_default() += 1;
    }

    /// The time within which 99 of 100 reads of a minute were answered.
    fn slowest(&self, minute: u64) -> f64 {
        let times = self.times.lock().unwrap();
        let mut times: Vec<f64> = times
            .iter()
            .filter(|(at, _)| *at == minute)
            .map(|(_, time)| *time)
            .collect();
        times.sort_by(f64::total_cmp);
        times
            .get(times.len().saturating_sub(1) * 99 / 100)
            .copied()
            .unwrap_or_default()
    }
}

async fn read(client: &Client, seen: &Seen, started: Instant) {
    let asked = Instant::now();
    let reply = client
        .reply("get-user-locker", json!({"arguments": {}}))
        .await;
    let done = reply.is_ok_and(|reply| reply.message()["result"]["isError"] == false);
    seen.count(if done { "reads" } else { "reads that failed" });
    let minute = started.elapsed().as_secs() / 60;
    let took = asked.elapsed().as_secs_f64() * 1_000.0;
    seen.times.lock().unwrap().push((minute, took));
}

/// Opens a session, calls in it, and ends it or goes away.
async fn visit(client: &Client, seen: &Seen, number: usize) {
    let reply = client.initialize(LEGACY[0]).await;
    if reply.status != 200 {
        return seen.count("sessions refused");
    }
    let session = client.opened(&reply, LEGACY[0]).await;
    session
        .on(Surface::Session, "get-user-locker", &json!({}))
        .await;
    seen.count("sessions");
    // One in ten is left until the server closes it.
    if !number.is_multiple_of(10) {
        session.bare("DELETE").await;
    }
}

/// Bytes that are no good request, or one whose answer is not awaited.
async fn disturb(client: &Client, seen: &Seen, number: usize) {
    let good = client.request(Surface::Modern, "get-user-locker", &json!({}));
    let (bytes, length) = (good.bytes(), good.body.len());
    let bytes = match number % 5 {
        // A client that leaves before the answer.
        0 | 1 => bytes,
        2 => bytes[..bytes.len() - length / 2].to_vec(),
        3 => good.clone().holding("[".repeat(length)).bytes(),
        _ => b"GARBAGE\r\n\r\n".to_vec(),
    };
    let Ok(mut socket) = TcpStream::connect(&good.address).await else {
        return;
    };
    let _ = socket.write_all(&bytes).await;
    if number.is_multiple_of(2) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    seen.count("disturbances");
}

#[derive(Debug, Clone, Copy)]
enum Work {
    Read,
    Change,
    Buy,
    Visit,
    Disturb,
}

impl Work {
    async fn once(self, client: &Client, seen: &Seen, number: usize, started: Instant) {
        match self {
            Self::Read => read(client, seen, started).await,
            Self::Change => {
                let card = json!({"body": {"cardId": "8154430"}});
                let card = json!({"arguments": card});
                let _ = client.reply("select-user-payment-card", card).await;
                seen.count("changes");
            }
            Self::Buy => {
                let _ = buy(client, 1_000 + number).await;
                seen.count("purchases");
            }
            Self::Visit => visit(client, seen, number).await,
            Self::Disturb => disturb(client, seen, number).await,
        }
    }
}

async fn buy(client: &Client, release: usize) -> reqwest::Result<Reply> {
    let release = json!({"releaseId": format!("{release}")});
    let params = json!({"arguments": release});
    client.reply("purchase-user-item", params).await
}

/// Each sort of work in its own rhythm, until it is over.
fn everything(client: &Client, seen: &Arc<Seen>, over: &CancellationToken) -> TaskTracker {
    let (working, started) = (TaskTracker::new(), Instant::now());
    let every = |pause: u64, work: Work| {
        let (over, seen, client) = (over.clone(), Arc::clone(seen), client.clone());
        working.spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(pause));
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            for number in 0.. {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = over.cancelled() => break,
                }
                work.once(&client, &seen, number, started).await;
            }
        });
    };
    for _ in 0..8 {
        every(20, Work::Read);
    }
    every(200, Work::Change);
    every(1_000, Work::Buy);
    every(500, Work::Visit);
    every(50, Work::Disturb);
    working.close();
    working
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_minutes_of_everything_leave_nothing_behind() {
    let seconds = std::env::var("SOAK_SECONDS").map_or(600, |text| text.parse().unwrap());
    let whole = Duration::from_secs(seconds);
    let sold = Arc::new(AtomicUsize::new(0));
    let shop = shop(Arc::clone(&sold)).await;
    // Sessions that their clients forget end while it goes on.
    let settings = [
        ("RUST_LOG", "error"),
        ("SEVENDIGITAL_MCP_LIMIT_SESSION_IDLE_TIMEOUT", "30000ms"),
    ];
    let server = Process::start(&shop.base_uri(), &settings).await;
    let (client, seen) = (server.client(), Arc::new(Seen::default()));
    // The first calls open what stays open: the ledger, connections, threads.
    for number in 0..20 {
        read(&client, &Seen::default(), Instant::now()).await;
        let _ = buy(&client, 100 + number).await;
    }
    let (before, at_start) = (server.descriptors(), server.resident());
    let over = CancellationToken::new();
    let working = everything(&client, &seen, &over);
    tokio::time::sleep(whole / 10 * SETTLED).await;
    let settled = server.resident();
    tokio::time::sleep(whole - whole / 10 * SETTLED).await;
    let at_end = server.resident();
    over.cancel();
    within("the clients to end", working.wait()).await;
    drop(client);

    println!("{:?} in {seconds} s", seen.counts.lock().unwrap());
    let memory = [at_start, settled, at_end].map(mib);
    println!("memory at the start, after a while, at the end: {memory:?}");
    let last = (seconds / 60).saturating_sub(1);
    let slowest = [0, last].map(|minute| seen.slowest(minute));
    println!("p99 of reads in the first and the last minute: {slowest:.1?} ms");
    println!("{} threads", server.threads());
    assert!(at_end <= settled + settled / 10, "memory grew: {memory:?}");
    // Connections that rest are closed by the shop, all others are gone.
    let took = server.descriptors_fall_to(before + 5).await;
    println!("{before} descriptors again after {took:.1?}");
    server.is_quiet().await;
    let written = states(server.folder.path());
    let sold = sold.load(Ordering::SeqCst);
    assert!(written.iter().all(|state| state == "done"), "{written:?}");
    assert_eq!(written.len(), sold, "the ledger and the shop");
    println!("{sold} sold, {} written down", written.len());
}
