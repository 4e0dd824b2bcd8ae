//! The streams of one session, each the response to one request: what was said on them, for clients that come back.
//!
//! What is over is not repeated: a question is dropped with its answer or its end, and a call's messages with the call's cancellation.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::Stream;
use parking_lot::{Mutex, MutexGuard};
use rmcp::model::{
    CancelledNotification, CancelledNotificationParam, JsonRpcMessage, RequestId,
    ServerJsonRpcMessage,
};
use rmcp::transport::common::server_side_http::ServerSseMessage;
use tokio::time::Instant;

/// How soon a client shall come back to a stream that broke.
pub(super) const RETRY: Duration = Duration::from_secs(3);
/// How long an answer that nobody took is kept.
const KEPT: Duration = Duration::from_secs(60);
/// Streams that have ended, and that no connection reads, are kept for each session: this many.
const MAX_ENDED: usize = 8;
/// Events that are kept of one stream. Only progress could be more.
const MAX_EVENTS: usize = 32;

/// The streams of a session.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether the session's revision has empty events, which only name a place.
    primes: bool,
    next: u64,
    streams: BTreeMap<u64, Response>,
    /// The questions that have no answer, and the streams that they belong to.
    questions: HashMap<RequestId, u64>,
}

/// The stream that answers one request.
#[derive(Debug)]
struct Response {
    request: RequestId,
    /// By index; no index is used twice.
    events: BTreeMap<u64, ServerSseMessage>,
    next: u64,
    /// Whether the user was asked on it.
    asked: bool,
    cancelled: bool,
    ended: Option<Instant>,
    /// The newest connection has it; older ones end.
    reader: u64,
    /// Whether that connection still reads.
    is_read: bool,
    waker: Option<Waker>,
}

/// A place on a stream, as `Last-Event-ID` has it: the event's index and the stream's number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) index: u64,
    pub(super) stream: u64,
}

impl Place {
    /// None for what was never given as one.
    pub(super) fn parse(event_id: &str) -> Option<Self> {
        let (index, stream) = event_id.split_once('/')?;
        Some(Self {
            index: index.parse().ok()?,
            stream: stream.parse().ok()?,
        })
    }
}

impl Streams {
    /// From now on each stream begins with an empty event. Clients of revisions before 2025-11-25 take one for a message that is broken.
    pub(super) fn prime(&self) {
        self.lock().primes = true;
    }

    /// The empty event before all others of the session's own stream.
    pub(super) fn priming(&self) -> Option<ServerSseMessage> {
        let primes = self.lock().primes;
        primes.then(|| ServerSseMessage::priming("0", RETRY))
    }

    /// A stream for a request, and its first reader.
    pub(super) fn open(self: &Arc<Self>, request: RequestId) -> Reader {
        let mut state = self.lock();
        let stream = state.next;
        state.next += 1;
        let mut response = Response::new(request);
        if state.primes {
            response.push(stream, ServerSseMessage::retry(RETRY));
        }
        state.streams.insert(stream, response);
        Reader {
            streams: Arc::clone(self),
            stream,
            number: 0,
            next: 0,
            first: None,
        }
    }

    /// A reader of what comes after that place; none where nothing can come any more.
    pub(super) fn resume(self: &Arc<Self>, place: Place) -> Option<Reader> {
        let mut state = self.lock();
        let primes = state.primes;
        let response = state.streams.get_mut(&place.stream)?;
        if response.is_over_after(place.index) {
            return None;
        }
        response.reader += 1;
        response.is_read = true;
        response.wake();
        // Names the place anew: some clients forget it with the connection.
        let event_id = format!("{}/{}", place.index, place.stream);
        Some(Reader {
            streams: Arc::clone(self),
            stream: place.stream,
            number: response.reader,
            next: place.index + 1,
            first: primes.then(|| ServerSseMessage::priming(event_id, RETRY)),
        })
    }

    /// Whether nothing can come after that place any more.
    pub(super) fn is_over_after(&self, place: Place) -> bool {
        let state = self.lock();
        let response = state.streams.get(&place.stream);
        response.is_none_or(|response| response.is_over_after(place.index))
    }

    /// Takes in what rmcp says on a stream; a question only while it is open.
    pub(super) fn push(&self, stream: u64, event: ServerSseMessage) {
        let mut state = self.lock();
        if let Some(id) = question(&event)
            && !state.questions.contains_key(id)
        {
            return;
        }
        if let Some(response) = state.streams.get_mut(&stream)
            && !response.cancelled
        {
            response.push(stream, event);
        }
    }

    /// rmcp has nothing more to say on a stream.
    pub(super) fn end(&self, stream: u64) {
        let mut state = self.lock();
        if let Some(response) = state.streams.get_mut(&stream) {
            response.end();
        }
        state.questions.retain(|_, of| *of != stream);
        state.sweep();
    }

    /// Forgets a stream that rmcp does not serve.
    pub(super) fn forget(&self, stream: u64) {
        self.lock().streams.remove(&stream);
    }

    /// A call asks the user; false if it is over, or was cancelled.
    pub(super) fn ask(&self, request: &RequestId, question: RequestId) -> bool {
        let mut state = self.lock();
        let mut open = state.streams.iter_mut().rev();
        let open = open.find(|(_, response)| response.is_open_for(request));
        let Some((&stream, response)) = open else {
            return false;
        };
        response.asked = true;
        state.questions.insert(question, stream);
        true
    }

    /// The client answers a question; false if it is not open.
    pub(super) fn answer(&self, question: &RequestId) -> bool {
        self.lock().close(question).is_some()
    }

    /// The server takes a question back, and says so where it was asked.
    pub(super) fn withdraw(&self, notice: CancelledNotification) {
        let Some(question) = &notice.params.request_id else {
            return;
        };
        let mut state = self.lock();
        let Some(stream) = state.close(question) else {
            return;
        };
        if let Some(response) = state.streams.get_mut(&stream) {
            let notice = JsonRpcMessage::notification(notice.into());
            response.push(stream, ServerSseMessage::from_message(notice));
        }
    }

    /// The client takes a request back: its questions are taken back too, and nothing else is said on its stream.
    pub(super) fn cancel(&self, request: &RequestId) {
        let mut state = self.lock();
        let State {
            streams, questions, ..
        } = &mut *state;
        let cancelled = streams.iter_mut();
        for (&stream, response) in cancelled.filter(|(_, response)| response.request == *request) {
            response.events.clear();
            response.cancelled = true;
            for (question, _) in questions.extract_if(|_, of| *of == stream) {
                let why = "the call was cancelled".to_owned();
                let params = CancelledNotificationParam::new(Some(question), Some(why));
                let notice = CancelledNotification::new(params);
                let notice = JsonRpcMessage::notification(notice.into());
                response.push(stream, ServerSseMessage::from_message(notice));
            }
        }
    }

    /// Ends all streams: the session is over.
    pub(super) fn end_all(&self) {
        let mut state = self.lock();
        state.questions.clear();
        state.streams.values_mut().for_each(Response::end);
    }

    /// Drops answers that nobody has come for.
    pub(super) fn sweep(&self) {
        self.lock().sweep();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

impl State {
    /// Drops a question from the events; gives its stream, if it was open.
    fn close(&mut self, id: &RequestId) -> Option<u64> {
        let stream = self.questions.remove(id)?;
        if let Some(response) = self.streams.get_mut(&stream) {
            response
                .events
                .retain(|_, event| question(event) != Some(id));
        }
        Some(stream)
    }

    /// Drops answers that nobody reads: what is old, and the oldest of too many.
    fn sweep(&mut self) {
        self.streams.retain(|_, response| {
            let since = response.ended.map(|ended| ended.elapsed());
            response.is_read || since.is_none_or(|since| since < KEPT)
        });
        let ended = self.streams.iter();
        let ended = ended.filter(|(_, response)| response.ended.is_some() && !response.is_read);
        let ended: Vec<u64> = ended.map(|(&stream, _)| stream).collect();
        for stream in ended.iter().rev().skip(MAX_ENDED) {
            self.streams.remove(stream);
        }
    }
}

impl Response {
    fn new(request: RequestId) -> Self {
        Self {
            request,
            events: BTreeMap::new(),
            next: 0,
            asked: false,
            cancelled: false,
            ended: None,
            reader: 0,
            is_read: true,
            waker: None,
        }
    }

    fn push(&mut self, stream: u64, mut event: ServerSseMessage) {
        event.event_id = Some(format!("{}/{stream}", self.next));
        self.events.insert(self.next, event);
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

    fn end(&mut self) {
        self.ended.get_or_insert_with(Instant::now);
        self.wake();
    }

    fn is_open_for(&self, request: &RequestId) -> bool {
        self.ended.is_none() && !self.cancelled && self.request == *request
    }

    fn is_over_after(&self, index: u64) -> bool {
        self.ended.is_some() && self.events.keys().all(|&event| event <= index)
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// The id of the question that an event asks.
fn question(event: &ServerSseMessage) -> Option<&RequestId> {
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

/// What one connection reads of a stream.
#[derive(Debug)]
pub(super) struct Reader {
    streams: Arc<Streams>,
    pub(super) stream: u64,
    number: u64,
    next: u64,
    /// Goes before the stream's own events.
    first: Option<ServerSseMessage>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.streams.lock();
        let response = state.streams.get_mut(&self.stream);
        if let Some(response) = response.filter(|response| response.reader == self.number) {
            response.is_read = false;
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
        if let Some((&index, event)) = response.events.range(reader.next..).next() {
            reader.next = index + 1;
            return Poll::Ready(Some(event.clone()));
        }
        if response.ended.is_none() {
            response.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        // A client that was there has its answer. One that was asked may have left unnoticed, while its user thought.
        if !response.asked {
            state.streams.remove(&reader.stream);
        }
        Poll::Ready(None)
    }
}
