//! Sessions whose streams can be left and taken up again.
//!
//! rmcp keeps the sessions and says what goes on which stream. What it lacks is done around it: it repeats the event that a client names as its last, repeats questions that are over, and loses an answer that is made while nobody listens.

use std::collections::HashMap;
use std::sync::Arc;

use futures::{Stream, StreamExt as _, future, stream};
use parking_lot::{Mutex, MutexGuard};
use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, GetExtensions as _, JsonRpcMessage, ProtocolVersion,
    RequestId, ServerJsonRpcMessage, ServerNotification, ServerResult,
};
use rmcp::service::{OriginatingRequestId, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::common::server_side_http::{ServerSseMessage, SessionId};
use rmcp::transport::streamable_http_server::SessionManager;
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionManager, LocalSessionManagerError, LocalSessionWorkerError, SessionConfig,
    SessionError, SessionTransport,
};

use super::shape::explained;
use super::streams::{Place, Streams};

/// rmcp's sessions, with our streams.
#[derive(Debug, Default)]
pub(super) struct ResumableSessions {
    inner: LocalSessionManager,
    streams: Mutex<HashMap<SessionId, Arc<Streams>>>,
}

impl ResumableSessions {
    pub(super) fn new(config: SessionConfig) -> Self {
        let mut inner = LocalSessionManager::default();
        inner.session_config = config;
        // Our streams are primed by themselves.
        inner.session_config.sse_retry = None;
        Self {
            inner,
            streams: Mutex::default(),
        }
    }

    /// Whether a stream that a client wants to take up has nothing more to say, or never was.
    pub(super) fn is_over(&self, session: &str, last_event_id: &str) -> bool {
        // The session's own stream has no number, and no end.
        if last_event_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        let streams = self.of(session);
        let place = Place::parse(last_event_id);
        streams
            .zip(place)
            .is_none_or(|(streams, place)| streams.is_over_after(place))
    }

    /// Drops answers that nobody has come for.
    pub(super) fn sweep(&self) {
        self.lock().values().for_each(|streams| streams.sweep());
    }

    fn of(&self, session: &str) -> Option<Arc<Streams>> {
        self.lock().get(session).cloned()
    }

    fn known(&self, session: &SessionId) -> Result<Arc<Streams>, LocalSessionManagerError> {
        self.of(session)
            .ok_or_else(|| LocalSessionManagerError::SessionNotFound(Arc::clone(session)))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Streams>>> {
        self.streams.lock()
    }
}

impl SessionManager for ResumableSessions {
    type Error = LocalSessionManagerError;
    type Transport = ResumableTransport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let (id, inner) = self.inner.create_session().await?;
        let streams = Arc::<Streams>::default();
        self.lock().insert(Arc::clone(&id), Arc::clone(&streams));
        Ok((id, ResumableTransport { inner, streams }))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        let answer = self.inner.initialize_session(id, message).await?;
        if let JsonRpcMessage::Response(response) = &answer
            && let ServerResult::InitializeResult(result) = &response.result
            && result.protocol_version >= ProtocolVersion::V_2025_11_25
        {
            self.known(id)?.prime();
        }
        Ok(answer)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        self.inner.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        let streams = self.lock().remove(id);
        let closed = self.inner.close_session(id).await;
        if let Some(streams) = streams {
            streams.end_all();
        }
        closed
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let JsonRpcMessage::Request(request) = &message else {
            return Err(SessionError::InvalidEventId.into());
        };
        let streams = self.known(id)?;
        // Before rmcp has the request: its handler may ask at once.
        let reader = streams.open(request.id.clone());
        let stream = reader.stream;
        let events = match self.inner.create_stream(id, message).await {
            Ok(events) => events,
            Err(error) => {
                streams.forget(stream);
                return Err(error);
            }
        };
        // Whether or not anybody reads: what is said is kept, and rmcp's session is never held up.
        tokio::spawn(async move {
            let mut events = std::pin::pin!(events);
            while let Some(event) = events.next().await {
                streams.push(stream, event);
            }
            streams.end(stream);
        });
        Ok(reader)
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        mut message: ClientJsonRpcMessage,
    ) -> Result<(), Self::Error> {
        let streams = self.known(id)?;
        let answered = match &message {
            JsonRpcMessage::Response(response) => Some(&response.id),
            JsonRpcMessage::Error(error) => error.id.as_ref(),
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) =
                    &notification.notification
                    && let Some(request) = &cancelled.params.request_id
                {
                    streams.cancel(request);
                }
                None
            }
            JsonRpcMessage::Request(_) => None,
        };
        // An answer to a question that is over answers nothing.
        if answered.is_some_and(|question| !streams.answer(question)) {
            return Ok(());
        }
        match &mut message {
            JsonRpcMessage::Response(response) => response.id = shifted(&response.id, -1),
            JsonRpcMessage::Error(error) => error.id = error.id.as_ref().map(|id| shifted(id, -1)),
            _ => {}
        }
        self.inner.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let priming = self.known(id)?.priming();
        let events = self.inner.create_standalone_stream(id).await?;
        let events = events.filter(|event| future::ready(!is_request(event)));
        Ok(stream::iter(priming).chain(events))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let Some(place) = Place::parse(&last_event_id) else {
            let events = self.inner.resume(id, last_event_id).await?;
            let events = events.filter(|event| future::ready(!is_request(event)));
            return Ok(events.left_stream());
        };
        let reader = self.known(id)?.resume(place);
        let reader = reader.ok_or(SessionError::ChannelClosed(Some(place.stream)))?;
        Ok(reader.right_stream())
    }
}

/// The session's own stream carries no questions: one that comes there belongs to a call that is over.
fn is_request(event: &ServerSseMessage) -> bool {
    matches!(event.message.as_deref(), Some(JsonRpcMessage::Request(_)))
}

/// The id of a question: on the wire it is higher by one than at rmcp, which begins with 0. The TypeScript SDK takes a cancellation of 0 for one of nothing.
fn shifted(id: &RequestId, by: i64) -> RequestId {
    match id {
        RequestId::Number(number) => RequestId::Number(number.saturating_add(by)),
        RequestId::String(text) => RequestId::String(Arc::clone(text)),
    }
}

/// Between rmcp's service and its session: sees which questions are asked and taken back.
pub(super) struct ResumableTransport {
    inner: SessionTransport,
    streams: Arc<Streams>,
}

impl Transport<RoleServer> for ResumableTransport {
    type Error = LocalSessionWorkerError;

    fn send(
        &mut self,
        mut message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let ready = match &mut message {
            JsonRpcMessage::Request(request) => {
                request.id = shifted(&request.id, 1);
                let call = request.request.extensions().get::<OriginatingRequestId>();
                let asked = call.is_some_and(|call| self.streams.ask(&call.0, request.id.clone()));
                (!asked).then_some(Err(LocalSessionWorkerError::TransportClosed))
            }
            JsonRpcMessage::Notification(notification) => match &notification.notification {
                // rmcp would look for a request of the client's with that id.
                ServerNotification::CancelledNotification(cancelled) => {
                    let mut notice = cancelled.clone();
                    let question = notice.params.request_id.as_ref();
                    notice.params.request_id = question.map(|id| shifted(id, 1));
                    self.streams.withdraw(notice);
                    Some(Ok(()))
                }
                _ => None,
            },
            JsonRpcMessage::Error(error) => {
                error.error = explained(error.error.clone());
                None
            }
            JsonRpcMessage::Response(_) => None,
        };
        match ready {
            Some(ready) => future::Either::Left(future::ready(ready)),
            None => future::Either::Right(self.inner.send(message)),
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        self.inner.receive().await
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.inner.close().await
    }
}
