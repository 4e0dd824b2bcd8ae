//! Requests in parts, so that a test can spoil one of them or leave in the midst of it, and what comes back, byte by byte.

use std::io;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::messages::{MODERN, message, meta};
use super::wait::within;

/// A request that is not sent yet.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) address: String,
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Draft {
    /// Any request; its only header is `Host`.
    pub(crate) fn new(url: &str, method: &str, target: &str) -> Self {
        let address = url.strip_prefix("http://").unwrap();
        let address = address.split('/').next().unwrap().to_owned();
        Self {
            line: format!("{method} {target} HTTP/1.1"),
            headers: vec![("Host".into(), address.clone().into_bytes())],
            address,
            body: Vec::new(),
        }
    }

    /// A POST to the endpoint of MCP, with the headers that each client sends.
    pub(crate) fn mcp(url: &str) -> Self {
        Self::new(url, "POST", "/mcp")
            .and("Content-Type", "application/json")
            .and("Accept", "application/json, text/event-stream")
    }

    /// A message of the era without a handshake, by a client that can do nothing in particular.
    pub(crate) fn message(url: &str, method: &str, params: Value) -> Self {
        Self::message_by(url, json!(1), &json!({}), method, params)
    }

    /// The same with an id of one's own, by a client that can do this.
    pub(crate) fn message_by(
        url: &str,
        id: Value,
        capabilities: &Value,
        method: &str,
        mut params: Value,
    ) -> Self {
        let own = params["_meta"].take();
        params["_meta"] = meta(capabilities);
        for (name, value) in own.as_object().into_iter().flatten() {
            params["_meta"][name] = value.clone();
        }
        let draft = Self::mcp(url)
            .and("MCP-Protocol-Version", MODERN)
            .and("Mcp-Method", method);
        let name = params["name"].as_str().or(params["uri"].as_str());
        let draft = match name {
            Some(name) => draft.and("Mcp-Name", name),
            None => draft,
        };
        draft.saying(&message(id, method, &params))
    }

    /// A tool's call over MCP.
    pub(crate) fn call(url: &str, tool: &str, arguments: &Value) -> Self {
        let params = json!({"name": tool, "arguments": arguments});
        Self::message(url, "tools/call", params)
    }

    /// The same request with one more header.
    pub(crate) fn and(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// The same without a header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// The same with another value of a header.
    pub(crate) fn with(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.without(name).and(name, value)
    }

    /// The same to another method or target.
    pub(crate) fn to(mut self, method: &str, target: &str) -> Self {
        self.line = format!("{method} {target} HTTP/1.1");
        self
    }

    /// The same with another body.
    pub(crate) fn holding(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The same with another message.
    pub(crate) fn saying(self, message: &Value) -> Self {
        self.holding(message.to_string())
    }

    /// The same with something else instead of a text in the body.
    pub(crate) fn but(&self, text: &str, other: impl AsRef<[u8]>) -> Self {
        let start = String::from_utf8(self.body.clone()).unwrap().find(text);
        let start = start.unwrap_or_else(|| panic!("no {text} in {self:?}"));
        let mut body = self.body.clone();
        body.splice(start..start + text.len(), other.as_ref().iter().copied());
        self.clone().holding(body)
    }

    /// Request line and headers, without the empty line.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut bytes = format!("{}\r\n", self.line).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        bytes
    }

    /// The whole request. It says how long its body is, unless a header of its own does.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let measures = |name: &str| {
            ["content-length", "transfer-encoding"].contains(&&*name.to_ascii_lowercase())
        };
        let mut bytes = self.head();
        if !self.headers.iter().any(|(name, _)| measures(name)) {
            bytes.extend(format!("Content-Length: {}\r\n", self.body.len()).bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }

    /// The same with the body in chunks of that size.
    pub(crate) fn in_chunks(self, size: usize) -> Self {
        let body = chunked(&self.body, size);
        self.with("Transfer-Encoding", "chunked").holding(body)
    }

    /// Sends it over a connection of its own, and reads nothing.
    pub(crate) async fn start(&self) -> Wire {
        let mut wire = Wire::open(&self.address).await;
        wire.send(self.bytes()).await.unwrap();
        wire
    }

    /// Sends what the server takes of it before it closes; gives all answers.
    pub(crate) async fn send_what_is_taken(&self) -> Vec<Answer> {
        let mut wire = Wire::open(&self.address).await;
        let _ = wire.send(self.bytes()).await;
        wire.answers().await
    }

    /// Sends it over a connection of its own.
    pub(crate) async fn send(&self) -> Answer {
        let mut wire = self.start().await;
        if self.line.starts_with("HEAD ") {
            wire.headless = true;
        }
        let answer = wire.answer().await;
        answer.unwrap_or_else(|| panic!("no answer to {}", String::from_utf8_lossy(&self.bytes())))
    }
}

/// A body in chunks of that size.
pub(crate) fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let chunk =
        |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let chunks = body.chunks(size).flat_map(chunk);
    chunks.chain(*b"0\r\n\r\n").collect()
}

/// An answer of HTTP.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .find(named)
            .map(|(_, value)| value.as_str())
    }

    /// The content type without its parameters.
    pub(crate) fn kind(&self) -> &str {
        let kind = self.header("content-type").unwrap_or_default();
        kind.split(';').next().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of an error of JSON-RPC; fails where the answer is none.
    pub(crate) fn code(&self) -> i64 {
        assert_eq!(self.kind(), "application/json", "{self:?}");
        let message = self.json();
        assert_eq!(message["jsonrpc"], "2.0", "{self:?}");
        assert!(message["result"].is_null(), "{self:?}");
        assert!(message["error"]["message"].is_string(), "{self:?}");
        message["error"]["code"].as_i64().unwrap()
    }

    /// Whether a request was refused as the door tells it: an error of JSON-RPC with one of these codes, or a problem.
    pub(crate) fn check_refused(&self, door: &str, status: u16, codes: &[i64]) {
        assert_eq!(self.status, status, "{self:?}");
        if door == "MCP" {
            assert!(codes.contains(&self.code()), "{self:?}");
        } else {
            assert_eq!(self.kind(), "application/problem+json", "{self:?}");
            assert_eq!(self.json()["status"], status, "{self:?}");
        }
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body: String = String::from_utf8_lossy(&self.body)
            .chars()
            .take(500)
            .collect();
        write!(f, "{} {:?} {body}", self.status, self.headers)
    }
}

/// A connection.
pub(crate) struct Wire {
    pub(crate) socket: TcpStream,
    unread: Vec<u8>,
    /// Whether answers have no body.
    headless: bool,
}

impl Wire {
    pub(crate) async fn open(address: &str) -> Self {
        Self::of(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) fn of(socket: TcpStream) -> Self {
        Self {
            socket,
            unread: Vec::new(),
            headless: false,
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.socket.write_all(bytes.as_ref()).await
    }

    /// The next answer; none if the connection ends first.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        within("an answer", async {
            loop {
                if let Some(answer) = self.read() {
                    return Some(answer);
                }
                if matches!(self.socket.read_buf(&mut self.unread).await, Ok(0) | Err(_)) {
                    return None;
                }
            }
        })
        .await
    }

    /// All answers up to the connection's end.
    pub(crate) async fn answers(&mut self) -> Vec<Answer> {
        let mut all = Vec::new();
        while let Some(answer) = self.answer().await {
            all.push(answer);
        }
        assert!(self.unread.is_empty(), "half an answer, after {all:?}");
        all
    }

    /// Waits until the server closes, whatever it says before.
    pub(crate) async fn ended(&mut self) {
        while let Ok(1..) = self.socket.read_buf(&mut self.unread).await {}
    }

    fn read(&mut self) -> Option<Answer> {
        let end = self
            .unread
            .windows(4)
            .position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8(self.unread[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            (name.to_owned(), value.to_owned())
        });
        let mut answer = Answer {
            status: status.parse().unwrap(),
            headers: headers.collect(),
            body: Vec::new(),
        };
        let length = answer.header("content-length").unwrap_or("0");
        let length: usize = if self.headless {
            0
        } else {
            length.parse().unwrap()
        };
        let rest = end + 4 + length;
        answer.body = self.unread.get(end + 4..rest)?.to_vec();
        self.unread.drain(..rest);
        Some(answer)
    }
}
