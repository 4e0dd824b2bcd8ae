//! An upstream in raw TCP: what happens on each of its connections is up to the test.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use crate::client::Client;
use crate::credentials::{Consumer, Credentials, Placement, Token};
use crate::endpoint::{Auth, Effect, Endpoint};
use crate::error::Error;
use crate::limits::Limits;

/// What most tests ask for.
pub(crate) const LOCKER: Endpoint = Endpoint::get("/user/locker", Auth::User, Effect::Reads);

/// A running upstream on a free port; it ends when dropped.
pub(crate) struct Upstream {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heads: Heads,
    task: AbortHandle,
}

type Heads = Arc<Mutex<Vec<String>>>;

/// One connection to it.
pub(crate) struct Connection {
    /// How many there were before.
    pub(crate) number: usize,
    socket: TcpStream,
    heads: Heads,
}

impl Upstream {
    /// Serves each connection in this way.
    pub(crate) async fn start<F>(serve: impl Fn(Connection) -> F + Send + 'static) -> Self
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, heads) = (Arc::new(AtomicUsize::new(0)), Heads::default());
        let (count, kept) = (Arc::clone(&connections), Arc::clone(&heads));
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                // Whether the other side stays to the end is its affair.
                drop(tokio::spawn(serve(Connection {
                    number: count.fetch_add(1, Ordering::SeqCst),
                    socket,
                    heads: Arc::clone(&kept),
                })));
            }
        });
        Self {
            address,
            connections,
            heads,
            task: task.abort_handle(),
        }
    }

    /// Answers every request with what this says, and keeps connections alive.
    pub(crate) async fn answering(
        answer: impl Fn(&str) -> Vec<u8> + Clone + Send + 'static,
    ) -> Self {
        Self::start(move |mut connection| {
            let answer = answer.clone();
            async move {
                loop {
                    let head = connection.hear().await?;
                    connection.say(answer(&head)).await?;
                }
            }
        })
        .await
    }

    /// A client of it.
    pub(crate) fn client(&self, limits: Limits) -> Client {
        let credentials = Credentials {
            consumer: Some(Consumer {
                key: "key".into(),
                secret: Some("secret".into()),
            }),
            token: Some(Token {
                token: "token".into(),
                secret: "token-secret".into(),
            }),
            ..Credentials::default()
        };
        let base = format!("http://{}/1.2", self.address).parse().unwrap();
        Client::new(base, Placement::Auto, credentials, "test", limits).unwrap()
    }

    /// Connections that were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The heads of all requests, in the order in which they came.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Connection {
    /// The head of the next request.
    pub(crate) async fn hear(&mut self) -> io::Result<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.socket.read_u8().await?);
        }
        let head = String::from_utf8(head).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.socket.read_exact(&mut body).await?;
        self.heads.lock().unwrap().push(head.clone());
        Ok(head)
    }

    /// Says these bytes.
    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.socket.write_all(bytes.as_ref()).await
    }

    /// Says nothing until the other side leaves, which is an error.
    pub(crate) async fn wait(&mut self) -> io::Result<()> {
        self.socket.read_u8().await?;
        Ok(())
    }

    /// Says these bytes again and again, and counts what is taken.
    pub(crate) async fn flood(&mut self, bytes: &[u8], taken: &AtomicUsize) -> io::Result<()> {
        loop {
            self.socket.write_all(bytes).await?;
            taken.fetch_add(bytes.len(), Ordering::SeqCst);
        }
    }
}

/// An answer of that length, with these headers besides.
pub(crate) fn http(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Scripted\r\nContent-Length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

/// A good answer that says who it is for.
pub(crate) fn ok(who: &str) -> Vec<u8> {
    let body = format!(r#"{{"status": "ok", "who": "{who}"}}"#);
    http(200, "Content-Type: application/json\r\n", body)
}

/// Limits for tests that don't care to wait.
pub(crate) fn brief() -> Limits {
    Limits {
        read: Duration::from_millis(300),
        change: Duration::from_millis(300),
        silence: Duration::from_millis(100),
        ..Limits::default()
    }
}

/// Reads, and gives whose answer came.
pub(crate) async fn who(client: &Client) -> Result<String, Error> {
    let answer = client.send::<Value>(&LOCKER, &json!({})).await?;
    Ok(answer.document["who"].as_str().unwrap().to_owned())
}

/// Limits under which a read is not repeated.
pub(crate) fn once() -> Limits {
    Limits {
        attempts: 1,
        ..brief()
    }
}
