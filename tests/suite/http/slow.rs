//! Clients that take their time: each is given up when its own time is over, and no other client is affected.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use super::requests::unharmed;
use crate::support::draft::{Draft, Wire};
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
    /// Sends empty lines before the header, without end.
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
    /// Takes a byte of its answer now and then.
    Trickling,
}

impl Waste {
    /// The limit that ends it.
    pub(crate) fn limit(self) -> &'static str {
        match self {
            Self::Silence
            | Self::DrippingHeader(_)
            | Self::HalfAHeader
            | Self::EmptyLines(_)
            | Self::HalfASecondHeader => "header_timeout",
            Self::DrippingBody(_) | Self::HalfABody | Self::HalfTheChunks => "body_timeout",
            Self::Idleness => "keep_alive_timeout",
            Self::Deafness | Self::Trickling => "write_timeout",
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
    let bytes = good.bytes();
    let header = bytes.len() - good.body.len();
    if matches!(how, Waste::Deafness | Waste::Trickling) {
        return waste_deafly(good, how == Waste::Trickling).await;
    }
    let mut begun = Instant::now();
    let mut wire = Wire::open(&good.address).await;
    match how {
        Waste::Silence | Waste::Deafness | Waste::Trickling => {}
        Waste::HalfAHeader => wire.send(&bytes[..header / 2]).await.unwrap(),
        Waste::DrippingHeader(pause) => drip(&mut wire, &bytes[..header - 2], pause).await,
        Waste::EmptyLines(pause) => drip(&mut wire, &b"\r\n".repeat(10_000), pause).await,
        Waste::HalfABody | Waste::DrippingBody(_) => {
            begun = Instant::now();
            wire.send(&bytes[..header]).await.unwrap();
            if let Waste::DrippingBody(pause) = how {
                drip(&mut wire, &good.body, pause).await;
            } else {
                // Of many that are large not all are read: then the end comes in the midst of it.
                let _ = wire.send(&good.body[..good.body.len() - 1]).await;
            }
        }
        Waste::HalfTheChunks => {
            let chunked = good.clone().with("Transfer-Encoding", "chunked");
            begun = Instant::now();
            wire.send(chunked.holding("1\r\n{\r\n").bytes())
                .await
                .unwrap();
        }
        Waste::Idleness | Waste::HalfASecondHeader => {
            // On a loaded machine the first request may be too late itself.
            loop {
                begun = Instant::now();
                if wire.send(&bytes).await.is_ok()
                    && wire
                        .answer()
                        .await
                        .is_some_and(|answer| answer.status == 200)
                {
                    break;
                }
                wire = Wire::open(&good.address).await;
            }
            if how == Waste::HalfASecondHeader {
                wire.send(&bytes[..header / 2]).await.unwrap();
            }
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

/// Asks and takes nothing, or next to nothing, with as little room for the answer as the system grants.
async fn waste_deafly(good: &Draft, trickles: bool) -> Duration {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let socket = socket.connect(good.address.parse().unwrap()).await.unwrap();
    let mut wire = Wire::of(socket);
    let begun = Instant::now();
    wire.send(good.bytes()).await.unwrap();
    // Who does not read does not see the end; but what is sent after it is refused.
    let mut pause = interval(Duration::from_millis(50));
    while wire.send(b"\r\n").await.is_ok() {
        pause.tick().await;
        if trickles && wire.socket.read(&mut [0]).await.is_err() {
            break;
        }
    }
    begun.elapsed()
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

/// What clocks may differ by.
const SLACK: Duration = Duration::from_millis(50);
const BRISK: Duration = Duration::from_millis(20);
const LIMITS: [(&str, u64); 4] = [
    ("header_timeout", 700),
    ("body_timeout", 900),
    ("keep_alive_timeout", 2_100),
    ("write_timeout", 800),
];

fn limit(name: &str) -> Duration {
    let limit = LIMITS.iter().find(|(other, _)| *other == name);
    Duration::from_millis(limit.unwrap().1)
}

/// A world of short limits, and of further settings.
async fn brisk(further: &[Setting<'_>]) -> World {
    let limits = LIMITS.map(|(name, limit)| {
        let name = format!("SEVENDIGITAL_MCP_LIMIT_{}", name.to_uppercase());
        (name, format!("{limit}ms"))
    });
    let limits = limits.iter().map(|(name, limit)| (&**name, &**limit));
    World::with(&limits.chain(further.iter().copied()).collect::<Vec<_>>()).await
}

/// The request on which time is wasted in that way.
fn wasted(world: &World, how: Waste) -> Draft {
    match how {
        Waste::Deafness | Waste::Trickling => much(&world.rest),
        _ => Draft::call(&world.url, "list-user-payment-cards", &json!({})),
    }
}

fn files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

const ALL: [Waste; 11] = [
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
    Waste::Trickling,
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
        assert!(took + SLACK >= limit, "{how:?}: {took:?}");
    }
    until("their descriptors to be closed", || files() <= before + 5).await;
    // The two that were answered first.
    unharmed(&world, 2).await;
}

#[tokio::test]
async fn three_hundred_at_once_take_nothing_from_a_client_that_calls() {
    // It closes each connection, so that none is kept for later.
    let upstream = Upstream::start().await;
    // As long as three hundred clients and a server in one process may need on a loaded machine.
    let settings = [
        ("SEVENDIGITAL_BASE_URI", &*upstream.base_uri()),
        ("SEVENDIGITAL_MCP_LIMIT_HEADER_TIMEOUT", "4s"),
        ("SEVENDIGITAL_MCP_LIMIT_BODY_TIMEOUT", "2500ms"),
        ("SEVENDIGITAL_MCP_LIMIT_KEEP_ALIVE_TIMEOUT", "8s"),
        ("SEVENDIGITAL_MCP_LIMIT_WRITE_TIMEOUT", "4s"),
    ];
    let world = brisk(&settings).await;
    let good = Draft::call(&world.url, "get-user-locker", &json!({}));
    assert_eq!(good.send().await.status, 200);
    let before = files();
    let mut all = JoinSet::new();
    for number in 0..300 {
        let how = ALL[number % ALL.len()];
        let request = wasted(&world, how);
        all.spawn(async move { waste(how, &request).await });
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
            ended.unwrap();
        }
    }
    times.sort_unstable();
    let (count, half) = (times.len(), times[times.len() / 2]);
    println!(
        "{count} calls meanwhile, none failed: p50 {half:?}, slowest {:?}",
        times[count - 1]
    );
    drop(wire);
    until("their descriptors to be closed", || files() <= before + 5).await;
}

#[tokio::test]
async fn a_kept_connection_outlives_the_header_timeout_in_each_pause() {
    // Longer than a header may take, together longer than a pause may last, and each two seconds shorter.
    let world = brisk(&[("SEVENDIGITAL_MCP_LIMIT_KEEP_ALIVE_TIMEOUT", "4000ms")]).await;
    let good = Draft::call(&world.url, "get-user-locker", &json!({}));
    let mut wire = Wire::open(&good.address).await;
    for pause in [1_000, 2_000, 1_500].map(Duration::from_millis) {
        wire.send(good.bytes()).await.unwrap();
        assert_eq!(wire.answer().await.unwrap().status, 200);
        assert!(pause > limit("header_timeout"));
        sleep(pause).await;
    }
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
    let idle = limit("keep_alive_timeout");
    let delay = limit("header_timeout") + Duration::from_millis(300);
    let fault = sevendigital_sandbox::Fault::Delay(delay);
    world.sandbox.script("listUserPaymentCards", fault, 1);
    let slow = Draft::call(&world.url, "list-user-payment-cards", &json!({}));
    let mut all = JoinSet::new();
    for (what, draft, least) in [
        ("a call", &read, idle),
        ("a call over REST", &rest, idle),
        ("a look at its health", &health, idle),
        ("a refusal", &nothing, idle),
        ("another", &head, idle),
        // The time for the header is over by then.
        ("an answer that came late", &slow, idle + delay),
    ] {
        let draft = draft.clone();
        all.spawn(async move {
            let begun = Instant::now();
            let mut wire = draft.start().await;
            wire.answer().await.unwrap();
            assert!(wire.answers().await.is_empty(), "{what}");
            (what, begun.elapsed(), least)
        });
    }
    all.spawn(async move {
        let mut wire = Wire::open(&read.address).await;
        let bytes = read.bytes();
        let (header, body) = bytes.split_at(bytes.len() - read.body.len());
        wire.send(header).await.unwrap();
        sleep(Duration::from_millis(800)).await;
        let begun = Instant::now();
        wire.send(body).await.unwrap();
        assert_eq!(wire.answer().await.unwrap().status, 200);
        assert!(wire.answers().await.is_empty());
        ("a body that came late", begun.elapsed(), idle)
    });
    for (what, took, least) in within("all ends", all.join_all()).await {
        println!("after {what}: closed after {took:?}, of {least:?}");
        assert!(took + SLACK >= least, "{what}: {took:?}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_read_is_not_waited_for() {
    // Longer than any test: who waited for the body would never end.
    let without_end = ("SEVENDIGITAL_MCP_LIMIT_BODY_TIMEOUT", "600000ms");
    let world = World::with(&[without_end]).await;
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
            let mut wire = draft.start().await;
            let answers = within("the end", wire.answers()).await;
            let told: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
            assert_eq!(told, [status], "{method} {target}");
        }
    }
    unharmed(&world, 2).await;
}
