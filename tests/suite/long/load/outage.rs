//! 7digital comes and goes: what callers see of it, and how much it is asked while it is down.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::{RELEASES, SECOND};
use crate::long::bench::{Process, Times};
use crate::long::peers::{Plan, Upstream, Wire, call, kept, locker, read};

const SALE: &str = r#"{"status": "ok", "version": "1.2", "purchase": {"id": "9000001", "purchaseDate": "2026-03-01T12:00:00Z"}}"#;

/// 7digital, which can be switched off, and what it was asked.
#[derive(Clone)]
struct Shop {
    alive: Arc<AtomicBool>,
    /// When reads arrived, and whether it was on.
    reads: Arc<Mutex<Vec<(Instant, bool)>>>,
    sold: Arc<AtomicUsize>,
}

impl Shop {
    /// One whose sales go well even while all else fails.
    async fn open() -> (Self, Upstream) {
        let shop = Self {
            alive: Arc::new(AtomicBool::new(true)),
            reads: Arc::default(),
            sold: Arc::default(),
        };
        let (seen, page) = (shop.clone(), locker(RELEASES));
        let upstream = Upstream::start(move |path, _| {
            if path.starts_with("/user/purchase/") {
                seen.sold.fetch_add(1, Ordering::SeqCst);
                return Plan::Say(kept(200, SALE));
            }
            let alive = seen.alive.load(Ordering::SeqCst);
            seen.reads.lock().unwrap().push((Instant::now(), alive));
            Plan::Say(if alive {
                page.clone()
            } else {
                kept(503, "down")
            })
        })
        .await;
        (shop, upstream)
    }

    fn set(&self, alive: bool) {
        self.alive.store(alive, Ordering::SeqCst);
    }
}

/// How one read ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Well,
    Badly,
    HeldBack,
}

/// A read: when it began, whether 7digital was on then, how it ended and how long it took.
#[derive(Debug, Clone, Copy)]
struct Read {
    began: Instant,
    alive: bool,
    ended: Ended,
    took: Duration,
}

/// A hundred reads a second until it is over, whatever becomes of each; and a purchase in each second.
async fn clients(server: &Process, shop: &Shop, over: Arc<AtomicBool>) -> (Vec<Read>, usize) {
    let address = server.mcp;
    let (alive, over_too) = (Arc::clone(&shop.alive), Arc::clone(&over));
    let buying = tokio::spawn(async move {
        let mut bought = 0;
        let mut turn = interval(SECOND);
        for release in 1.. {
            turn.tick().await;
            if over_too.load(Ordering::SeqCst) {
                break;
            }
            let release = json!({"releaseId": format!("{release}")});
            let request = call(address, "purchase-user-item", &release, "");
            let answer = Wire::ask_once(address, &request).await.unwrap();
            assert!(answer.is_done(), "{}", answer.text());
            bought += 1;
        }
        bought
    });
    let mut reads = JoinSet::new();
    let mut turn = interval(Duration::from_millis(10));
    turn.set_missed_tick_behavior(MissedTickBehavior::Burst);
    while !over.load(Ordering::SeqCst) {
        turn.tick().await;
        let alive = alive.load(Ordering::SeqCst);
        reads.spawn(async move {
            let mut wire = Wire::connect(address).await.unwrap();
            let (request, began) = (read(address), Instant::now());
            let answer = wire.ask(&request).await.unwrap();
            let took = began.elapsed();
            assert_eq!(answer.status, 200, "{answer:?}");
            let ended = if answer.is_done() {
                Ended::Well
            } else if answer.text().contains("held back") {
                Ended::HeldBack
            } else {
                Ended::Badly
            };
            Read {
                began,
                alive,
                ended,
                took,
            }
        });
    }
    (reads.join_all().await, buying.await.unwrap())
}

/// Times in which reads were held back without a break of a second.
fn open_times(reads: &[Read]) -> Vec<(Instant, Instant)> {
    let mut times: Vec<(Instant, Instant)> = Vec::new();
    let mut held: Vec<Instant> = reads
        .iter()
        .filter(|read| read.ended == Ended::HeldBack)
        .map(|read| read.began)
        .collect();
    held.sort_unstable();
    for at in held {
        match times.last_mut() {
            Some((_, last)) if at - *last < SECOND => *last = at,
            _ => times.push((at, at)),
        }
    }
    times
}

fn count(reads: &[Read], of: impl Fn(&Read) -> bool) -> usize {
    reads.iter().filter(|read| of(read)).count()
}

fn percent(part: usize, of: usize) -> f64 {
    100.0 * part as f64 / of.max(1) as f64
}

fn held_back(reads: &[Read]) -> Times {
    let mut times = Times::default();
    for read in reads.iter().filter(|read| read.ended == Ended::HeldBack) {
        times.add(read.took);
    }
    times
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f10_an_upstream_that_is_down_half_of_the_time() {
    let (shop, upstream) = Shop::open().await;
    let server = Process::start(&upstream.base_uri(), &[]).await;
    let over = Arc::new(AtomicBool::new(false));
    let started = Instant::now();
    let switching = {
        let (shop, over) = (shop.clone(), Arc::clone(&over));
        async move {
            for turn in 0..6 {
                shop.set(turn % 2 == 0);
                tokio::time::sleep(10 * SECOND).await;
            }
            over.store(true, Ordering::SeqCst);
        }
    };
    let ((), (reads, bought)) = tokio::join!(switching, clients(&server, &shop, over));
    let alive = count(&reads, |read| read.alive);
    let passed = count(&reads, |read| read.alive && read.ended != Ended::HeldBack);
    let well = count(&reads, |read| read.alive && read.ended == Ended::Well);
    let dead = reads.len() - alive;
    let arrived = shop.reads.lock().unwrap().clone();
    let arrived_dead = arrived.iter().filter(|(_, alive)| !alive).count();
    println!(
        "F10: of {} reads {alive} came while it was up: {:.1} % of them succeeded, {:.1} % of those that were not held back",
        reads.len(),
        percent(well, alive),
        percent(well, passed)
    );
    println!(
        "F10: {} arrivals for {} reads; {arrived_dead} arrivals for {dead} reads while it was down",
        arrived.len(),
        reads.len()
    );
    let repeats = server.metric("sevendigital_upstream_retries_total").await;
    println!(
        "F10: {repeats} were repeats: {:.1} % more than without",
        100.0 * repeats / (arrived.len() as f64 - repeats)
    );
    let times = open_times(&reads);
    for (from, to) in &times {
        println!(
            "F10: reads were held back from {:.1} s to {:.1} s",
            (*from - started).as_secs_f64(),
            (*to - started).as_secs_f64()
        );
    }
    let mut waits = held_back(&reads);
    println!("F10: reads held back: {}", waits.shown());
    assert!(percent(well, passed) >= 95.0);
    assert!(repeats <= 0.2 * (arrived.len() as f64 - repeats) + 3.0);
    assert_eq!(times.len(), 3, "once in each outage");
    for (from, to) in &times {
        assert!(*to - *from >= Duration::from_millis(4_900));
    }
    assert_eq!(shop.sold.load(Ordering::SeqCst), bought);
    assert!(bought >= 55, "purchases are not held back: {bought}");
    println!("F10: {bought} purchases, one in each second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_an_outage_of_thirty_seconds() {
    let (shop, upstream) = Shop::open().await;
    let server = Process::start(&upstream.base_uri(), &[]).await;
    let over = Arc::new(AtomicBool::new(false));
    let moments = Arc::new(Mutex::new(Vec::new()));
    let switching = {
        let (shop, over, moments) = (shop.clone(), Arc::clone(&over), Arc::clone(&moments));
        async move {
            for (alive, seconds) in [(true, 5), (false, 30), (true, 15)] {
                shop.set(alive);
                moments.lock().unwrap().push(Instant::now());
                tokio::time::sleep(seconds * SECOND).await;
            }
            over.store(true, Ordering::SeqCst);
        }
    };
    let ((), (reads, bought)) = tokio::join!(switching, clients(&server, &shop, over));
    let moments = moments.lock().unwrap().clone();
    let (down, up) = (moments[1], moments[2]);
    let arrived = shop.reads.lock().unwrap().clone();
    let in_outage: Vec<Duration> = arrived
        .iter()
        .filter(|(at, alive)| !alive && *at >= down)
        .map(|(at, _)| *at - down)
        .collect();
    let late = in_outage
        .iter()
        .filter(|after| **after > 2 * SECOND)
        .copied();
    let probes: Vec<Duration> = late.collect();
    println!(
        "F11: {} reads in the outage, {} arrivals: {} at its start, and probes after {probes:.1?}",
        count(&reads, |read| read.began >= down && read.began < up),
        in_outage.len(),
        in_outage.len() - probes.len()
    );
    let mut waits = held_back(&reads);
    println!("F11: reads held back: {}", waits.shown());
    let normal = reads
        .iter()
        .filter(|read| read.began >= up && read.ended != Ended::Well)
        .map(|read| read.began)
        .max();
    let normal = normal.map_or(Duration::ZERO, |last| last - up);
    println!("F11: normal {normal:.1?} after its end");
    assert!(probes.len() <= 6, "one in five seconds");
    assert!(in_outage.len() <= 60, "{}", in_outage.len());
    assert!(normal <= 10 * SECOND, "{normal:?}");
    assert!(waits.within(990) <= SECOND / 2, "{}", waits.shown());
    assert_eq!(shop.sold.load(Ordering::SeqCst), bought);
    assert!(bought >= 45, "{bought}");
    assert!(server.metric("sevendigital_breaker_open").await.abs() < 0.5);
}
