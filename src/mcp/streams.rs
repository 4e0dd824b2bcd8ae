//! The streams of one session, each the response to one request, and the session's own: what was said on them, for clients that come back.
//!
//! What is over is not repeated: a question is dropped with its answer or its end, and a call's messages with the call's cancellation.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use parking_lot::{Mutex, MutexGuard};
use rmcp::model::{
    CancelledNotification, CancelledNotificationParam, ClientRequest, JsonRpcMessage,
    JsonRpcRequest, RequestId, ServerJsonRpcMessage, ServerNotification,
};
use rmcp::transport::common::server_side_http::ServerSseMessage;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use response::Response;

pub(super) use response::{KeptAnswers, Place};

mod response;

/// How soon a client shall come back to a stream that broke.
pub(super) const RETRY: Duration = Duration::from_secs(3);
/// How long an answer that nobody took is kept.
const KEPT: Duration = Duration::from_secs(60);
/// Streams that have ended, and that no connection reads, are kept for each session: this many.
const MAX_ENDED: usize = 8;
/// The number of the session's own stream, which answers no request.
const OWN: u64 = 0;

/// The streams of a session.
#[derive(Debug)]
pub(super) struct Streams {
    state: Mutex<State>,
    ended: CancellationToken,
    kept: KeptAnswers,
}

#[derive(Debug)]
struct State {
    /// Who waits for the answer to `initialize`, which is sent on no stream.
    initializing: Option<oneshot::Sender<ServerJsonRpcMessage>>,
    /// Whether the session's revision has empty events, which only name a place.
    primes: bool,
    next: u64,
    streams: BTreeMap<u64, Response>,
    /// The questions that have no answer, and the streams that they belong to.
    questions: HashMap<RequestId, u64>,
    /// When something happened last.
    touched: Instant,
}

impl Streams {
    /// Those of a new session. Answers that nobody reads take what `kept` has for all sessions.
    pub(super) fn new(kept: KeptAnswers) -> Self {
        let state = State {
            initializing: None,
            primes: false,
            next: OWN + 1,
            streams: BTreeMap::from([(OWN, Response::own())]),
            questions: HashMap::new(),
            touched: Instant::now(),
        };
        Self {
            state: Mutex::new(state),
            ended: CancellationToken::new(),
            kept,
        }
    }

    /// The answer to `initialize`, which comes first.
    pub(super) fn initialize(&self) -> oneshot::Receiver<ServerJsonRpcMessage> {
        let (sender, answer) = oneshot::channel();
        self.lock().initializing = Some(sender);
        answer
    }

    /// From now on each stream begins with an empty event. Clients of revisions before 2025-11-25 take one for a message that is broken.
    pub(super) fn prime(&self) {
        self.lock().primes = true;
    }

    /// Something happens in the session.
    pub(super) fn touch(&self) {
        self.lock().touched = Instant::now();
    }

    /// How long nothing has happened.
    pub(super) fn idle(&self) -> Duration {
        self.lock().touched.elapsed()
    }

    /// A stream for a request, and its first reader.
    pub(super) fn open(self: &Arc<Self>, request: &JsonRpcRequest<ClientRequest>) -> Reader {
        let mut state = self.lock();
        let stream = state.next;
        state.next += 1;
        let mut response = Response::to(request);
        if state.primes {
            response.push(stream, ServerSseMessage::retry(RETRY));
        }
        state.streams.insert(stream, response);
        Reader::first(Arc::clone(self), stream)
    }

    /// The reader of the session's own stream, from the first event on that nobody has read; none while there is one.
    pub(super) fn open_own(self: &Arc<Self>) -> Option<Reader> {
        let state = self.lock();
        let own = state.streams.get(&OWN).filter(|own| !own.is_read)?;
        let place = Place {
            index: own.read_to,
            stream: OWN,
        };
        drop(state);
        self.resume(place)
    }

    /// A reader of what comes after that place; none where nothing can come any more.
    pub(super) fn resume(self: &Arc<Self>, place: Place) -> Option<Reader> {
        let mut state = self.lock();
        let primes = state.primes;
        let response = state.streams.get_mut(&place.stream)?;
        if response.is_over_after(place.index) {
            return None;
        }
        let number = response.next_reader();
        // Names the place anew: some clients forget it with the connection.
        let first = primes.then(|| ServerSseMessage::priming(place.event_id(), RETRY));
        Some(Reader::at(Arc::clone(self), place, number, first))
    }

    /// Whether nothing can come after that place any more.
    pub(super) fn is_over_after(&self, place: Place) -> bool {
        let state = self.lock();
        let response = state.streams.get(&place.stream);
        response.is_none_or(|response| response.is_over_after(place.index))
    }

    /// Takes in what the service says: an answer ends its stream, a question is taken only while it is open, and what belongs to no request goes on the session's own stream.
    pub(super) fn say(&self, message: ServerJsonRpcMessage) {
        let mut state = self.lock();
        let is_answer = matches!(
            message,
            JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_)
        );
        if is_answer && let Some(initializing) = state.initializing.take() {
            // Its client may have left.
            let _ = initializing.send(message);
            return;
        }
        let Some(stream) = state.stream_of(&message) else {
            return;
        };
        let Some(response) = state.streams.get_mut(&stream) else {
            return;
        };
        response.push(stream, ServerSseMessage::from_message(message));
        if is_answer {
            response.end();
            response.keep_unread(&self.kept);
            state.questions.retain(|_, of| *of != stream);
            state.sweep();
        }
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
        for (&stream, response) in cancelled.filter(|(_, response)| response.is_open_for(request)) {
            response.events.clear();
            for (question, _) in questions.extract_if(|_, of| *of == stream) {
                let why = "the call was cancelled".to_owned();
                let params = CancelledNotificationParam::new(Some(question), Some(why));
                let notice = CancelledNotification::new(params);
                let notice = JsonRpcMessage::notification(notice.into());
                response.push(stream, ServerSseMessage::from_message(notice));
            }
            response.end();
        }
    }

    /// Ends all streams: the session is over.
    pub(super) fn end_all(&self) {
        let mut state = self.lock();
        state.questions.clear();
        state.streams.values_mut().for_each(Response::end);
        self.ended.cancel();
    }

    /// Ready once the session is over.
    pub(super) fn ended(&self) -> WaitForCancellationFutureOwned {
        self.ended.clone().cancelled_owned()
    }

    /// Drops answers that nobody has come for.
    pub(super) fn sweep(&self) {
        self.lock().sweep();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    /// The stream that a message belongs on; none where its request or question is over.
    fn stream_of(&self, message: &ServerJsonRpcMessage) -> Option<u64> {
        let answers = |id: &RequestId| {
            let mut streams = self.streams.iter().rev();
            let open = streams.find(|(_, response)| response.is_open_for(id));
            open.map(|(&stream, _)| stream)
        };
        match message {
            JsonRpcMessage::Response(response) => answers(&response.id),
            JsonRpcMessage::Error(error) => answers(error.id.as_ref()?),
            JsonRpcMessage::Request(question) => self.questions.get(&question.id).copied(),
            JsonRpcMessage::Notification(notification) => match &notification.notification {
                ServerNotification::ProgressNotification(progress) => {
                    let token = &progress.params.progress_token;
                    let mut streams = self.streams.iter().rev();
                    let open = streams.find(|(_, response)| response.is_followed_by(token));
                    open.map(|(&stream, _)| stream)
                }
                _ => Some(OWN),
            },
        }
    }

    /// Drops a question from the events; gives its stream, if it was open.
    fn close(&mut self, id: &RequestId) -> Option<u64> {
        let stream = self.questions.remove(id)?;
        if let Some(response) = self.streams.get_mut(&stream) {
            response
                .events
                .retain(|_, event| response::question(event) != Some(id));
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

/// What one connection reads of a stream.
#[derive(Debug)]
pub(super) struct Reader {
    streams: Arc<Streams>,
    stream: u64,
    number: u64,
    next: u64,
    /// Goes before the stream's own events.
    first: Option<ServerSseMessage>,
}

impl Reader {
    /// The one that a new stream has from its start.
    fn first(streams: Arc<Streams>, stream: u64) -> Self {
        Self::at(streams, Place { index: 0, stream }, 0, None)
    }

    /// One of that number, of what comes after a place.
    fn at(
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
