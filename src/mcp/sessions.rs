//! Sessions of the older protocol revisions: how many there are, and the owner of each.
//!
//! A session is no identity: each request has its own token.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use metrics::gauge;
use parking_lot::{Mutex, MutexGuard};
use rmcp::transport::streamable_http_server::SessionManager as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::session_manager::ResumableSessions;
use crate::config::Limits;
use crate::identity::Caller;
use crate::problem::{Kind, Problem};

/// When to call again where no more sessions can be opened.
const RETRY_AFTER: Duration = Duration::from_secs(10);
/// How often sessions are looked through for closed and unused ones.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The sessions that are open, by id.
#[derive(Debug)]
pub(super) struct Sessions {
    /// Keeps the sessions themselves.
    pub(super) manager: Arc<ResumableSessions>,
    open: Mutex<HashMap<String, Session>>,
    limits: Limits,
}

#[derive(Debug)]
struct Session {
    /// A named caller; none for the operator.
    owner: Option<Arc<str>>,
    /// When it was opened; none once its client has sent a request after the handshake.
    unused_since: Option<Instant>,
}

impl Sessions {
    /// As the settings say.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            manager: Arc::default(),
            open: Mutex::default(),
            limits: limits.clone(),
        }
    }

    /// Runs an `initialize`, if the caller may open one more session, and records the owner of the session that its response names.
    pub(super) async fn open(
        self: &Arc<Self>,
        caller: &Caller,
        initialize: impl Future<Output = Response> + Send + 'static,
    ) -> Result<Response, Problem> {
        // Counts as a session under an id of its own until there is one, or the handshake has failed.
        let reservation = format!("reserved {:032x}", rand::random::<u128>());
        self.reserve(reservation.clone(), caller)?;
        let sessions = Arc::clone(self);
        // In a task of its own, so that a client that leaves in between leaves no session without an owner behind.
        let opening = tokio::spawn(async move {
            let response = initialize.await;
            let id = response.headers().get("mcp-session-id");
            let id = id.and_then(|id| Some(id.to_str().ok()?.to_owned()));
            let mut open = sessions.lock();
            let session = open.remove(&reservation);
            if let (Some(id), Some(session)) = (id, session) {
                open.insert(id, session);
            }
            response
        });
        let response = opening.await.map_err(|_| Problem::internal());
        self.count();
        response
    }

    /// Whether a session is there, and this caller has opened it.
    pub(super) fn is_owned_by(&self, id: &str, caller: &Caller) -> bool {
        let mut open = self.lock();
        let session = open.get_mut(id);
        let owned = session.filter(|session| session.owner.as_ref() == caller.name());
        owned.map(|session| session.unused_since = None).is_some()
    }

    /// Forgets sessions that have ended, and closes those that were not used in time after the handshake.
    pub(super) async fn sweep(&self) {
        self.manager.sweep(self.limits.session_idle_timeout);
        let overdue = |opened: Instant| opened.elapsed() >= self.limits.session_init_timeout;
        let seen = |(id, session): (&String, &Session)| {
            (id.clone(), session.unused_since.is_some_and(overdue))
        };
        let mut open: Vec<(String, bool)> = self.lock().iter().map(seen).collect();
        open.retain(|(id, _)| !id.starts_with("reserved "));
        for (id, overdue) in &open {
            let key = id.as_str().into();
            if *overdue && let Err(error) = self.manager.close_session(&key).await {
                tracing::warn!("an unused session could not be closed: {error}");
            }
            if !self.manager.has_session(&key).await.unwrap_or(false) {
                self.lock().remove(id);
            }
        }
        self.count();
    }

    /// Sweeps from time to time until `end`.
    pub(super) async fn keep_swept(self: Arc<Self>, end: CancellationToken) {
        let mut interval = tokio::time::interval(SWEEP_INTERVAL);
        while end.run_until_cancelled(interval.tick()).await.is_some() {
            end.run_until_cancelled(self.sweep()).await;
        }
    }

    fn reserve(&self, id: String, caller: &Caller) -> Result<(), Problem> {
        let mut open = self.lock();
        let owner = caller.name().cloned();
        let own = open.values().filter(|session| session.owner == owner);
        let full = if open.len() >= self.limits.max_sessions {
            "this server"
        } else if owner.is_some() && own.count() >= self.limits.caller_max_sessions {
            "this caller"
        } else {
            let unused_since = Some(Instant::now());
            open.insert(
                id,
                Session {
                    owner,
                    unused_since,
                },
            );
            return Ok(());
        };
        let why = format!(
            "{full} has as many sessions open as it may; end some, or use protocol 2026-07-28, which needs none"
        );
        Err(Problem::rejected(Kind::Overloaded, why).after(RETRY_AFTER))
    }

    fn count(&self) {
        let open = u32::try_from(self.lock().len()).unwrap_or(u32::MAX);
        gauge!("sevendigital_sessions").set(open);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.open.lock()
    }
}
