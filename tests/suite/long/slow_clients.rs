//! Slow clients in earnest: a thousand of one sort at once, against the real server with the limits that it has of itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::http::foreign::Ports;
use crate::http::slow::{Waste, much, waste};
use crate::support::draft::{Draft, Wire};
use crate::support::until;

/// As many as there is room for, but for those who call.
const CROWD: usize = 1_000;

/// MiB that the server may take, whatever they do.
const MEMORY: usize = 192;

/// What a process holds: descriptors, and memory in MiB.
fn held(process: u32) -> (usize, usize) {
    let files = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let memory = memory.unwrap().trim().trim_end_matches(" kB");
    (files.count(), memory.parse::<usize>().unwrap() >> 10)
}

/// A read, twenty times a second until it is enough: how long each took. All must succeed.
async fn calls(good: &Draft, enough: &AtomicBool) -> Vec<Duration> {
    let mut wire = Wire::open(&good.address).await;
    let (mut turn, mut times) = (interval(Duration::from_millis(50)), Vec::new());
    while !enough.load(Ordering::SeqCst) {
        turn.tick().await;
        let begun = Instant::now();
        wire.send(good.bytes()).await.unwrap();
        let answer = wire.answer().await.expect("an answer to a good client");
        assert_eq!(answer.status, 200, "{answer:?}");
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    times
}

fn shown(times: &[Duration]) -> String {
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    format!(
        "{} from {:.1?} to {:.1?}, p50 {:.1?}, p99 {:.1?}",
        times.len(),
        at(0),
        at(100),
        at(50),
        at(99)
    )
}

/// The limit that ends it, by default.
fn limit(how: Waste) -> Duration {
    Duration::from_secs(match how.limit() {
        "header_timeout" => 10,
        "body_timeout" => 15,
        "write_timeout" => 30,
        _ => 60,
    })
}

/// A thousand clients waste time in that way while a good one calls.
async fn crowd(ports: &Ports, how: Waste, wasted: &Draft, good: &Draft, quiet: &[Duration]) {
    let limit = limit(how);
    let before = held(ports.server.id());
    let enough = AtomicBool::new(false);
    let ends = async {
        let mut all = JoinSet::new();
        for _ in 0..CROWD {
            let wasted = wasted.clone();
            all.spawn(async move { waste(how, &wasted).await });
        }
        let (mut times, mut most) = (Vec::new(), before);
        let mut turn = interval(Duration::from_millis(200));
        while !all.is_empty() {
            turn.tick().await;
            let now = held(ports.server.id());
            most = (most.0.max(now.0), most.1.max(now.1));
            while let Some(ended) = all.try_join_next() {
                times.push(ended.unwrap());
            }
        }
        enough.store(true, Ordering::SeqCst);
        times.sort_unstable();
        (times, most)
    };
    let ((times, most), served) = tokio::join!(ends, calls(good, &enough));
    println!("{how:?}, limit {limit:?}: {}", shown(&times));
    println!("  the good client meanwhile: {}", shown(&served));
    println!(
        "  descriptors {} at most, memory {} MiB at most, {} before",
        most.0, most.1, before.1
    );
    assert_eq!(times.len(), CROWD);
    assert!(most.1 <= MEMORY, "{} MiB", most.1);
    assert!(most.0 >= CROWD, "they were all there at once: {}", most.0);
    assert!(
        times[0] >= limit - Duration::from_millis(100),
        "{:?}",
        times[0]
    );
    assert!(
        times[CROWD - 1] <= limit + Duration::from_secs(1),
        "{:?}",
        times[CROWD - 1]
    );
    let slowest = |times: &[Duration]| times[(times.len() - 1) * 99 / 100];
    // The clients share this machine's cores with the server.
    let most = Duration::from_millis(250).max(3 * slowest(quiet));
    assert!(
        slowest(&served) <= most,
        "{:?}, {:?} when quiet",
        slowest(&served),
        slowest(quiet)
    );
    until("their descriptors to be closed", || {
        held(ports.server.id()).0 <= before.0 + 5
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_slow_clients_of_each_sort_are_given_up_in_time() {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let files: usize = files
        .unwrap()
        .split_whitespace()
        .nth(3)
        .unwrap()
        .parse()
        .unwrap_or(usize::MAX);
    assert!(
        files >= 2 * CROWD,
        "hint: `ulimit -n 4096`; {files} descriptors are too few"
    );

    let ports = Ports::open().await;
    let [mcp, rest, _] = &ports.urls;
    let good = Draft::call(mcp, "get-user-locker", &json!({}));
    let enough = AtomicBool::new(false);
    let pause = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        enough.store(true, Ordering::SeqCst);
    };
    let ((), quiet) = tokio::join!(pause, calls(&good, &enough));
    println!("quiet: {}", shown(&quiet));
    let mut large = good.clone();
    large.body.resize(256 << 10, b' ');
    let second = Duration::from_secs(1);
    let crumbs = large.clone().in_chunks(1);
    let (health, deaf) = (Draft::new(mcp, "GET", "/healthz"), much(rest));
    for (how, wasted) in [
        (Waste::DrippingHeader(3 * second), &good),
        (Waste::Silence, &good),
        (Waste::DrippingBody(second), &good),
        (Waste::HalfABody, &large),
        (Waste::HalfABody, &crumbs),
        // A thousand calls at once would be more than are taken.
        (Waste::Idleness, &health),
        (Waste::Deafness, &deaf),
        (Waste::Trickling, &deaf),
    ] {
        crowd(&ports, how, wasted, &good, &quiet).await;
    }
}
