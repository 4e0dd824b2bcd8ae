//! An upstream that is quick, and clients in bare HTTP: neither may take more of the machine than the server between them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::support::LEGACY;
use crate::support::messages::MODERN;
use crate::support::messages::{hello as hello_params, message, meta};

/// What an upstream does with a request.
pub(super) enum Plan {
    Say(Vec<u8>),
    After(Duration, Vec<u8>),
    /// Says it once the gate is open.
    Held(Vec<u8>),
    /// Says it and ends the connection.
    SayAndCut(Vec<u8>),
    /// Resets the connection.
    Cut,
}

/// An upstream that keeps connections and does what a function says; it ends when dropped.
pub(super) struct Upstream {
    address: SocketAddr,
    gate: watch::Sender<bool>,
    task: AbortHandle,
}

/// How long it keeps a connection on which nothing is asked.
const KEPT: Duration = Duration::from_secs(5);

impl Upstream {
    /// The function is given the path behind the API's root, and the query.
    pub(super) async fn start(plan: impl Fn(&str, &str) -> Plan + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (gate, open) = watch::channel(false);
        let plan = Arc::new(plan);
        let task = tokio::spawn(async move {
            loop {
                let Ok((socket, _)) = listener.accept().await else {
                    continue;
                };
                let (plan, open) = (Arc::clone(&plan), open.clone());
                // Whether the other side stays to the end is its affair.
                tokio::spawn(async move { drop(converse(socket, &*plan, open).await) });
            }
        });
        Self {
            address,
            gate,
            task: task.abort_handle(),
        }
    }

    pub(super) fn base_uri(&self) -> String {
        format!("http://{}/1.2", self.address)
    }

    /// Lets go what is held, from now on or until it is held again.
    pub(super) fn open(&self, open: bool) {
        self.gate.send_replace(open);
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(
    socket: TcpStream,
    plan: &(impl Fn(&str, &str) -> Plan + ?Sized),
    mut open: watch::Receiver<bool>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut socket = BufReader::new(socket);
    loop {
        let head = match tokio::time::timeout(KEPT, head(&mut socket)).await {
            Ok(head) => head?,
            Err(_) => return Ok(()),
        };
        let mut body = vec![0; length(&head).unwrap_or(0)];
        socket.read_exact(&mut body).await?;
        let target = head.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        match plan(path.strip_prefix("/1.2").unwrap_or(path), query) {
            Plan::Say(bytes) => socket.write_all(&bytes).await?,
            Plan::After(wait, bytes) => {
                tokio::time::sleep(wait).await;
                socket.write_all(&bytes).await?;
            }
            Plan::Held(bytes) => {
                if open.wait_for(|open| *open).await.is_err() {
                    return Ok(());
                }
                socket.write_all(&bytes).await?;
            }
            Plan::SayAndCut(bytes) => return socket.write_all(&bytes).await,
            Plan::Cut => return socket.get_ref().set_zero_linger(),
        }
    }
}

async fn head(socket: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if socket.read_line(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(other, _)| other.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn length(head: &str) -> Option<usize> {
    field(head, "content-length")?.parse().ok()
}

/// An answer of an upstream that keeps its connection.
pub(super) fn kept(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Scripted\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// A page of the locker with so many releases, of which each takes some 430 bytes.
pub(super) fn locker(releases: usize) -> Vec<u8> {
    let releases: Vec<Value> = (0..releases)
        .map(|number| {
            json!({
                "release": {"id": format!("{}", 11_700_000 + number), "title": "A release with a title of the usual length", "artist": {"id": "1", "name": "Somebody"}},
                "lockerTracks": {"lockerTrack": [{"track": {"id": format!("{}", 22_700_000 + number), "title": "The only track of it", "version": "", "duration": 215},
                    "remainingDownloads": 4, "purchaseDate": "2026-03-01T12:00:00Z", "downloadUrls": {"downloadUrl": []}}]},
            })
        })
        .collect();
    let page =
        json!({"page": 1, "pageSize": 50, "totalItems": releases.len(), "lockerRelease": releases});
    let locker = json!({"lockerReleases": page});
    kept(
        200,
        &json!({"status": "ok", "version": "1.2", "locker": locker}).to_string(),
    )
}

/// An answer as a client gets it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// Whether a call over MCP gave a document.
    pub(super) fn is_done(&self) -> bool {
        let text = self.text();
        self.status == 200
            && text.contains("\"structuredContent\"")
            && !text.contains("\"isError\":true")
    }

    /// When to come again, where that is told.
    pub(super) fn retry_after(&self) -> Option<u64> {
        field(&self.head, "retry-after")?.parse().ok()
    }

    pub(super) fn session(&self) -> String {
        field(&self.head, "mcp-session-id").unwrap().to_owned()
    }
}

/// A client's connection, kept from request to request.
pub(super) struct Wire(BufReader<TcpStream>);

impl Wire {
    pub(super) async fn connect(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        Ok(Self(BufReader::new(socket)))
    }

    pub(super) async fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.0.write_all(request).await
    }

    pub(super) async fn head(&mut self) -> io::Result<Answer> {
        let head = head(&mut self.0).await?;
        let status = head.split(' ').nth(1).unwrap_or_default();
        Ok(Answer {
            status: status.parse().map_err(io::Error::other)?,
            head,
            body: Vec::new(),
        })
    }

    pub(super) async fn ask(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.send(request).await?;
        let mut answer = self.head().await?;
        if let Some(length) = length(&answer.head) {
            answer.body.resize(length, 0);
            self.0.read_exact(&mut answer.body).await?;
        } else if field(&answer.head, "transfer-encoding").is_some() {
            self.chunks(&mut answer.body).await?;
        }
        Ok(answer)
    }

    async fn chunks(&mut self, body: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let mut size = String::new();
            self.0.read_line(&mut size).await?;
            let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
            let start = body.len();
            body.resize(start + size + 2, 0);
            self.0.read_exact(&mut body[start..]).await?;
            body.truncate(start + size);
            if size == 0 {
                return Ok(());
            }
        }
    }

    /// A request over a connection of its own.
    pub(super) async fn ask_once(address: SocketAddr, request: &[u8]) -> io::Result<Answer> {
        Self::connect(address).await?.ask(request).await
    }
}

/// A POST with these header lines.
pub(super) fn post(address: SocketAddr, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

pub(super) fn get(address: SocketAddr, target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n").into_bytes()
}

/// A call in the era without a handshake, with further header lines.
pub(super) fn call(address: SocketAddr, tool: &str, arguments: &Value, headers: &str) -> Vec<u8> {
    let params = json!({"name": tool, "arguments": arguments, "_meta": meta(&json!({}))});
    let body = message(json!(1), "tools/call", &params);
    let headers = format!(
        "Mcp-Protocol-Version: {MODERN}\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n{headers}"
    );
    post(address, "/mcp", &headers, &body.to_string())
}

/// The read that most clients make.
pub(super) fn read(address: SocketAddr) -> Vec<u8> {
    call(address, "get-user-locker", &json!({}), "")
}

/// A message in a session, or, without one, the one that opens it.
pub(super) fn in_session(address: SocketAddr, session: &str, message: &Value) -> Vec<u8> {
    let headers = match session {
        "" => String::new(),
        id => format!(
            "Mcp-Session-Id: {id}\r\nMcp-Protocol-Version: {}\r\n",
            LEGACY[0]
        ),
    };
    post(address, "/mcp", &headers, &message.to_string())
}

pub(super) fn hello() -> Value {
    message(json!(0), "initialize", &hello_params(LEGACY[0]))
}
