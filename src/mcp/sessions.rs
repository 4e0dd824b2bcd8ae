//! Sessions of the older protocols: how many there are, and whose each is.
//!
//! rmcp keeps them; what it lacks is a bound and an owner. A session says nothing of who calls: each request shows its own token.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::Stream;
use metrics::gauge;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_server::SessionManager;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::session::{ServerSseMessage, SessionId};

use crate::config::Limits;
use crate::http::errors::Refused;
use crate::identity::Caller;
use crate::problem::Kind;

/// Whose a session is: a named caller's, or the operator's.
type Owner = Option<Arc<str>>;

/// When to come again where no session more can be opened.
const LATER: Duration = Duration::from_secs(10);

/// The sessions that are open.
#[derive(Debug)]
pub struct Sessions {
    kept: Arc<LocalSessionManager>,
    known: Arc<Mutex<Known>>,
    most: usize,
    most_of_one: usize,
    /// How long a session may be open and not used at all.
    unused: Duration,
}

#[derive(Debug, Default)]
struct Known {
    open: HashMap<SessionId, Open>,
    /// Sessions that are being opened.
    opening: Vec<Owner>,
}

/// A session that is open.
#[derive(Debug)]
struct Open {
    owner: Owner,
    /// Whether its client has come back after the handshake.
    used: bool,
}

impl Known {
    fn count(&self, of: impl Fn(&Owner) -> bool) -> usize {
        let open = self.open.values().map(|open| &open.owner);
        let owners = open.chain(&self.opening);
        owners.filter(|owner| of(owner)).count()
    }
}

/// A place that is kept for a session until it is there, or did not come about.
#[derive(Debug)]
struct Opening {
    sessions: Arc<Sessions>,
    owner: Owner,
    /// The session that it was kept for.
    became: Option<SessionId>,
}

tokio::task_local! {
    /// For whom the request of this task opens a session: rmcp does not pass it on.
    static OPENING: Cell<Option<Opening>>;
}

impl Sessions {
    /// As the settings say.
    pub fn new(limits: &Limits) -> Self {
        let mut kept = LocalSessionManager::default();
        kept.session_config.keep_alive = Some(limits.session_idle_ms.time());
        Self {
            kept: Arc::new(kept),
            known: Arc::default(),
            most: limits.sessions.count(),
            most_of_one: limits.caller_sessions.count(),
            unused: limits.session_init_ms.time(),
        }
    }

    /// Does what opens a session for a caller, if there is room for one more.
    pub async fn opening<T>(
        self: &Arc<Self>,
        caller: &Caller,
        work: impl Future<Output = T>,
    ) -> Result<T, Refused> {
        let place = self.place_for(caller.name().cloned())?;
        Ok(OPENING.scope(Cell::new(Some(place)), work).await)
    }

    fn place_for(self: &Arc<Self>, owner: Owner) -> Result<Opening, Refused> {
        let full = |whose: &str| {
            let why = format!(
                "{whose} has as many sessions open as it may; end some, or use protocol 2026-07-28, which needs none"
            );
            Refused::new(Kind::Busy, why).after(LATER)
        };
        self.note(|known| {
            if known.count(|_| true) >= self.most {
                return Err(full("this server"));
            }
            if owner.is_some() && known.count(|other| *other == owner) >= self.most_of_one {
                return Err(full("this caller"));
            }
            known.opening.push(owner.clone());
            Ok(())
        })?;
        Ok(Opening {
            sessions: Arc::clone(self),
            owner,
            became: None,
        })
    }

    /// Whether a session is there, and is this caller's.
    pub fn is_of(&self, id: &str, caller: &Caller) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .open
            .get(id)
            .is_some_and(|open| open.owner.as_ref() == caller.name())
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        let (owner, became) = (&self.owner, self.became.take());
        self.sessions.note(|known| {
            if let Some(place) = known.opening.iter().position(|other| other == owner) {
                known.opening.swap_remove(place);
            }
            // In one step, so that nobody sees it counted twice.
            if let Some(id) = became {
                let owner = owner.clone();
                known.open.insert(id, Open { owner, used: false });
            }
        });
    }
}

impl Sessions {
    fn note<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        note(&self.known, change)
    }

    /// Its client has come back.
    fn used(&self, id: &SessionId) {
        self.note(|known| {
            if let Some(open) = known.open.get_mut(id) {
                open.used = true;
            }
        });
    }

    /// Closes a session whose client does not come back in time after it has opened it.
    fn close_if_unused(&self, id: SessionId) {
        let (kept, known) = (Arc::clone(&self.kept), Arc::clone(&self.known));
        let patience = self.unused;
        tokio::spawn(async move {
            tokio::time::sleep(patience).await;
            let unused = note(&known, |known| {
                let unused = known.open.get(&id).is_some_and(|open| !open.used);
                if unused {
                    known.open.remove(&id);
                }
                unused
            });
            if unused && let Err(error) = kept.close_session(&id).await {
                tracing::warn!("an unused session could not be closed: {error}");
            }
        });
    }
}

fn note<T>(known: &Mutex<Known>, change: impl FnOnce(&mut Known) -> T) -> T {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    let changed = change(&mut known);
    let open = u32::try_from(known.open.len()).unwrap_or(u32::MAX);
    gauge!("sevendigital_sessions").set(open);
    changed
}

type Local = LocalSessionManager;

/// rmcp's own, but that the end of a session is noted.
impl SessionManager for Sessions {
    type Error = <Local as SessionManager>::Error;
    type Transport = <Local as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let opening = OPENING.try_with(Cell::take).ok().flatten();
        let (id, transport) = self.kept.create_session().await?;
        // One that no place was kept for would be nobody's, and of no use to anybody.
        if let Some(mut opening) = opening {
            opening.became = Some(id.clone());
        }
        self.close_if_unused(id.clone());
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        self.kept.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        self.kept.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.note(|known| known.open.remove(id));
        self.kept.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.used(id);
        self.kept.create_stream(id, message).await
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), Self::Error> {
        self.used(id);
        self.kept.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.used(id);
        self.kept.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.used(id);
        self.kept.resume(id, last_event_id).await
    }
}
