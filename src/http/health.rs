//! Whether the process lives, and whether it accepts calls. Neither asks 7digital anything.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use http::header::CONNECTION;
use http::request::Parts;
use tokio_util::sync::CancellationToken;

use super::errors::Check;
use crate::problem::{Kind, Problem};

const LIVENESS: &str = "/healthz";
const READINESS: &str = "/readyz";

/// The paths that probes ask.
pub(super) const PROBES: [&str; 2] = [LIVENESS, READINESS];

/// `/healthz` and `/readyz`; the latter says 503 once `shutting_down`.
pub(super) fn router(shutting_down: CancellationToken) -> Router {
    let ready = async move || {
        if shutting_down.is_cancelled() {
            (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
        } else {
            (StatusCode::OK, "ready\n")
        }
    };
    Router::new()
        .route(LIVENESS, get(async || "alive\n"))
        .route(READINESS, get(ready))
}

/// Rejects new calls once the token is cancelled, as the server is asked to stop, so that those in flight end.
#[derive(Debug, Clone)]
pub(super) struct AcceptCalls(pub(super) CancellationToken);

impl Check for AcceptCalls {
    async fn check(&self, request: &mut Parts) -> Result<(), Problem> {
        let about_health = PROBES.contains(&request.uri.path());
        if about_health || !self.0.is_cancelled() {
            return Ok(());
        }
        let why = "this server is shutting down; call again once it has been started anew";
        Err(Problem::rejected(Kind::ShuttingDown, why)
            .header(CONNECTION, "close")
            .after(Duration::from_secs(1)))
    }
}
