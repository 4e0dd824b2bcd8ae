//! The sessions of the older protocol revisions, as rmcp's HTTP service wants them kept.
//!
//! rmcp's own manager repeats the event that a client names as its last, repeats questions that are over, loses an answer that is made while nobody listens, and holds 48 KiB for each session. This one passes what a client sends straight to rmcp's service, and keeps what the service says on the session's [`Streams`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt as _, future, stream};
use parking_lot::{Mutex, MutexGuard};
use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, GetExtensions as _, JsonRpcMessage, ProtocolVersion,
    RequestId, ServerJsonRpcMessage, ServerNotification, ServerResult,
};
use rmcp::service::{OriginatingRequestId, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::common::server_side_http::{ServerSseMessage, SessionId, session_id};
use rmcp::transport::streamable_http_server::SessionManager;
use tokio::sync::mpsc;

use super::shape::explained;
use super::streams::{KeptAnswers, Place, Streams};

/// Messages of a session that rmcp's service has not taken yet. Clients wait beyond that.
const UNREAD: usize = 16;

/// The sessions that are open.
#[derive(Debug, Default)]
pub(super) struct ResumableSessions {
    open: Mutex<HashMap<SessionId, Session>>,
    kept: KeptAnswers,
}

/// The client's end of a session.
#[derive(Debug, Clone)]
struct Session {
    /// Boxed: a channel has room for 32 of its messages from its start.
    messages: mpsc::Sender<Box<ClientJsonRpcMessage>>,
    streams: Arc<Streams>,
}

/// Why a session can't do what is asked of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    /// It was never opened, or is closed.
    #[error("there is no such session")]
    Gone,
    /// A stream that answers a request, for a message that is none.
    #[error("the message is no request")]
    NoRequest,
    /// A stream that was never there, or has nothing more to say.
    #[error("there is no such stream")]
    NoStream,
}

impl ResumableSessions {
    /// Whether a stream that a client wants to take up has nothing more to say, or never was.
    pub(super) fn is_over(&self, session: &str, last_event_id: &str) -> bool {
        let place = Place::parse(last_event_id);
        let session = self.lock().get(session).cloned();
        session
            .zip(place)
            .is_none_or(|(session, place)| session.streams.is_over_after(place))
    }

    /// Closes sessions in which nothing has happened for that long, and drops answers that nobody has come for.
    pub(super) fn sweep(&self, idle_timeout: Duration) {
        self.lock().retain(|_, session| {
            let keep = session.streams.idle() < idle_timeout;
            if keep {
                session.streams.sweep();
            } else {
                session.streams.end_all();
            }
            keep
        });
    }

    fn known(&self, id: &SessionId) -> Result<Session, SessionError> {
        let session = self.lock().get(id).cloned();
        let open = session.filter(|session| !session.messages.is_closed());
        let session = open.ok_or(SessionError::Gone)?;
        session.streams.touch();
        Ok(session)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Session>> {
        self.open.lock()
    }
}

impl Session {
    /// Passes a message on to rmcp's service.
    async fn pass(&self, message: ClientJsonRpcMessage) -> Result<(), SessionError> {
        let passed = self.messages.send(Box::new(message)).await;
        passed.map_err(|_| SessionError::Gone)
    }
}

impl SessionManager for ResumableSessions {
    type Error = SessionError;
    type Transport = SessionTransport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let id = session_id();
        let (sender, messages) = mpsc::channel(UNREAD);
        let streams = Arc::new(Streams::new(self.kept.clone()));
        let session = Session {
            messages: sender,
            streams: Arc::clone(&streams),
        };
        self.lock().insert(Arc::clone(&id), session);
        Ok((id, SessionTransport { messages, streams }))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        let session = self.known(id)?;
        let answer = session.streams.initialize();
        session.pass(message).await?;
        let answer = answer.await.map_err(|_| SessionError::Gone)?;
        if let JsonRpcMessage::Response(response) = &answer
            && let ServerResult::InitializeResult(result) = &response.result
            && result.protocol_version >= ProtocolVersion::V_2025_11_25
        {
            session.streams.prime();
        }
        Ok(answer)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        let open = |session: &Session| !session.messages.is_closed();
        Ok(self.lock().get(id).is_some_and(open))
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        // With its sender rmcp's service ends.
        let session = self.lock().remove(id);
        if let Some(session) = session {
            session.streams.end_all();
        }
        Ok(())
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let JsonRpcMessage::Request(request) = &message else {
            return Err(SessionError::NoRequest);
        };
        let session = self.known(id)?;
        // Before rmcp has the request: its handler may ask at once.
        let reader = session.streams.open(request);
        session.pass(message).await?;
        Ok(reader)
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        mut message: ClientJsonRpcMessage,
    ) -> Result<(), Self::Error> {
        let session = self.known(id)?;
        let streams = &session.streams;
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
        session.pass(message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let streams = self.known(id)?.streams;
        let ended = streams.ended();
        // A second one beside it stays open and says nothing: each message goes to one of them.
        let events = match streams.open_own() {
            Some(reader) => reader.left_stream(),
            None => stream::pending().right_stream(),
        };
        Ok(events.take_until(ended))
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let place = Place::parse(&last_event_id).ok_or(SessionError::NoStream)?;
        let reader = self.known(id)?.streams.resume(place);
        reader.ok_or(SessionError::NoStream)
    }
}

/// The id of a question: on the wire it is higher by one than at rmcp, which begins with 0. The TypeScript SDK takes a cancellation of 0 for one of nothing.
fn shifted(id: &RequestId, by: i64) -> RequestId {
    match id {
        RequestId::Number(number) => RequestId::Number(number.saturating_add(by)),
        RequestId::String(text) => RequestId::String(Arc::clone(text)),
    }
}

/// The end of a session that rmcp's service has.
pub(super) struct SessionTransport {
    messages: mpsc::Receiver<Box<ClientJsonRpcMessage>>,
    streams: Arc<Streams>,
}

impl SessionTransport {
    /// Puts a message of the service's on its stream.
    fn say(&self, mut message: ServerJsonRpcMessage) -> Result<(), SessionError> {
        self.streams.touch();
        match &mut message {
            JsonRpcMessage::Request(request) => {
                request.id = shifted(&request.id, 1);
                let call = request.request.extensions().get::<OriginatingRequestId>();
                let asked = call.is_some_and(|call| self.streams.ask(&call.0, request.id.clone()));
                if !asked {
                    return Err(SessionError::NoStream);
                }
            }
            JsonRpcMessage::Notification(notification) => {
                if let ServerNotification::CancelledNotification(cancelled) =
                    &notification.notification
                {
                    let mut notice = cancelled.clone();
                    let question = notice.params.request_id.as_ref();
                    notice.params.request_id = question.map(|id| shifted(id, 1));
                    self.streams.withdraw(notice);
                    return Ok(());
                }
            }
            JsonRpcMessage::Error(error) => error.error = explained(error.error.clone()),
            JsonRpcMessage::Response(_) => {}
        }
        self.streams.say(message);
        Ok(())
    }
}

impl Transport<RoleServer> for SessionTransport {
    type Error = SessionError;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        future::ready(self.say(message))
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        self.messages.recv().await.map(|message| *message)
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.messages.close();
        Ok(())
    }
}
