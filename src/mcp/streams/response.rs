//! What was said on one stream.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;

use rmcp::model::{
    ClientRequest, GetMeta as _, JsonRpcRequest, ProgressToken, RequestId, ServerJsonRpcMessage,
};
use rmcp::transport::common::server_side_http::ServerSseMessage;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Events that are kept of one stream. Only progress could be more.
const MAX_EVENTS: usize = 32;

/// A place on a stream, as `Last-Event-ID` has it: the event's index and the stream's number.
#[derive(Debug, Clone, Copy)]
pub(in crate::mcp) struct Place {
    pub(in crate::mcp) index: u64,
    pub(in crate::mcp) stream: u64,
}

impl Place {
    /// None for what was never given as one.
    pub(in crate::mcp) fn parse(event_id: &str) -> Option<Self> {
        let (index, stream) = event_id.split_once('/')?;
        Some(Self {
            index: index.parse().ok()?,
            stream: stream.parse().ok()?,
        })
    }

    pub(super) fn event_id(self) -> String {
        format!("{}/{}", self.index, self.stream)
    }
}

/// The stream that answers one request, or the session's own.
#[derive(Debug)]
pub(super) struct Response {
    /// None for the session's own, which answers nothing and has no end.
    request: Option<RequestId>,
    /// What the request's client wants to hear of its progress by.
    progress: Option<ProgressToken>,
    /// By index; no index is used twice.
    pub(super) events: BTreeMap<u64, ServerSseMessage>,
    next: u64,
    /// The index of the newest event that a connection has taken.
    pub(super) read_to: u64,
    /// Whether the user was asked on it.
    pub(super) asked: bool,
    pub(super) ended: Option<Instant>,
    /// The newest connection has it; older ones end.
    pub(super) reader: u64,
    /// Whether that connection still reads.
    pub(super) is_read: bool,
    pub(super) waker: Option<Waker>,
    /// What its answer takes while nobody reads it.
    kept: Option<OwnedSemaphorePermit>,
}

/// Room for the answers that nobody reads, of all sessions together. Clones share it.
#[derive(Debug, Clone)]
pub(in crate::mcp) struct KeptAnswers(Arc<Semaphore>);

/// KiB of answers that are kept for clients that have left.
const KEPT_KIB: usize = 8 << 10;

impl Default for KeptAnswers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(KEPT_KIB)))
    }
}

impl Response {
    /// The stream of a request, with a reader.
    pub(super) fn to(request: &JsonRpcRequest<ClientRequest>) -> Self {
        let progress = request.request.get_meta().get_progress_token();
        Self {
            request: Some(request.id.clone()),
            progress,
            is_read: true,
            ..Self::own()
        }
    }

    /// The session's own stream, which nobody reads yet. Its events begin after 0, the place before them all.
    pub(super) fn own() -> Self {
        Self {
            request: None,
            progress: None,
            events: BTreeMap::new(),
            next: 1,
            read_to: 0,
            asked: false,
            ended: None,
            reader: 0,
            is_read: false,
            waker: None,
            kept: None,
        }
    }

    /// Keeps an answer that nobody reads, or drops it where there is no room: its call can be made again, and what was bought is in the ledger.
    pub(super) fn keep_unread(&mut self, room: &KeptAnswers) {
        if self.is_read || self.ended.is_none() || self.events.is_empty() {
            return;
        }
        let messages = self.events.values().map(|event| event.message.as_deref());
        let bytes =
            messages.map(|message| serde_json::to_vec(&message).map_or(0, |text| text.len()));
        let kib = u32::try_from(bytes.sum::<usize>() >> 10).unwrap_or(u32::MAX);
        match Arc::clone(&room.0).try_acquire_many_owned(kib + 1) {
            Ok(kept) => self.kept = Some(kept),
            Err(_) => self.events.clear(),
        }
    }

    pub(super) fn push(&mut self, stream: u64, mut event: ServerSseMessage) {
        let index = self.next;
        event.event_id = Some(Place { index, stream }.event_id());
        self.events.insert(index, event);
        self.next += 1;
        if self.events.len() > MAX_EVENTS {
            let mut indexes = self.events.iter();
            let passing = indexes.find(|(_, event)| is_passing(event));
            if let Some(index) = passing.map(|(&index, _)| index) {
                self.events.remove(&index);
            }
        }
        self.wake();
    }

    pub(super) fn end(&mut self) {
        self.ended.get_or_insert_with(Instant::now);
        self.wake();
    }

    /// A new connection reads it from now on; its number.
    pub(super) fn next_reader(&mut self) -> u64 {
        self.reader += 1;
        self.kept = None;
        self.is_read = true;
        self.wake();
        self.reader
    }

    pub(super) fn is_open_for(&self, request: &RequestId) -> bool {
        self.ended.is_none() && self.request.as_ref() == Some(request)
    }

    pub(super) fn is_followed_by(&self, token: &ProgressToken) -> bool {
        self.ended.is_none() && self.progress.as_ref() == Some(token)
    }

    pub(super) fn is_over_after(&self, index: u64) -> bool {
        self.ended.is_some() && self.events.keys().all(|&event| event <= index)
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// The id of the question that an event asks.
pub(super) fn question(event: &ServerSseMessage) -> Option<&RequestId> {
    match event.message.as_deref() {
        Some(ServerJsonRpcMessage::Request(request)) => Some(&request.id),
        _ => None,
    }
}

/// Whether a client can do without it.
fn is_passing(event: &ServerSseMessage) -> bool {
    let message = event.message.as_deref();
    message.is_none_or(|message| matches!(message, ServerJsonRpcMessage::Notification(_)))
}
