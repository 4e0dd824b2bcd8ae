//! Answers that clients have not taken: their bytes are bounded over all connections.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::future::BoxFuture;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use crate::calls::{Held, UntakenBytes};
use crate::config::Limits;

/// Pieces of a response with fewer bytes are not counted: each connection has room for one.
const COUNTED: usize = 16 << 10;
/// Bytes for each permit of the semaphore.
const UNIT: usize = 1 << 10;

/// Room for bytes that clients have not taken. Clones share it.
#[derive(Debug, Clone)]
pub struct AnswerRoom {
    units: Arc<Semaphore>,
    all: u32,
}

/// Marks a response whose bytes are part of the program, so that it takes no room.
#[derive(Debug, Clone, Copy)]
pub struct Unchanging;

impl AnswerRoom {
    /// As the settings say.
    pub fn new(limits: &Limits) -> Self {
        let all = u32::try_from(limits.untaken_bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let all = all.min(u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX));
        Self {
            units: Arc::new(Semaphore::new(all as usize)),
            all,
        }
    }

    /// The response, whose large pieces wait for room. What `held` holds is held until its call's answer is handed over; `guard` until all is.
    pub(super) fn fill(
        &self,
        response: Response,
        held: Held,
        guard: impl Send + Sync + Unpin + 'static,
    ) -> Response {
        let room = response.extensions().get::<Unchanging>().is_none();
        let room = room.then(|| self.clone());
        response.map(|body| {
            Body::new(Answer {
                body,
                room,
                held,
                waiting: None,
                _guard: guard,
            })
        })
    }

    /// Room for that many bytes; an answer that is larger than all of it has all of it.
    fn acquire(&self, bytes: usize) -> Acquired {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let units = units.min(self.all);
        Box::pin(Arc::clone(&self.units).acquire_many_owned(units))
    }
}

type Acquired = BoxFuture<'static, Result<OwnedSemaphorePermit, AcquireError>>;

/// The body of a response.
struct Answer<G> {
    body: Body,
    /// None where the bytes are there anyway.
    room: Option<AnswerRoom>,
    held: Held,
    /// A piece that waits for room.
    waiting: Option<(Box<[u8]>, Acquired)>,
    _guard: G,
}

impl<G: Send + Sync + Unpin + 'static> HttpBody for Answer<G> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.waiting.is_none() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                ended => return Poll::Ready(ended),
            };
            let piece = match frame.into_data() {
                Ok(piece) => piece,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            };
            match &self.room {
                Some(room) if piece.len() >= COUNTED => {
                    let acquired = room.acquire(piece.len());
                    // Without the room for more that its buffer had while it was written.
                    self.waiting = Some((Box::from(&*piece), acquired));
                }
                _ => {
                    if self.body.is_end_stream() {
                        self.held.hand_over(piece.len());
                    }
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
            }
        }
        let Some((_, acquired)) = &mut self.waiting else {
            return Poll::Ready(None);
        };
        let room = ready!(acquired.as_mut().poll(context)).ok();
        let bytes = self.waiting.take().map(|(bytes, _)| bytes);
        let bytes = bytes.unwrap_or_default();
        let of_caller = self.held.hand_over(bytes.len());
        let untaken = Untaken {
            bytes,
            _room: room,
            _of_caller: of_caller,
        };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(untaken)))))
    }

    fn is_end_stream(&self) -> bool {
        self.waiting.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let waiting = self.waiting.as_ref();
        let waiting = waiting.map_or(0, |(piece, _)| piece.len() as u64);
        let mut hint = self.body.size_hint();
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(waiting));
        }
        hint.set_lower(hint.lower().saturating_add(waiting));
        hint
    }
}

/// A piece that was handed to the socket: it takes its room until all of it was written.
struct Untaken {
    bytes: Box<[u8]>,
    _room: Option<OwnedSemaphorePermit>,
    _of_caller: Option<UntakenBytes>,
}

impl AsRef<[u8]> for Untaken {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
