//! Whether the process lives, and whether it takes calls. Neither asks 7digital anything.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::StatusCode;
use tokio_util::sync::CancellationToken;

use crate::http::errors::Refused;
use crate::problem::Kind;

/// Where the process says that it lives.
const ALIVE: &str = "/healthz";
/// Where it says whether it takes calls.
const READY: &str = "/readyz";

/// `/healthz` and `/readyz`; the latter says 503 once `stopping`.
pub fn router(stopping: CancellationToken) -> Router {
    let ready = async move || {
        if stopping.is_cancelled() {
            (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
        } else {
            (StatusCode::OK, "ready\n")
        }
    };
    Router::new()
        .route(ALIVE, get(async || "alive\n"))
        .route(READY, get(ready))
}

/// Takes no new call once the server is stopping, so that those under way end.
pub async fn none_while_stopping(
    State(stopping): State<CancellationToken>,
    request: Request,
    next: Next,
) -> Response {
    let about_health = [ALIVE, READY].contains(&request.uri().path());
    if about_health || !stopping.is_cancelled() {
        return next.run(request).await;
    }
    Refused::new(
        Kind::Stopping,
        "this server is stopping; call again once it has been started anew",
    )
    .with(http::header::CONNECTION, "close")
    .after(std::time::Duration::from_secs(1))
    .into_response()
}
