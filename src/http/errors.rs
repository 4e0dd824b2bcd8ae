//! From a problem to a response: each surface has a renderer, and every layer and handler renders with it where the problem occurs.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use http::{Extensions, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use crate::problem::Problem;
use crate::telemetry::request_id::RequestId;

/// The header of every response that names the request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How a surface renders a problem.
pub type Renderer = fn(&Problem, &RequestId) -> Response;

/// A check that a request must pass before it goes further in.
pub trait Check: Clone + Send + Sync + 'static {
    /// Lets the request pass, perhaps with what was found out about it in its extensions.
    fn check(&self, request: &mut Parts) -> impl Future<Output = Result<(), Problem>> + Send;
}

/// The layer of a check.
pub async fn enforce<C: Check>(
    State((check, render)): State<(C, Renderer)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    match check.check(&mut parts).await {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => render(&problem, &request_id(&parts.extensions)),
    }
}

/// The id that [`identify`] gave the request.
pub fn request_id(extensions: &Extensions) -> RequestId {
    extensions.get().cloned().unwrap_or_default()
}

/// A problem as RFC 9457 has it: the renderer of REST, health and metrics.
pub fn problem_json(problem: &Problem, request: &RequestId) -> Response {
    let document = problem.document(request.as_str());
    response(problem, "application/problem+json", &document)
}

/// A response with a problem's status and headers around this document.
pub fn response(problem: &Problem, media_type: &'static str, document: &Value) -> Response {
    let status = StatusCode::from_u16(problem.kind.spec().status);
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let media_type = [(CONTENT_TYPE, media_type)];
    let headers = problem.headers.clone();
    let mut response = (status, headers, media_type, document.to_string()).into_response();
    if let Some(wait) = problem.retry_after {
        let wait = wait.as_secs().into();
        response.headers_mut().insert(RETRY_AFTER, wait);
    }
    let explained = Explained(problem.what.clone());
    response.extensions_mut().insert(explained);
    response
}

/// Why a request was rejected, for the log.
#[derive(Clone)]
struct Explained(String);

/// The outermost layer: gives each request an id, and logs why it was rejected. What rmcp rejects is logged too.
pub async fn identify(mut request: Request, next: Next) -> Response {
    let id = RequestId::default();
    request.extensions_mut().insert(id.clone());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    let status = response.status();
    let explained = response.extensions_mut().remove::<Explained>();
    // `/readyz` says 503, and rejects nothing.
    let by_rmcp = status.is_client_error() || status == StatusCode::INTERNAL_SERVER_ERROR;
    if explained.is_some() || by_rmcp {
        let why = explained.map_or("by the protocol".to_owned(), |Explained(why)| why);
        tracing::info!(request_id = %id, %method, path, %status, "rejected: {why}");
    }
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
