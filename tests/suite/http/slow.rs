//! Clients that take their time: each is given up when its own time is over, and nobody else notices.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use super::wire::{Draft, Wire, unharmed};
use crate::support::upstream::Upstream;
use crate::support::{Setting, World, until, within};

/// A way to waste time on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Waste {
    /// Says nothing.
    Silence,
    /// Sends a header byte by byte, with that pause after each.
    DrippingHeader(Duration),
    /// Stops in the midst of the header.
    HalfAHeader,
    /// Sends empty lines before the header, for ever.
    EmptyLines(Duration),
    /// Sends a body byte by byte, with that pause after each.
    DrippingBody(Duration),
    /// Stops a byte before the end of the body.
    HalfABody,
    /// Stops behind a chunk.
    HalfTheChunks,
    /// Is answered once and then says nothing.
    Idleness,
    /// Is answered once and then stops in the midst of the next header.
    HalfASecondHeader,
    /// Asks for much and takes none of it.
    Deafness,
}

impl Waste {
    /// The limit that ends it.
    pub(crate) fn limit(self) -> &'static str {
        match self {
            Self::Silence
            | Self::DrippingHeader(_)
            | Self::HalfAHeader
            | Self::EmptyLines(_)
            | Self::HalfASecondHeader => "header_ms",
            Self::DrippingBody(_) | Self::HalfABody | Self::HalfTheChunks => "body_ms",
            Self::Idleness => "idle_ms",
            Self::Deafness => "stalled_ms",
        }
    }
}

/// What is asked for by who takes nothing: more than the systems' buffers hold.
pub(crate) fn much(rest: &str) -> Draft {
    let bundle = Draft::new(rest, "GET", "/docs/swagger-ui-bundle.js").with("Content-Length", "0");
    let again = bundle.bytes().repeat(49);
    bundle.holding(again)
}

/// Wastes time on a connection of its own with a request that is good by itself; how long it took the server to close it, from the moment on from which the limit counts.
pub(crate) async fn waste(how: Waste, good: &Draft) -> Duration {
    let mut begun = Instant::now();
    let mut wire = Wire::open(&good.address).await;
    let bytes = good.bytes();
    let header = bytes.len() - good.body.len();
    match how {
        Waste::Silence => {}
        Waste::HalfAHeader => wire.send(&bytes[..header / 2]).await.unwrap(),
        Waste::DrippingHeader(pause) => drip(&mut wire, &bytes[..header - 2], pause).await,
        Waste::EmptyLines(pause) => drip(&mut wire, &b"\r\n".repeat(10_000), pause).await,
        Waste::HalfABody | Waste::HalfTheChunks | Waste::DrippingBody(_) => {
            let draft = match how {
                Waste::HalfTheChunks => good.clone().with("Transfer-Encoding", "chunked"),
                _ => good.clone(),
            };
            let bytes = draft.bytes();
            let header = bytes.len() - draft.body.len();
            begun = Instant::now();
            wire.send(&bytes[..header]).await.unwrap();
            match how {
                Waste::HalfABody => {
                    // Of many that are large not all are read: then the end comes in the midst of it.
                    let _ = wire.send(&draft.body[..draft.body.len() - 1]).await;
                }
                Waste::HalfTheChunks => wire.send(b"1\r\n{\r\n").await.unwrap(),
                Waste::DrippingBody(pause) => drip(&mut wire, &draft.body, pause).await,
                _ => {}
            }
        }
        Waste::Idleness | Waste::HalfASecondHeader => {
            begun = Instant::now();
            wire.send(&bytes).await.unwrap();
            assert_eq!(wire.answer().await.unwrap().status, 200);
            if how == Waste::HalfASecondHeader {
                wire.send(&bytes[..header / 2]).await.unwrap();
            }
        }
        Waste::Deafness => {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(4_096).unwrap();
            let address = good.address.parse().unwrap();
            let socket = socket.connect(address).await.unwrap();
            wire = Wire::of(socket);
            begun = Instant::now();
            wire.send(&bytes).await.unwrap();
            // Who does not read is not told that the end has come; but what is sent after it is refused.
            let mut pause = interval(Duration::from_millis(50));
            while wire.send(b"\r\n").await.is_ok() {
                pause.tick().await;
            }
            return begun.elapsed();
        }
    }
    let mut rest = Vec::new();
    let _ = wire.socket.read_to_end(&mut rest).await;
    let took = begun.elapsed();
    if !rest.is_empty() {
        let text = String::from_utf8_lossy(&rest);
        assert!(text.starts_with("HTTP/1.1 408 "), "{how:?}: {text}");
        assert!(text.contains("connection: close"), "{how:?}: {text}");
    }
    took
}

/// Sends byte by byte, until all is sent or the connection has ended.
async fn drip(wire: &mut Wire, bytes: &[u8], pause: Duration) {
    let (mut pause, mut said) = (interval(pause), [0]);
    for byte in bytes {
        tokio::select! {
            biased;
            // Nothing is said before the end, and be it an answer.
            _ = wire.socket.peek(&mut said) => return,
            _ = pause.tick() => {}
        }
        if wire.send([*byte]).await.is_err() {
            return;
        }
    }
}

const BRISK: Duration = Duration::from_millis(20);
const LIMITS: [(&str, u64); 4] = [
    ("header_ms", 700),
    ("body_ms", 900),
    ("idle_ms", 2_100),
    ("stalled_ms", 800),
];

fn limit(name: &str) -> Duration {
    let limit = LIMITS.iter().find(|(other, _)| *other == name);
    Duration::from_millis(limit.unwrap().1)
}

/// A world of short limits, and of further settings.
async fn brisk(further: &[Setting<'_>]) -> World {
    let limits = LIMITS.map(|(name, limit)| {
        let name = format!("SEVENDIGITAL_MCP_LIMIT_{}", name.to_uppercase());
        (name, limit.to_string())
    });
    let limits = limits.iter().map(|(name, limit)| (&**name, &**limit));
    World::with(&limits.chain(further.iter().copied()).collect::<Vec<_>>()).await
}

/// The request on which time is wasted in that way.
fn wasted(world: &World, how: Waste) -> Draft {
    match how {
        Waste::Deafness => much(&world.rest),
        _ => Draft::call(&world.url, "list-user-payment-cards", &json!({})),
    }
}

fn files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

const ALL: [Waste; 10] = [
    Waste::Silence,
    Waste::DrippingHeader(BRISK),
    Waste::HalfAHeader,
    Waste::EmptyLines(BRISK),
    Waste::DrippingBody(BRISK),
    Waste::HalfABody,
    Waste::HalfTheChunks,
    Waste::Idleness,
    Waste::HalfASecondHeader,
    Waste::Deafness,
];

#[tokio::test]
async fn who_wastes_time_is_given_up_when_its_own_time_is_over() {
    let world = brisk(&[]).await;
    let before = files();
    let mut all = JoinSet::new();
    for how in ALL {
        let good = wasted(&world, how);
        all.spawn(async move { (how, waste(how, &good).await) });
    }
    for (how, took) in within("all ends", all.join_all()).await {
        let limit = limit(how.limit());
        println!("{how:?}: closed after {took:?}, of {limit:?}");
        assert!(
            took + Duration::from_millis(50) >= limit,
            "{how:?}: {took:?}"
        );
        // One second, and what a busy machine adds.
        assert!(took < limit + Duration::from_secs(5), "{how:?}: {took:?}");
    }
    until("their descriptors to be closed", || files() <= before + 5).await;
    // The two that were answered first.
    unharmed(&world, 2).await;
}

#[tokio::test]
async fn three_hundred_at_once_take_nothing_from_a_client_that_calls() {
    // It closes each connection, so that none is kept for later.
    let upstream = Upstream::start().await;
    let world = brisk(&[("SEVENDIGITAL_BASE_URI", &upstream.base_uri())]).await;
    let good = Draft::call(&world.url, "get-user-locker", &json!({}));
    assert_eq!(good.send().await.status, 200);
    let before = files();
    let mut all = JoinSet::new();
    for number in 0..300 {
        let how = ALL[number % ALL.len()];
        let request = wasted(&world, how);
        all.spawn(async move { (how, waste(how, &request).await) });
    }
    let mut turn = interval(Duration::from_millis(50));
    let mut times = Vec::new();
    let mut wire = Wire::open(&good.address).await;
    while !all.is_empty() {
        turn.tick().await;
        let begun = Instant::now();
        wire.send(good.bytes()).await.unwrap();
        let answer = within("an answer", wire.answer()).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        times.push(begun.elapsed());
        while let Some(ended) = all.try_join_next() {
            let (how, took) = ended.unwrap();
            let limit = limit(how.limit());
            assert!(took < limit + Duration::from_secs(10), "{how:?}: {took:?}");
        }
    }
    times.sort_unstable();
    let (count, half) = (times.len(), times[times.len() / 2]);
    println!(
        "{count} calls meanwhile, none failed: p50 {half:?}, slowest {:?}",
        times[count - 1]
    );
    assert!(count >= 20, "{count}");
    drop(wire);
    until("their descriptors to be closed", || files() <= before + 5).await;
}

#[tokio::test]
async fn a_connection_that_is_kept_outlives_the_time_for_a_header_and_each_pause_is_its_own() {
    let world = brisk(&[]).await;
    let good = Draft::call(&world.url, "get-user-locker", &json!({}));
    let mut wire = Wire::open(&good.address).await;
    let mut all = Duration::ZERO;
    for pause in [1_000, 1_500, 1_000].map(Duration::from_millis) {
        wire.send(good.bytes()).await.unwrap();
        assert_eq!(wire.answer().await.unwrap().status, 200);
        assert!(pause > limit("header_ms") && pause < limit("idle_ms"));
        sleep(pause).await;
        all += pause;
    }
    assert!(all > limit("idle_ms"));
    wire.send(good.bytes()).await.unwrap();
    assert_eq!(wire.answer().await.unwrap().status, 200);
    assert!(wire.answers().await.is_empty());
}

#[tokio::test]
async fn a_pause_ends_in_time_whatever_came_before_it() {
    let world = brisk(&[]).await;
    let read = Draft::call(&world.url, "get-user-locker", &json!({}));
    let rest = Draft::new(&world.rest, "GET", "/v1/user/locker");
    let health = Draft::new(&world.url, "GET", "/healthz");
    let nothing = Draft::new(&world.url, "PUT", "/mcp");
    let head = Draft::new(&world.url, "OPTIONS", "/mcp");
    let delay = limit("header_ms") + Duration::from_millis(300);
    let mut all = JoinSet::new();
    for (what, draft) in [
        ("a call", &read),
        ("a call over REST", &rest),
        ("a look at its health", &health),
        ("a refusal", &nothing),
        ("another", &head),
    ] {
        let (bytes, address) = (draft.bytes(), draft.address.clone());
        all.spawn(async move {
            let mut wire = Wire::open(&address).await;
            let begun = Instant::now();
            wire.send(bytes).await.unwrap();
            wire.answer().await.unwrap();
            (what, begun, wire)
        });
    }
    // A body that comes late, and an answer that comes late: the time for the header is over by then.
    let late = read.clone();
    all.spawn(async move {
        let mut wire = Wire::open(&late.address).await;
        let bytes = late.bytes();
        let (header, body) = bytes.split_at(bytes.len() - late.body.len());
        wire.send(header).await.unwrap();
        sleep(Duration::from_millis(800)).await;
        let begun = Instant::now();
        wire.send(body).await.unwrap();
        assert_eq!(wire.answer().await.unwrap().status, 200);
        ("a body that came late", begun, wire)
    });
    let fault = sevendigital_sandbox::Fault::Delay(delay);
    world.sandbox.script("listUserPaymentCards", fault, 1);
    let slow = Draft::call(&world.url, "list-user-payment-cards", &json!({}));
    all.spawn(async move {
        let mut wire = Wire::open(&slow.address).await;
        wire.send(slow.bytes()).await.unwrap();
        assert_eq!(wire.answer().await.unwrap().status, 200);
        ("an answer that came late", Instant::now(), wire)
    });
    let mut ends = JoinSet::new();
    while let Some(ready) = all.join_next().await {
        let (what, begun, mut wire) = ready.unwrap();
        ends.spawn(async move {
            assert!(wire.answers().await.is_empty(), "{what}");
            (what, begun.elapsed())
        });
    }
    let idle = limit("idle_ms");
    for (what, took) in within("all ends", ends.join_all()).await {
        println!("after {what}: closed after {took:?}, of {idle:?}");
        assert!(took + Duration::from_millis(50) >= idle, "{what}: {took:?}");
        assert!(took < idle + Duration::from_secs(5), "{what}: {took:?}");
    }
}

#[tokio::test]
async fn a_body_that_nobody_reads_is_not_waited_for() {
    let world = brisk(&[]).await;
    let patience = Duration::from_secs(5);
    for (url, method, target, status) in [
        (&world.url, "GET", "/healthz", 200),
        (&world.url, "PUT", "/mcp", 405),
        (&world.url, "POST", "/nowhere", 404),
        (&world.url, "POST", "/mcp", 415),
        (&world.rest, "GET", "/v1/user/locker", 200),
        (&world.rest, "PUT", "/v1/user/locker", 405),
        (&world.rest, "GET", "/openapi.json", 200),
    ] {
        let announced = Draft::new(url, method, target).and("Content-Length", "100000");
        for draft in [announced.clone(), announced.and("Expect", "100-continue")] {
            let mut wire = Wire::open(&draft.address).await;
            wire.send(draft.bytes()).await.unwrap();
            let begun = Instant::now();
            let answers = within("the end", wire.answers()).await;
            let told: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
            assert_eq!(told, [status], "{method} {target}");
            assert!(begun.elapsed() < patience, "{method} {target}");
        }
    }
    unharmed(&world, 2).await;
}
