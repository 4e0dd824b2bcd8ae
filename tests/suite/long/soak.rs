//! Ten minutes of everything at once, with faults: nothing is left over, and every purchase is written down.
//!
//! `SOAK_SECONDS` shortens it for a first look.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Child;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::support::{LEGACY, MODERN, http, program, states, until, variables, within};

/// How long resident memory has to settle before it is looked at for the first time, of ten parts.
const SETTLED: u32 = 2;

/// 7digital, as far as the soak needs it: keeps connections, sells, and fails once in twenty answers.
struct Shop {
    base_uri: String,
    sold: Arc<AtomicUsize>,
    closing: CancellationToken,
}

impl Shop {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_uri = format!("http://{}/1.2", listener.local_addr().unwrap());
        let (sold, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, closing) = (Arc::clone(&sold), CancellationToken::new());
        let closed = closing.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let served = serve(socket, Arc::clone(&counted), Arc::clone(&asked));
                tokio::spawn(closed.clone().run_until_cancelled_owned(served));
            }
        });
        Self {
            base_uri,
            sold,
            closing,
        }
    }
}

async fn serve(socket: TcpStream, sold: Arc<AtomicUsize>, asked: Arc<AtomicUsize>) {
    socket.set_nodelay(true).unwrap();
    let mut socket = BufReader::new(socket);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let before = head.len();
            match socket.read_line(&mut head).await {
                Ok(count) if count > 0 => {}
                _ => return,
            }
            let line = head[before..].to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        if socket.read_exact(&mut body).await.is_err() {
            return;
        }
        let buys = head.contains("/user/purchase/item");
        let document = if buys {
            let id = 9_000_000 + sold.fetch_add(1, Ordering::SeqCst);
            json!({"status": "ok", "version": "1.2", "purchase": {"id": id.to_string(), "purchaseDate": "2026-03-01T12:00:00Z"}})
        } else {
            json!({"status": "ok", "version": "1.2", "locker": {"totalItems": 0, "page": 1, "pageSize": 10, "lockerReleases": {"lockerRelease": []}}})
        };
        // Charges are not failed here: the sums must be equal to the last one.
        match asked.fetch_add(1, Ordering::SeqCst) % 60 {
            0 if !buys => return,
            20 if !buys => {
                let fault =
                    "HTTP/1.1 503 Busy\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\nbusy";
                if socket.write_all(fault.as_bytes()).await.is_err() {
                    return;
                }
                continue;
            }
            40 if !buys => {
                let cut = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{";
                let _ = socket.write_all(cut.as_bytes()).await;
                return;
            }
            _ => {}
        }
        let text = document.to_string();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        if socket.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The real server, and where its figures are.
struct Server {
    child: Child,
    mcp: String,
    metrics: String,
}

impl Server {
    async fn start(folder: &Path, shop: &Shop) -> Self {
        let state = folder.to_str().unwrap();
        let settings = [
            ("SEVENDIGITAL_MCP_METRICS_BIND", "127.0.0.1:0"),
            ("RUST_LOG", "error"),
            // Sessions that their clients forget end while it goes on.
            ("SEVENDIGITAL_MCP_LIMIT_SESSION_IDLE_MS", "30000"),
        ];
        let arguments = ["serve", "--bind", "127.0.0.1:0", "--state-dir", state];
        let mut command = program(&arguments, &variables(&shop.base_uri, &settings));
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut addresses = Vec::new();
        while addresses.len() < 2 {
            let line = within("an address", lines.next_line())
                .await
                .unwrap()
                .unwrap();
            addresses.extend(line.strip_prefix("listening on ").map(str::to_owned));
        }
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let find = |end: &str| {
            addresses
                .iter()
                .find(|address| address.ends_with(end))
                .unwrap()
                .clone()
        };
        Self {
            mcp: find("/mcp"),
            metrics: find("/metrics"),
            child,
        }
    }

    fn of_process(&self, name: &str) -> String {
        let path = format!("/proc/{}/{name}", self.child.id().unwrap());
        std::fs::read_to_string(path).unwrap()
    }

    /// Resident memory in KiB.
    fn memory(&self) -> usize {
        let status = self.of_process("status");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.child.id().unwrap()))
            .unwrap()
            .count()
    }

    fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id().unwrap()))
            .unwrap()
            .count()
    }

    /// Figures by name and labels.
    async fn figures(&self) -> BTreeMap<String, f64> {
        let text = http()
            .get(&self.metrics)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| {
                let (name, value) = line.rsplit_once(' ')?;
                Some((name.to_owned(), value.parse().ok()?))
            })
            .collect()
    }
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

fn message(tool: &str, arguments: &Value) -> String {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({"name": tool, "arguments": arguments, "_meta": meta});
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string()
}

fn post(client: &reqwest::Client, url: &str) -> reqwest::RequestBuilder {
    client
        .post(url)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
}

async fn call(client: &reqwest::Client, url: &str, tool: &str, arguments: &Value) -> Option<Value> {
    let request = post(client, url)
        .header("mcp-protocol-version", MODERN)
        .header("mcp-method", "tools/call")
        .header("mcp-name", tool)
        .body(message(tool, arguments));
    let answer = request.send().await.ok()?.text().await.ok()?;
    serde_json::from_str(&answer).ok()
}

async fn read(client: &reqwest::Client, url: &str, seen: &Seen, started: Instant) {
    let asked = Instant::now();
    let answer = call(client, url, "get-user-locker", &json!({})).await;
    let failed = answer.is_none_or(|answer| answer["result"]["isError"] == true);
    seen.count(if failed { "reads that failed" } else { "reads" });
    let minute = started.elapsed().as_secs() / 60;
    seen.times
        .lock()
        .unwrap()
        .push((minute, asked.elapsed().as_secs_f64() * 1_000.0));
}

/// Opens a session, calls in it, and ends it or goes away.
async fn visit(client: &reqwest::Client, url: &str, seen: &Seen, number: usize) {
    let hello = json!({"protocolVersion": LEGACY[0], "capabilities": {}, "clientInfo": {"name": "soak", "version": "1"}});
    let hello =
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}).to_string();
    let Ok(answer) = post(client, url).body(hello).send().await else {
        return;
    };
    let Some(id) = answer.headers().get("mcp-session-id").cloned() else {
        return seen.count("sessions refused");
    };
    let _ = answer.text().await;
    let within = |request: reqwest::RequestBuilder| {
        request
            .header("mcp-session-id", id.clone())
            .header("mcp-protocol-version", LEGACY[0])
    };
    let done = json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string();
    let _ = within(post(client, url)).body(done).send().await;
    let params = json!({"name": "get-user-locker", "arguments": {}});
    let ask =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
    if let Ok(answer) = within(post(client, url)).body(ask).send().await {
        let _ = answer.text().await;
    }
    seen.count("sessions");
    // One in ten is left to the server's own patience.
    if !number.is_multiple_of(10) {
        let _ = within(client.delete(url)).send().await;
    }
}

/// Bytes that are no good request, or one that nobody waits for.
async fn disturb(url: &str, seen: &Seen, number: usize) {
    let address = url
        .trim_start_matches("http://")
        .trim_end_matches("/mcp")
        .to_owned();
    let Ok(mut socket) = TcpStream::connect(&address).await else {
        return;
    };
    let body = message("get-user-locker", &json!({}));
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nMCP-Protocol-Version: {MODERN}\r\nMcp-Method: tools/call\r\nMcp-Name: get-user-locker\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let bytes = match number % 5 {
        // A client that leaves before the answer.
        0 | 1 => format!("{head}{body}"),
        2 => format!("{head}{}", &body[..body.len() / 2]),
        3 => format!("{head}{}", "[".repeat(body.len())),
        _ => "GARBAGE\r\n\r\n".to_owned(),
    };
    let _ = socket.write_all(bytes.as_bytes()).await;
    if number.is_multiple_of(2) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    seen.count("disturbances");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_minutes_of_everything_leave_nothing_behind() {
    let seconds = std::env::var("SOAK_SECONDS").map_or(600, |text| text.parse().unwrap());
    let whole = Duration::from_secs(seconds);
    let (folder, shop) = (TempDir::new().unwrap(), Shop::open().await);
    let server = Server::start(folder.path(), &shop).await;
    let (client, seen) = (http(), Arc::new(Seen::default()));
    // The first calls open what stays open: the ledger, connections, threads.
    for number in 0..20 {
        let _ = call(&client, &server.mcp, "get-user-locker", &json!({})).await;
        let release = json!({"releaseId": format!("{}", 100 + number)});
        let _ = call(&client, &server.mcp, "purchase-user-item", &release).await;
    }
    let (before, at_start) = (server.descriptors(), server.memory());
    let (over, working, started) = (CancellationToken::new(), TaskTracker::new(), Instant::now());
    let every = |pause: u64, work: Work| {
        let (over, seen) = (over.clone(), Arc::clone(&seen));
        let (client, url) = (client.clone(), server.mcp.clone());
        working.spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(pause));
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            for number in 0.. {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = over.cancelled() => break,
                }
                match work {
                    Work::Read => read(&client, &url, &seen, started).await,
                    Work::Change => {
                        let body = json!({"body": {"cardId": "8154430"}});
                        let _ = call(&client, &url, "select-user-payment-card", &body).await;
                        seen.count("changes");
                    }
                    Work::Buy => {
                        let release = json!({"releaseId": format!("{}", 1_000 + number)});
                        let _ = call(&client, &url, "purchase-user-item", &release).await;
                        seen.count("purchases");
                    }
                    Work::Visit => visit(&client, &url, &seen, number).await,
                    Work::Disturb => disturb(&url, &seen, number).await,
                }
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
    tokio::time::sleep(whole / 10 * SETTLED).await;
    let settled = server.memory();
    tokio::time::sleep(whole - whole / 10 * SETTLED).await;
    let at_end = server.memory();
    over.cancel();
    within("the clients to end", working.wait()).await;
    drop(client);

    println!("{:?} in {seconds} s", seen.counts.lock().unwrap());
    println!(
        "memory: {at_start} KiB at the start, {settled} KiB after {} s, {at_end} KiB at the end",
        seconds / 10 * u64::from(SETTLED)
    );
    let last = (seconds / 60).saturating_sub(1);
    println!(
        "p99 of reads: {:.1} ms in the first minute, {:.1} ms in the last",
        seen.slowest(0),
        seen.slowest(last)
    );
    println!("{} threads", server.threads());
    assert!(
        at_end <= settled + settled / 10,
        "memory grew from {settled} to {at_end} KiB"
    );
    // Connections that rest end with the shop's closing, all others are gone.
    shop.closing.cancel();
    until("the descriptors to be back", || {
        server.descriptors() <= before + 5
    })
    .await;
    println!(
        "descriptors: {before} at the start, {} at the end",
        server.descriptors()
    );
    let figures = server.figures().await;
    for (name, value) in figures
        .iter()
        .filter(|(name, _)| name.contains("in_flight"))
    {
        assert!(value.abs() < 0.5, "{name} is {value}");
    }
    let written = states(folder.path());
    let sold = shop.sold.load(Ordering::SeqCst);
    assert!(written.iter().all(|state| state == "done"), "{written:?}");
    assert_eq!(written.len(), sold, "the ledger and the shop");
    println!("{sold} sold, {} written down", written.len());
}

#[derive(Debug, Clone, Copy)]
enum Work {
    Read,
    Change,
    Buy,
    Visit,
    Disturb,
}
