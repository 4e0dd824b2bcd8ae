//! The layers around everything that is served over HTTP.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use http::{HeaderName, HeaderValue, header};
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;
use tower::util::option_layer;

use super::cors;
use super::cross_origin::CrossOriginProtection;
use super::errors::{Renderer, enforce, identify};
use super::health::{self, AcceptCalls};
use crate::config::Config;
use crate::identity::Authenticator;

/// The router of a surface inside all layers, outermost first; calls are rejected once `shutting_down`.
/// The listener and its timeouts are around them.
pub fn around(
    surface: Router,
    config: &Config,
    shutting_down: &CancellationToken,
    render: Renderer,
) -> Router {
    let cross_origin = CrossOriginProtection::new(config);
    let accept_calls = AcceptCalls(shutting_down.clone());
    surface.merge(health::router(shutting_down.clone())).layer(
        ServiceBuilder::new()
            .layer(map_response(async |response: Response| (PRIVATE, response)))
            .layer(from_fn(identify))
            .layer(from_fn_with_state((cross_origin, render), enforce))
            .layer(option_layer(cors::layer(config)))
            .layer(from_fn_with_state((accept_calls, render), enforce)),
    )
}

/// A surface's routes for callers that are known. What is merged into the router afterwards is open to all.
pub fn authenticated(routes: Router, authenticator: Authenticator, render: Renderer) -> Router {
    routes.layer(from_fn_with_state((authenticator, render), enforce))
}

/// No cache keeps a response, and no other page reads one.
const PRIVATE: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];
