//! The layers around everything that is served over HTTP.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use http::request::Parts;
use http::{Extensions, HeaderName, header};
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;
use tower::util::option_layer;

use super::cross_origin::{CrossOriginProtection, cors};
use super::errors::{Check, Renderer, enforce, identify};
use super::health::{self, AcceptCalls, PROBES};
use crate::config::Config;
use crate::identity::{Authenticator, Caller};
use crate::problem::Problem;

/// The router of a surface inside all layers, outermost first; calls are rejected once `shutting_down`.
/// The listener and its timeouts are around them.
pub fn around(
    surface: Router,
    config: &Config,
    shutting_down: &CancellationToken,
    render: Renderer,
) -> Router {
    let cross_origin = CrossOriginProtection::new(config).under_any_name(&PROBES);
    let accept_calls = AcceptCalls(shutting_down.clone());
    surface.merge(health::router(shutting_down.clone())).layer(
        ServiceBuilder::new()
            .layer(map_response(async |response: Response| (PRIVATE, response)))
            .layer(from_fn(identify))
            .layer(from_fn_with_state((cross_origin, render), enforce))
            .layer(option_layer(cors(config)))
            .layer(from_fn_with_state((accept_calls, render), enforce)),
    )
}

/// A surface's routes for callers that are known. What is merged into the router afterwards is open to all.
pub fn authenticated(routes: Router, authenticator: Authenticator, render: Renderer) -> Router {
    routes.layer(from_fn_with_state((authenticator, render), enforce))
}

impl Check for Authenticator {
    async fn check(&self, request: &mut Parts) -> Result<(), Problem> {
        let caller = self.authenticate(&request.headers).await?;
        request.extensions.insert(caller);
        Ok(())
    }
}

/// The caller of a request that has passed [`authenticated`].
pub fn caller(extensions: &Extensions) -> Result<Caller, Problem> {
    extensions.get().cloned().ok_or_else(Problem::internal)
}

/// No cache keeps a response, and no other page reads one.
const PRIVATE: [(HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];
