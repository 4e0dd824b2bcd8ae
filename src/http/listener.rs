//! Connections: how many there are, how patient the server is with each, and how they end.
//!
//! `axum::serve` sets no deadline at all, so that a client which sends a byte a minute keeps its connection for ever. Hence hyper itself.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http::{Method, header};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use metrics::gauge;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tower_service::Service as _;

use super::timeouts::{Busy, Patience, Patient, Phase};
use crate::config::{ConfigError, Limits};

/// Time that clients have to take the last of their answers once the server ends.
pub const LAST_WORDS: Duration = Duration::from_secs(5);
/// What a connection may hold of bytes that nobody has read yet, at least a header.
const BUFFER: usize = 32 << 10;
/// Connections that wait in the system's queue to be accepted. The usual 128 are too few for a crowd: of those beyond, the system forgets some without a word to their clients.
const QUEUE: u32 = 1_024;
/// Pause after a connection could not be accepted for want of something, such as file descriptors.
const STARVED: Duration = Duration::from_millis(500);

/// An address that is listened on.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    name: &'static str,
    limits: Limits,
    /// Requests whose answers have not been written whole.
    unanswered: TaskTracker,
}

impl Listener {
    /// Binds the address of the setting `key`.
    pub fn bind(
        key: &'static str,
        address: SocketAddr,
        limits: &Limits,
    ) -> Result<Self, ConfigError> {
        let socket = listen(address).map_err(|error| {
            ConfigError(format!("`{key}`: {address} can't be listened on: {error}"))
        })?;
        Ok(Self {
            socket,
            name: key,
            limits: limits.clone(),
            unanswered: TaskTracker::new(),
        })
    }

    /// The address that was bound.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Requests whose answers have not been written whole; open streams of events don't count.
    pub fn unanswered(&self) -> TaskTracker {
        self.unanswered.clone()
    }

    /// Serves until `end`; then accepts nothing more, and gives clients [`LAST_WORDS`] to take what they wait for.
    pub async fn serve(self, router: Router, end: CancellationToken) {
        let places = Arc::new(Semaphore::new(self.limits.connections.count()));
        let (graceful, cut) = (GracefulShutdown::new(), CancellationToken::new());
        let http = self.http();
        let patience = Patience::of(&self.limits);
        loop {
            let next = async {
                // A connection more than there may be waits in the system's queue.
                let place = Arc::clone(&places).acquire_owned().await;
                (place, self.accept().await)
            };
            let (place, stream) = tokio::select! {
                next = next => next,
                () = end.cancelled() => break,
            };
            let phase = Phase::default();
            let io = TokioIo::new(Patient::new(stream, phase.clone(), patience));
            let (router, unanswered) = (router.clone(), self.unanswered.clone());
            let service = service_fn(move |request: http::Request<Incoming>| {
                let held = Held {
                    unanswered: Some(unanswered.token()),
                    _busy: phase.busy(),
                };
                let is_get = request.method() == Method::GET;
                let answer = router.clone().call(request);
                async move { answer.await.map(|response| held.with(response, is_get)) }
            });
            let connection = graceful.watch(http.serve_connection(io, service));
            let (cut, open) = (
                cut.clone(),
                gauge!("sevendigital_connections", "listener" => self.name),
            );
            open.increment(1);
            tokio::spawn(async move {
                let _place = place;
                tokio::select! {
                    ended = connection => if let Err(error) = ended {
                        tracing::debug!("a connection ended early: {error}");
                    },
                    () = cut.cancelled() => {}
                }
                open.decrement(1);
            });
        }
        drop(self.socket);
        let _ = tokio::time::timeout(LAST_WORDS, graceful.shutdown()).await;
        cut.cancel();
    }

    fn http(&self) -> http1::Builder {
        let mut http = http1::Builder::new();
        // `Patient` keeps time: hyper's own timer does not tell a header that drips from a connection that is kept.
        http.timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_headers(self.limits.header_fields.count())
            .max_header_size(self.limits.header_bytes.count())
            .max_buf_size(BUFFER.max(self.limits.header_bytes.count()));
        http
    }

    async fn accept(&self) -> TcpStream {
        loop {
            match self.socket.accept().await {
                Ok((stream, _)) => {
                    // Without this an answer in two parts waits 44 ms for the client's delayed acknowledgement.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!("TCP_NODELAY could not be set: {error}");
                    }
                    return stream;
                }
                Err(error) if is_of_one_client(&error) => {}
                Err(error) => {
                    tracing::warn!("no connection can be accepted for now: {error}");
                    tokio::time::sleep(STARVED).await;
                }
            }
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // A server that is started anew need not wait for its own past; on Windows this would let others take the address.
    socket.set_reuseaddr(cfg!(not(windows)))?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// Whether it is the client that went away.
fn is_of_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

/// What is true of a connection until the last of an answer was handed to the socket.
struct Held {
    unanswered: Option<TaskTrackerToken>,
    _busy: Busy,
}

impl Held {
    fn with(mut self, response: Response, is_get: bool) -> Response {
        let kind = response.headers().get(header::CONTENT_TYPE);
        // Such a stream stays open for ever.
        if is_get && kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
            self.unanswered = None;
        }
        response.map(|body| Body::new(Holding { body, _held: self }))
    }
}

struct Holding {
    body: Body,
    _held: Held,
}

impl HttpBody for Holding {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
