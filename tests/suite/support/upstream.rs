//! An upstream in raw TCP that answers, stalls, cuts, resets and lies as its script says, and counts what arrives.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use crate::support::until;

/// What is done with a request, once it has been read whole.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Says these bytes and closes.
    Say(Vec<u8>),
    /// Says these bytes and nothing more; the connection stays open.
    Hang(Vec<u8>),
    /// Says these bytes and resets the connection.
    Reset(Vec<u8>),
    /// Says these bytes and closes its own side alone.
    HalfClose(Vec<u8>),
    /// Says these bytes, then one blank in each interval, without end.
    Drip(Vec<u8>, Duration),
    /// Says these bytes, then blanks as fast as they are taken, without end.
    Flood(Vec<u8>),
    /// Sells: answers with a purchase id of its own.
    Sell,
    /// Says the first half of a sale, waits that long, and says the rest.
    SellSlowly(Duration),
    /// Does it once the gate is open.
    Held(Box<Act>),
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// The path behind the API's root.
    pub(crate) path: String,
    /// Path and parameters without those of OAuth, in order: what was asked for, not who signed when.
    pub(crate) asked: String,
    /// Head and body as they came.
    pub(crate) raw: String,
}

/// A running upstream on a free port; it ends when dropped.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    inner: Arc<Inner>,
    task: AbortHandle,
}

#[derive(Default)]
struct Inner {
    scripts: std::sync::Mutex<BTreeMap<String, VecDeque<Act>>>,
    heard: std::sync::Mutex<Vec<Heard>>,
    connections: AtomicUsize,
    flooded: AtomicUsize,
    sold: AtomicUsize,
    answered: AtomicUsize,
    /// Resets connections before anything is read from them.
    deaf: AtomicBool,
    gate: CancellationToken,
}

/// The path of all paths that have no script of their own.
pub(crate) const ANY: &str = "";

impl Upstream {
    pub(crate) async fn start() -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    pub(crate) async fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner::default());
        let task = tokio::spawn(serve(listener, Arc::clone(&inner))).abort_handle();
        Self {
            address,
            inner,
            task,
        }
    }

    /// The root of the API.
    pub(crate) fn base_uri(&self) -> String {
        format!("http://{}/1.2", self.address)
    }

    /// What becomes of requests to that path: one act each, the last for all that come after.
    pub(crate) fn script(&self, path: &str, acts: impl IntoIterator<Item = Act>) {
        let mut scripts = self.inner.scripts.lock().unwrap();
        scripts.insert(path.to_owned(), acts.into_iter().collect());
    }

    /// From now on every connection is reset before anything is read from it.
    pub(crate) fn go_deaf(&self) {
        self.inner.deaf.store(true, Ordering::SeqCst);
    }

    /// Lets go what is held.
    pub(crate) fn open_gate(&self) {
        self.inner.gate.cancel();
    }

    /// What arrived at that path.
    pub(crate) fn heard(&self, path: &str) -> Vec<Heard> {
        let heard = self.inner.heard.lock().unwrap();
        let heard = heard.iter().filter(|heard| heard.path == path);
        heard.cloned().collect()
    }

    /// How often that path was asked.
    pub(crate) fn arrivals(&self, path: &str) -> usize {
        self.heard(path).len()
    }

    /// How often each thing was asked for.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for heard in self.inner.heard.lock().unwrap().iter() {
            *counts.entry(heard.asked.clone()).or_default() += 1;
        }
        counts
    }

    /// Connections that were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::SeqCst)
    }

    /// Answers that were handed to the socket whole.
    pub(crate) fn answered(&self) -> usize {
        self.inner.answered.load(Ordering::SeqCst)
    }

    /// Bytes of floods that were taken.
    pub(crate) fn flooded(&self) -> usize {
        self.inner.flooded.load(Ordering::SeqCst)
    }

    /// From here on, counts begin anew, and no path has a script.
    pub(crate) fn forget(&self) {
        self.inner.heard.lock().unwrap().clear();
        self.inner.scripts.lock().unwrap().clear();
        self.inner.flooded.store(0, Ordering::SeqCst);
    }

    /// Waits until that path was asked that often.
    pub(crate) async fn wait_for(&self, path: &str, times: usize) {
        until(&format!("{times} at {path}"), || {
            self.arrivals(path) >= times
        })
        .await;
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Heard {
    /// A parameter of OAuth, from query or header.
    pub(crate) fn oauth(&self, name: &str) -> String {
        let start = self.raw.find(&format!("{name}=")).unwrap() + name.len() + 1;
        let rest = self.raw[start..].trim_start_matches('"');
        let end = rest.find(['&', '"', ',', ' ', '\r']).unwrap();
        rest[..end].to_owned()
    }
}

/// An answer: status, further headers, and a body of the length that is told.
pub(crate) fn http(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut answer = head(
        status,
        &format!("Content-Length: {}\r\n{headers}", body.len()),
    );
    answer.extend(body);
    answer
}

/// The head of an answer, whatever comes after it.
pub(crate) fn head(status: u16, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Scripted\r\nConnection: close\r\n{headers}\r\n").into_bytes()
}

/// A 200 with this JSON.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    http(
        200,
        "Content-Type: application/json; charset=utf-8\r\n",
        body,
    )
}

/// 7digital's error envelope with that code.
pub(crate) fn refusal(status: u16, code: u32) -> Vec<u8> {
    let error = json!({"code": code, "errorMessage": "scripted"});
    let body = json!({"status": "error", "version": "1.2", "error": error}).to_string();
    http(status, "Content-Type: application/json\r\n", body)
}

fn sale(number: usize) -> Vec<u8> {
    let purchase =
        json!({"id": format!("{}", 9_000_000 + number), "purchaseDate": "2026-03-01T12:00:00Z"});
    ok(&json!({"status": "ok", "version": "1.2", "purchase": purchase}).to_string())
}

async fn serve(listener: TcpListener, inner: Arc<Inner>) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        inner.connections.fetch_add(1, Ordering::SeqCst);
        if inner.deaf.load(Ordering::SeqCst) {
            socket.set_zero_linger().unwrap();
            continue;
        }
        tokio::spawn(converse(socket, Arc::clone(&inner)));
    }
}

async fn converse(mut socket: TcpStream, inner: Arc<Inner>) {
    let Some(heard) = read(&mut socket).await else {
        return;
    };
    let act = {
        let mut scripts = inner.scripts.lock().unwrap();
        let path = if scripts.contains_key(&heard.path) {
            heard.path.as_str()
        } else {
            ANY
        };
        match scripts.get_mut(path) {
            Some(acts) if acts.len() > 1 => acts.pop_front(),
            Some(acts) => acts.front().cloned(),
            None => None,
        }
    };
    inner.heard.lock().unwrap().push(heard);
    let empty = ok(r#"{"status": "ok", "version": "1.2"}"#);
    let mut act = act.unwrap_or(Act::Say(empty));
    if let Act::Held(held) = act {
        inner.gate.cancelled().await;
        act = *held;
    }
    // Whether the other side still listens is its affair.
    let _ = perform(&mut socket, act, &inner).await;
}

async fn perform(socket: &mut TcpStream, act: Act, inner: &Inner) -> std::io::Result<()> {
    let number = || inner.sold.fetch_add(1, Ordering::SeqCst);
    match act {
        Act::Say(bytes) => socket.write_all(&bytes).await?,
        Act::Sell => socket.write_all(&sale(number())).await?,
        Act::SellSlowly(pause) => {
            let bytes = sale(number());
            let (first, rest) = bytes.split_at(bytes.len() / 2);
            socket.write_all(first).await?;
            tokio::time::sleep(pause).await;
            socket.write_all(rest).await?;
        }
        Act::Reset(bytes) => {
            socket.write_all(&bytes).await?;
            // What was written is read before the reset throws it away.
            tokio::time::sleep(Duration::from_millis(10)).await;
            socket.set_zero_linger()?;
        }
        Act::HalfClose(bytes) => {
            socket.write_all(&bytes).await?;
            socket.shutdown().await?;
            let mut rest = Vec::new();
            socket.read_to_end(&mut rest).await?;
        }
        Act::Hang(bytes) => {
            socket.write_all(&bytes).await?;
            let mut rest = Vec::new();
            socket.read_to_end(&mut rest).await?;
        }
        Act::Drip(bytes, interval) => {
            socket.write_all(&bytes).await?;
            loop {
                tokio::time::sleep(interval).await;
                socket.write_all(b" ").await?;
            }
        }
        Act::Flood(bytes) => {
            socket.write_all(&bytes).await?;
            let blanks = [b' '; 8 << 10];
            loop {
                let taken = socket.write(&blanks).await?;
                inner.flooded.fetch_add(taken, Ordering::SeqCst);
            }
        }
        Act::Held(_) => unreachable!("a gate behind a gate"),
    }
    inner.answered.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

/// Reads a request whole; nothing if it breaks off.
async fn read(socket: &mut TcpStream) -> Option<Heard> {
    let mut raw = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&raw);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, length)| length.parse().unwrap());
            if body.len() >= length {
                return Some(heard(&text));
            }
        }
        let mut more = [0; 4096];
        match socket.read(&mut more).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => raw.extend(&more[..read]),
        }
    }
}

fn heard(raw: &str) -> Heard {
    let target = raw.split(' ').nth(1).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = path.strip_prefix("/1.2").unwrap_or(path).to_owned();
    let body = raw.split_once("\r\n\r\n").unwrap().1;
    let mut own: Vec<&str> = query
        .split('&')
        .chain(body.split('&'))
        .filter(|parameter| !parameter.is_empty() && !parameter.starts_with("oauth_"))
        .collect();
    own.sort_unstable();
    Heard {
        asked: format!("{path}?{}", own.join("&")),
        path,
        raw: raw.to_owned(),
    }
}
