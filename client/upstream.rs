//! A scripted upstream in raw TCP, for tests: each decides what happens on its connections.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::client::Client;
use crate::credentials::{Consumer, Credentials, Token};
use crate::endpoint::{Auth, Effect, Endpoint};
use crate::error::{Delivery, Error, Refusal};
use crate::limits::Limits;

/// What most tests call.
pub(crate) const LOCKER: Endpoint = Endpoint::get("/user/locker", Auth::User, Effect::Reads);

/// Longer than anything takes on a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running upstream on a free port; it ends when dropped.
pub(crate) struct Upstream {
    address: SocketAddr,
    seen: Arc<Seen>,
    task: AbortHandle,
}

#[derive(Default)]
struct Seen {
    accepted: AtomicUsize,
    ended: AtomicUsize,
    heads: Mutex<Vec<String>>,
}

/// One connection to it.
pub(crate) struct Connection {
    /// How many there were before.
    pub(crate) number: usize,
    socket: TcpStream,
    seen: Arc<Seen>,
}

impl Upstream {
    /// Serves each connection in this way.
    pub(crate) async fn start<F>(serve: impl Fn(Connection) -> F + Send + 'static) -> Self
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let seen = Arc::clone(&shared);
                let served = serve(Connection {
                    number: seen.accepted.fetch_add(1, Ordering::SeqCst),
                    socket,
                    seen: Arc::clone(&seen),
                });
                tokio::spawn(async move {
                    // The client may close a connection at any time.
                    let _ = served.await;
                    seen.ended.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Self {
            address,
            seen,
            task: task.abort_handle(),
        }
    }

    /// Answers every request with what this returns, and keeps connections alive.
    pub(crate) async fn answering(
        answer: impl Fn(&str) -> Vec<u8> + Clone + Send + 'static,
    ) -> Self {
        Self::start(move |mut connection| {
            let answer = answer.clone();
            async move {
                loop {
                    let head = connection.read_request().await?;
                    connection.write(answer(&head)).await?;
                }
            }
        })
        .await
    }

    /// Answers each request with these bytes.
    pub(crate) async fn repeating(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::answering(move |_| answer.clone()).await
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
        Client::builder(format!("http://{}/1.2", self.address).parse().unwrap())
            .credentials(credentials)
            .limits(limits)
            .build()
            .unwrap()
    }

    /// Connections that were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.seen.accepted.load(Ordering::SeqCst)
    }

    /// The heads of all requests, in the order in which they came.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.seen.heads.lock().unwrap().clone()
    }

    /// Waits until this many requests have come.
    pub(crate) async fn requests(&self, number: usize) {
        until(|| self.heads().len() >= number).await;
    }

    /// Waits until this many connections have ended.
    pub(crate) async fn ended(&self, number: usize) {
        until(|| self.seen.ended.load(Ordering::SeqCst) >= number).await;
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Connection {
    /// The head of the next request.
    pub(crate) async fn read_request(&mut self) -> io::Result<String> {
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
        self.seen.heads.lock().unwrap().push(head.clone());
        Ok(head)
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.socket.write_all(bytes.as_ref()).await
    }

    /// Writes nothing until the client closes the connection, which is an error.
    pub(crate) async fn wait(&mut self) -> io::Result<()> {
        self.socket.read_u8().await?;
        Ok(())
    }

    /// Writes these bytes again and again, and counts what is taken.
    pub(crate) async fn flood(&mut self, bytes: &[u8], taken: &AtomicUsize) -> io::Result<()> {
        loop {
            self.socket.write_all(bytes).await?;
            taken.fetch_add(bytes.len(), Ordering::SeqCst);
        }
    }
}

/// Waits until this is so.
async fn until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "it never was so");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Lets that much time pass at once, on a runtime of one thread.
pub(crate) async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// An answer of that length, with these headers besides.
pub(crate) fn http(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Scripted\r\nContent-Length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

/// A refusal of 7digital's; by a code of 7000 or more, or an HTTP status of 500 or more, it is not certain that nothing was done.
pub(crate) fn refused(status: u16, code: Option<u32>, message: &str) -> Error {
    let fault = status >= 500 || code.is_some_and(|code| code >= 7000);
    Error::Rejected(Box::new(Refusal {
        status,
        code,
        message: message.to_owned(),
        delivery: if fault {
            Delivery::Unknown
        } else {
            Delivery::Rejected
        },
        retry_after: None,
    }))
}

/// A good answer that says who it is for.
pub(crate) fn ok(who: &str) -> Vec<u8> {
    let body = format!(r#"{{"status": "ok", "who": "{who}"}}"#);
    http(200, "Content-Type: application/json\r\n", body)
}

/// Limits in time that are not reached on a loaded machine.
pub(crate) fn patient() -> Limits {
    Limits {
        connect_timeout: PATIENCE,
        read_timeout: PATIENCE,
        read_deadline: PATIENCE,
        change_deadline: PATIENCE,
        ..Limits::default()
    }
}

/// The same, without retries.
pub(crate) fn once() -> Limits {
    Limits {
        max_attempts: 1,
        ..patient()
    }
}

/// Reads, and gives whose answer came.
pub(crate) async fn who(client: &Client) -> Result<String, Error> {
    let answer = client.send::<Value>(&LOCKER, &json!({})).await?;
    Ok(answer.document["who"].as_str().unwrap().to_owned())
}
