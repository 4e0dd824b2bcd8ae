//! 7digital with a locker that stays as it is, where everything can be bought. It runs in a thread of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use memchr::memmem;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::messages::DIGITS;

/// Stands near the end of the locker, and nowhere else.
pub(crate) const LAST: &str = "The last release of the page";
const PURCHASE_ID: &str = "8@@@@@@@@@@@@";

/// The upstream.
pub(crate) struct Upstream {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Milliseconds that it takes for a read.
    pub(crate) delay: Arc<AtomicU64>,
    /// Bytes of the locker.
    pub(crate) locker: usize,
}

struct Answers {
    locker: Vec<u8>,
    /// What stands before and behind a purchase's id.
    purchase: (Vec<u8>, Vec<u8>),
    delay: Arc<AtomicU64>,
}

impl Upstream {
    /// Answers with a locker of about that many bytes.
    pub(crate) fn start(bytes: usize) -> io::Result<Self> {
        let (locker, delay) = (locker(bytes), Arc::new(AtomicU64::new(0)));
        let size = locker.len();
        let answers = Arc::new(Answers {
            locker: kept(&locker),
            purchase: purchase(),
            delay: Arc::clone(&delay),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build()?;
        std::thread::spawn(move || runtime.block_on(serve(listener, answers)));
        Ok(Self {
            address,
            delay,
            locker: size,
        })
    }

    /// The root of its API.
    pub(crate) fn base_uri(&self) -> String {
        format!("http://{}/1.2", self.address)
    }
}

async fn serve(listener: std::net::TcpListener, answers: Arc<Answers>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (socket, _) = listener.accept().await?;
        let answers = Arc::clone(&answers);
        // Whether the other side stays to the end is its affair.
        tokio::spawn(async move { drop(converse(socket, &answers).await) });
    }
}

async fn converse(mut socket: TcpStream, answers: &Answers) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let (mut unread, mut bought) = (Vec::new(), Vec::new());
    loop {
        let Some(end) = memmem::find(&unread, b"\r\n\r\n") else {
            if socket.read_buf(&mut unread).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let serial = memmem::find(&unread, b"releaseId=1").map(|place| place + 11);
        let serial = serial.filter(|_| unread.starts_with(b"GET /1.2/user/purchase/item?"));
        if let Some(digits) = serial.and_then(|place| unread.get(place..place + DIGITS)) {
            bought.clear();
            bought.extend_from_slice(&answers.purchase.0);
            bought.extend_from_slice(digits);
            bought.extend_from_slice(&answers.purchase.1);
            socket.write_all(&bought).await?;
        } else {
            let delay = answers.delay.load(Ordering::Relaxed);
            if delay > 0 {
                tokio::time::sleep(Duration::from_millis(delay)).await;
            }
            socket.write_all(&answers.locker).await?;
        }
        unread.drain(..end + 4);
    }
}

fn kept(body: &str) -> Vec<u8> {
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8";
    format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

fn release(number: usize, title: &str) -> Value {
    json!({
        "release": {"id": 11_700_000 + number, "title": title, "type": "Album", "artist": {"id": 4617, "name": "Marlow Quay"}},
        "lockerTracks": {"lockerTrack": [{
            "track": {"id": 22_700_000 + number, "title": "The only track of it", "version": "", "duration": 215},
            "remainingDownloads": 4,
            "purchaseDate": "2026-03-01T12:00:00Z",
            "downloadUrls": {"downloadUrl": []},
        }]},
    })
}

/// A page of the locker.
fn locker(bytes: usize) -> String {
    let text = |count: usize| {
        let mut all: Vec<Value> = (1..count)
            .map(|number| release(number, "A release with a title of the usual length"))
            .collect();
        all.push(release(count, LAST));
        let page = json!({"page": 1, "pageSize": 50, "totalItems": count, "lockerRelease": all});
        let locker = json!({"lockerReleases": page});
        json!({"status": "ok", "version": "1.2", "locker": locker}).to_string()
    };
    let (one, ten) = (text(1).len(), text(10).len());
    text(1 + bytes.saturating_sub(one) * 9 / (ten - one))
}

/// The answer to a purchase, without its id.
fn purchase() -> (Vec<u8>, Vec<u8>) {
    let bought: Vec<Value> = (1..4)
        .map(|number| release(number, "What was bought"))
        .collect();
    let releases = json!({"lockerRelease": bought});
    let purchase = json!({"id": PURCHASE_ID, "purchaseDate": "2026-03-01T12:00:00Z", "lockerReleases": releases});
    let body = json!({"status": "ok", "version": "1.2", "purchase": purchase}).to_string();
    let whole = String::from_utf8(kept(&body)).unwrap_or_default();
    let (before, behind) = whole.split_once(&PURCHASE_ID[1..]).unwrap_or_default();
    (before.into(), behind.into())
}
