//! What one connection reads of a stream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use rmcp::transport::common::server_side_http::ServerSseMessage;

use super::{Place, Streams};

/// What one connection reads of a stream.
#[derive(Debug)]
pub(in crate::mcp) struct Reader {
    streams: Arc<Streams>,
    stream: u64,
    number: u64,
    next: u64,
    /// Goes before the stream's own events.
    first: Option<ServerSseMessage>,
}

impl Reader {
    /// The one that a new stream has from its start.
    pub(super) fn first(streams: Arc<Streams>, stream: u64) -> Self {
        Self::at(streams, Place { index: 0, stream }, 0, None)
    }

    /// One of that number, of what comes after a place.
    pub(super) fn at(
        streams: Arc<Streams>,
        place: Place,
        number: u64,
        first: Option<ServerSseMessage>,
    ) -> Self {
        Self {
            streams,
            stream: place.stream,
            number,
            next: place.index + 1,
            first,
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.streams.lock();
        let response = state.streams.get_mut(&self.stream);
        if let Some(response) = response.filter(|response| response.reader == self.number) {
            response.is_read = false;
            response.keep_unread(&self.streams.kept);
        }
    }
}

impl Stream for Reader {
    type Item = ServerSseMessage;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let reader = self.get_mut();
        let mut state = reader.streams.lock();
        let response = state.streams.get_mut(&reader.stream);
        let Some(response) = response.filter(|response| response.reader == reader.number) else {
            return Poll::Ready(None);
        };
        if let Some(first) = reader.first.take() {
            return Poll::Ready(Some(first));
        }
        let mut events = response.events.range(reader.next..);
        let event = events.next().map(|(&index, event)| (index, event.clone()));
        let is_last = events.next().is_none() && response.ended.is_some();
        // A client that is there has its answer, which may be large. One that was asked may have left unnoticed, while its user thought.
        let is_done = is_last && !response.asked;
        if let Some((index, _)) = event {
            reader.next = index + 1;
            response.read_to = index;
        } else if response.ended.is_none() {
            response.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        if is_done {
            state.streams.remove(&reader.stream);
        }
        Poll::Ready(event.map(|(_, event)| event))
    }
}
