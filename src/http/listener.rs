//! Connections: how many there are, and how they end.
//!
//! `axum::serve` sets no deadline at all, so a client that sends a byte a minute would keep its connection. Hence hyper itself.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use futures::TryFutureExt as _;
use http::{Method, header};
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
use tower_service::Service as _;

use super::answers::AnswerRoom;
use super::timeouts::{Phase, TimeoutStream};
use crate::calls::Held;
use crate::config::{ConfigError, Limits};

/// Time that clients have to read the last of their responses once the server ends.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// Bytes of a connection that may be buffered, at least a header.
const BUFFER: usize = 32 << 10;
/// Bytes that the system holds of a connection's answers. Left to itself it takes some megabytes for each.
const SEND_BUFFER: u32 = 128 << 10;
/// Connections that wait in the system's queue to be accepted. The usual 128 are too few for many clients at once: of those beyond, the system drops some without an error.
const BACKLOG: u32 = 1_024;
/// Pause after a connection could not be accepted for want of something, such as file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(500);

/// An address that is listened on.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    name: &'static str,
    limits: Arc<Limits>,
    room: AnswerRoom,
}

impl Listener {
    /// Binds the address of the setting `key`. What clients have not taken of its answers takes `room`.
    pub fn bind(
        key: &'static str,
        address: SocketAddr,
        limits: &Limits,
        room: AnswerRoom,
    ) -> Result<Self, ConfigError> {
        let socket = listen(address).map_err(|error| {
            ConfigError::new(format!("`{key}`: {address} can't be listened on: {error}"))
        })?;
        Ok(Self {
            socket,
            name: key,
            limits: Arc::new(limits.clone()),
            room,
        })
    }

    /// The address that was bound.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `end`; then accepts nothing more, and gives clients [`SHUTDOWN_GRACE`] to read their responses.
    ///
    /// `in_flight` tracks requests whose responses have not been written to their end, event streams apart.
    pub async fn serve(self, router: Router, end: CancellationToken, in_flight: TaskTracker) {
        let permits = Arc::new(Semaphore::new(self.limits.max_connections));
        let (graceful, cut) = (GracefulShutdown::new(), CancellationToken::new());
        let http = self.http();
        loop {
            let next = async {
                // Connections over the limit wait in the system's queue.
                let permit = Arc::clone(&permits).acquire_owned().await;
                (permit, self.accept().await)
            };
            let (permit, stream) = tokio::select! {
                next = next => next,
                () = end.cancelled() => break,
            };
            let phase = Phase::default();
            let io = TokioIo::new(TimeoutStream::new(stream, phase.clone(), &self.limits));
            let (router, in_flight) = (router.clone(), in_flight.clone());
            let room = self.room.clone();
            let service = service_fn(move |mut request: http::Request<Incoming>| {
                let (token, busy) = (in_flight.token(), phase.busy());
                let is_get = request.method() == Method::GET;
                let (held, room) = (Held::default(), room.clone());
                request.extensions_mut().insert(held.clone());
                let answer = router.clone().call(request);
                answer.map_ok(move |response| {
                    let token = (!(is_get && is_stream(&response))).then_some(token);
                    room.fill(response, held, (token, busy))
                })
            });
            let connection = graceful.watch(http.serve_connection(io, service));
            let open = gauge!("sevendigital_connections", "listener" => self.name);
            let cut = cut.clone();
            open.increment(1);
            tokio::spawn(async move {
                let _permit = permit;
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
        let _ = tokio::time::timeout(SHUTDOWN_GRACE, graceful.shutdown()).await;
        cut.cancel();
    }

    fn http(&self) -> http1::Builder {
        let mut http = http1::Builder::new();
        // `TimeoutStream` has the timeouts: hyper's own timer does not distinguish a slow header from a connection that is kept alive.
        http.timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_headers(self.limits.header_fields)
            .max_header_size(self.limits.header_bytes)
            .max_buf_size(BUFFER.max(self.limits.header_bytes));
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
                    tokio::time::sleep(ACCEPT_BACKOFF).await;
                }
            }
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restarted server need not wait for its old connections; on Windows this would let other programs take the address.
    socket.set_reuseaddr(cfg!(not(windows)))?;
    // Connections that are accepted have it too.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Whether the client went away.
fn is_of_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind())
}

/// An event stream has no end, and is not in flight.
fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}
