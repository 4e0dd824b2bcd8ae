//! MCP's route over HTTP.

use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use tokio_util::sync::CancellationToken;

use super::message::{MessageValidation, validate};
use super::server::Server;
use super::sessions::Sessions;
use crate::calls::Calls;
use crate::config::Config;
use crate::http::body::BodyReader;
use crate::http::errors::request_id;
use crate::http::front_page::{self, Place};
use crate::http::stack;
use crate::identity::Authenticator;
use crate::problem::{Kind, Problem};

pub use super::result::rejected as render;

const MCP: &str = "/mcp";
/// What the front page names.
const PLACES: [Place; 1] = [(
    MCP,
    "MCP over streamable HTTP. Give your MCP client this server's address with this path; it is not for browsers.",
)];

/// `/mcp` for known callers, and the OAuth metadata for all. `end` closes streams and sessions.
pub fn router(
    config: &Config,
    calls: &Calls,
    authenticator: &Authenticator,
    body: BodyReader,
    end: CancellationToken,
) -> Router {
    let server = Server::new(calls.clone(), config);
    let sessions = Arc::new(Sessions::new(&config.limits));
    tokio::spawn(Arc::clone(&sessions).keep_swept(end.clone()));
    let transport = StreamableHttpServerConfig::default()
        .with_json_response(true)
        // Streams are primed where their client's revision has that.
        .with_sse_retry(None)
        // The cross-origin layer has checked Host and Origin.
        .disable_allowed_hosts()
        .with_max_request_body_bytes(config.limits.body_bytes)
        .with_cancellation_token(end);
    let manager = Arc::clone(&sessions.manager);
    let service = StreamableHttpService::new(move || Ok(server.clone()), manager, transport);
    let validation = MessageValidation {
        registry: calls.registry().clone(),
        authenticator: authenticator.clone(),
        sessions,
        body,
    };
    let routes = Router::new()
        .route_service(MCP, service.clone())
        // As addresses are often pasted.
        .route_service("/mcp/", service)
        .layer(from_fn_with_state(validation, validate));
    let routes = stack::authenticated(routes, authenticator.clone(), render).fallback(no_such_path);
    let routes = routes.merge(front_page::router(&PLACES, render));
    let Some(resource) = authenticator.resource() else {
        return routes;
    };
    // The OAuth metadata document, open to all.
    let document = resource.document();
    resource.paths().iter().fold(routes, |routes, path| {
        let document = document.clone();
        routes.route(path, get(async move || Json(document)))
    })
}

async fn no_such_path(request: Request) -> Response {
    let what = "There is nothing at this path; MCP is served at `/mcp`.";
    let problem = Problem::new(Kind::NoSuchPath, what, "");
    render(&problem, &request_id(request.extensions()))
}
