//! The network side: accepts connections, reads requests, sends replies or spoils them.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::faults::Fault;
use crate::pages::{Reply, text};
use crate::request::Request;
use crate::world::World;

const MOST_CONNECTIONS: usize = 1024;
const LONGEST_BODY: usize = 256 * 1024;

/// Serves until the task is dropped, and every connection with it.
pub(crate) async fn serve(listener: TcpListener, world: Arc<Mutex<World>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&world)));
                }
                Err(error) => {
                    // Most likely too many open files: wait until others close.
                    tracing::warn!(%error, "the sandbox could not accept a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// The world, even after a panic while it was held.
pub(crate) fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn connection(stream: TcpStream, world: Arc<Mutex<World>>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set: {error}");
    }
    let service = service_fn(move |request| handle(Arc::clone(&world), request));
    let mut builder = http1::Builder::new();
    let mut connection = builder
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    let Err(error) = (&mut connection).await else {
        return;
    };
    if error.source().is_some_and(<dyn Error>::is::<Reset>) {
        let stream = connection.into_parts().io.into_inner();
        // Closing without lingering is what makes the reset.
        if let Err(error) = stream.set_zero_linger() {
            tracing::debug!(%error, "the connection could not be reset: {error}");
        }
    }
}

async fn handle(
    world: Arc<Mutex<World>>,
    request: http::Request<Incoming>,
) -> Result<http::Response<Body>, Reset> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LONGEST_BODY).collect().await else {
        return Ok(send(text(413, "body too long"), Ending::Whole));
    };
    let target = parts.uri.path_and_query();
    let request = Request::new(
        parts.method.as_str(),
        target.map_or("/", |target| target.as_str()),
        &parts.headers,
        &body.to_bytes(),
    );
    let (reply, fault) = lock(&world).answer(&request, std::time::SystemTime::now().into());
    match fault {
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Reset) => return Err(Reset),
        Some(Fault::CutAfterHeaders) => return Ok(send(reply, Ending::Cut)),
        Some(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
        _ => {}
    }
    Ok(send(reply, Ending::Whole))
}

fn send(reply: Reply, ending: Ending) -> http::Response<Body> {
    reply.map(|bytes| {
        let length = bytes.len() as u64;
        let mut bytes = Bytes::from(bytes);
        if ending == Ending::Cut {
            bytes.truncate(bytes.len() / 2);
        }
        Body {
            length,
            bytes: Some(bytes),
            ending,
        }
    })
}

/// Why a connection ends without an answer.
#[derive(Debug)]
struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("connection reset on demand")
    }
}

impl Error for Reset {}

/// A body that is sent whole, or breaks off half-way.
#[derive(Debug)]
struct Body {
    length: u64,
    bytes: Option<Bytes>,
    ending: Ending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Whole,
    /// The break comes one poll later, so that what was written is sent first.
    Cut,
    Broken,
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match self.ending {
            Ending::Whole => Poll::Ready(None),
            Ending::Cut => {
                self.ending = Ending::Broken;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Ending::Broken => Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
