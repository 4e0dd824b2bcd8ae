//! Clients over HTTP: each has one connection, which is kept, and in the older era one session.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

use super::messages::{
    Era, Template, digits, hello, id, initialized, modern_headers, post, session_headers,
};
use super::tally::{Expected, Tally, Work};

/// How long a server may take for an event of a stream, and how long until it has taken the stream itself.
const EVENT: Duration = Duration::from_secs(10);
const STREAM_TAKEN: Duration = Duration::from_millis(100);

/// A client of a server.
pub(crate) struct Client {
    wire: Wire,
    /// Where some servers send the answers, which they should give in the response to the request.
    stream: Option<Wire>,
    request: Template,
    expected: Expected,
}

/// What a client says, to whom, and as whom.
pub(crate) struct Part<'a> {
    pub(crate) address: &'a str,
    pub(crate) era: Era,
    pub(crate) tool: &'a str,
    pub(crate) message: String,
    pub(crate) expected: Expected,
    /// A header line, or nothing.
    pub(crate) authorization: String,
    /// Whether a stream is opened beside, as SDKs do.
    pub(crate) has_stream: bool,
}

impl Client {
    /// Connects, and opens a session where the era has them.
    pub(crate) async fn open(part: &Part<'_>) -> io::Result<Self> {
        let (address, own) = (part.address, &part.authorization);
        let (mut wire, mut stream) = (Wire::connect(address).await?, None);
        let headers = match part.era {
            Era::Modern => modern_headers(part.tool),
            Era::Legacy => session_headers(&session(&mut wire, address, own).await?),
        };
        let headers = format!("{headers}{own}");
        if part.has_stream {
            stream = Some(Wire::listen(address, &headers).await?);
        }
        Ok(Self {
            wire,
            stream,
            request: post(address, &headers, &part.message),
            expected: part.expected,
        })
    }

    /// One that asks the upstream itself.
    pub(crate) async fn straight(address: &str, request: Template) -> io::Result<Self> {
        Ok(Self {
            wire: Wire::connect(address).await?,
            stream: None,
            request,
            expected: Expected::Document,
        })
    }

    async fn work(&mut self, work: &Work) -> io::Result<Tally> {
        let mut tally = Tally::default();
        while let Some(serial) = work.next() {
            let started = Instant::now();
            self.wire.ask(self.request.with(&serial)).await?;
            let mut answer = &self.wire.body;
            if self.wire.status() == "202"
                && let Some(stream) = &mut self.stream
            {
                timeout(EVENT, stream.event(&id(&serial))).await??;
                answer = &stream.body;
            }
            tally.add(started, self.expected, &serial, answer);
        }
        Ok(tally)
    }
}

/// All clients work, until there is no more to do.
pub(crate) async fn work(clients: Vec<Client>, work: Work) -> io::Result<(Vec<Client>, Tally)> {
    let (work, local, mut tasks) = (Rc::new(work), LocalSet::new(), Vec::new());
    for mut client in clients {
        let work = Rc::clone(&work);
        tasks.push(local.spawn_local(async move {
            let tally = client.work(&work).await?;
            io::Result::Ok((client, tally))
        }));
    }
    let joined = local.run_until(async {
        let (mut clients, mut all) = (Vec::new(), Tally::default());
        for task in tasks {
            let (client, tally) = task.await.map_err(io::Error::other)??;
            clients.push(client);
            all.merge(tally);
        }
        Ok((clients, all))
    });
    joined.await
}

/// Opens a session, and gives its id.
pub(crate) async fn session(wire: &mut Wire, address: &str, own: &str) -> io::Result<String> {
    let nothing = digits(0);
    wire.ask(post(address, own, &hello()).with(&nothing))
        .await?;
    let session = field(&wire.head, "mcp-session-id").unwrap_or_default();
    let session = session.to_owned();
    if wire.status() != "200" {
        let text = String::from_utf8_lossy(&wire.body);
        return Err(io::Error::other(format!(
            "no session: {} {text}",
            wire.head
        )));
    }
    let headers = format!("{}{own}", session_headers(&session));
    wire.ask(post(address, &headers, &initialized()).with(&nothing))
        .await?;
    Ok(session)
}

/// A connection.
pub(crate) struct Wire {
    socket: TcpStream,
    unread: Vec<u8>,
    head: String,
    body: Vec<u8>,
}

impl Wire {
    pub(crate) async fn connect(address: &str) -> io::Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        Ok(Self {
            socket,
            unread: Vec::with_capacity(16 << 10),
            head: String::new(),
            body: Vec::new(),
        })
    }

    fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// Asks for the stream of a session. Some servers say nothing on it before the first event, not even a header.
    async fn listen(address: &str, headers: &str) -> io::Result<Self> {
        let mut wire = Self::connect(address).await?;
        let line = "GET /mcp HTTP/1.1";
        let accept = "Accept: text/event-stream";
        let request = format!("{line}\r\nHost: {address}\r\n{accept}\r\n{headers}\r\n");
        wire.socket.write_all(request.as_bytes()).await?;
        // Nothing tells when the server has the stream, and what it sends before that is lost.
        sleep(STREAM_TAKEN).await;
        Ok(wire)
    }

    /// Reads the event with this id from a stream.
    async fn event(&mut self, id: &str) -> io::Result<()> {
        if self.head.is_empty() {
            self.head().await?;
        }
        loop {
            self.body.clear();
            while !self.body.ends_with(b"\n\n") {
                self.chunk().await?;
            }
            if memmem::find(&self.body, id.as_bytes()).is_some() {
                return Ok(());
            }
        }
    }

    /// Sends a request and reads the whole answer to it.
    async fn ask(&mut self, request: &[u8]) -> io::Result<()> {
        self.socket.write_all(request).await?;
        self.head().await?;
        if let Some(length) = field(&self.head, "content-length") {
            let length = length.parse().map_err(io::Error::other)?;
            return self.take(length).await;
        }
        if field(&self.head, "transfer-encoding").is_some() {
            while self.chunk().await? > 0 {}
        }
        Ok(())
    }

    async fn head(&mut self) -> io::Result<()> {
        let end = self.find(b"\r\n\r\n").await?;
        let head = self.unread.get(..end).unwrap_or_default();
        self.head.clear();
        self.head.push_str(&String::from_utf8_lossy(head));
        self.unread.drain(..end + 4);
        self.body.clear();
        Ok(())
    }

    /// Adds a chunk to the body, and says how long it is.
    async fn chunk(&mut self) -> io::Result<usize> {
        let end = self.find(b"\r\n").await?;
        let size = String::from_utf8_lossy(self.unread.get(..end).unwrap_or_default());
        let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        self.unread.drain(..end + 2);
        self.take(size + 2).await?;
        self.body.truncate(self.body.len() - 2);
        Ok(size)
    }

    /// Reads until these bytes have come, and says where.
    async fn find(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            if let Some(place) = memmem::find(&self.unread, bytes) {
                return Ok(place);
            }
            self.more().await?;
        }
    }

    /// Moves that many bytes into the body.
    async fn take(&mut self, bytes: usize) -> io::Result<()> {
        while self.unread.len() < bytes {
            self.unread.reserve(bytes - self.unread.len());
            self.more().await?;
        }
        self.body.extend(self.unread.drain(..bytes));
        Ok(())
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.socket.read_buf(&mut self.unread).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let found = fields.find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim())
}
