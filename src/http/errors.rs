//! Requests that are not carried out: one reason, told in the words of the surface that the request came to.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::problem::Kind;
use crate::telemetry::request_id::RequestId;

/// The header of every answer that names the request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A message that is no JSON.
pub const PARSE_ERROR: i64 = -32700;
/// JSON that is no request.
pub const INVALID_REQUEST: i64 = -32600;
/// A request whose parameters are not those of its method.
pub const INVALID_PARAMS: i64 = -32602;
/// Headers that say something else than the message, or two things.
pub const HEADER_MISMATCH: i64 = -32020;

/// Why a request is not carried out. As a response it is empty until the surface finds words for it: see [`tell`].
#[derive(Debug, Clone)]
pub struct Refused(Box<Reason>);

#[derive(Debug, Clone)]
struct Reason {
    kind: Kind,
    detail: String,
    further: Vec<(&'static str, Value)>,
    headers: HeaderMap,
    /// JSON-RPC's code, and the id of the message.
    rpc: (i64, Value),
}

impl Refused {
    /// Refused before anything was done; `why` is the end of a sentence.
    pub fn new(kind: Kind, why: impl std::fmt::Display) -> Self {
        Self::saying(kind, format!("Nothing was done: {why}."))
    }

    /// Refused in whole sentences.
    pub fn saying(kind: Kind, detail: impl Into<String>) -> Self {
        Self(Box::new(Reason {
            kind,
            detail: detail.into(),
            further: Vec::new(),
            headers: HeaderMap::new(),
            rpc: (INVALID_REQUEST, Value::Null),
        }))
    }

    /// With a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.insert(name, value);
        }
        self
    }

    /// With the time to wait before the request may be made again, in whole seconds and at least one.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        self.with(RETRY_AFTER, &whole_seconds(wait).to_string())
    }

    /// With further fields of the problem document.
    #[must_use]
    pub fn telling(mut self, further: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        self.0.further.extend(further);
        self
    }

    /// As an error of JSON-RPC with that code, in answer to the message with that id.
    #[must_use]
    pub fn as_rpc(mut self, code: i64, id: Value) -> Self {
        self.0.rpc = (code, id);
        self
    }

    /// As RFC 9457 has it.
    pub fn as_problem(&self, request: &RequestId) -> Response {
        let id = [("requestId", json!(request.as_str()))];
        let further = self.0.further.iter().cloned().chain(id);
        let document = self.0.kind.document(&self.0.detail, further);
        self.answer("application/problem+json", &document)
    }

    /// As JSON-RPC has it.
    pub fn as_message(&self, request: &RequestId) -> Response {
        let (code, id) = &self.0.rpc;
        let data = json!({"requestId": request.as_str()});
        let error = json!({"code": code, "message": self.0.detail, "data": data});
        let document = json!({"jsonrpc": "2.0", "id": id, "error": error});
        self.answer("application/json", &document)
    }

    fn answer(&self, kind: &'static str, document: &Value) -> Response {
        let kind = [(CONTENT_TYPE, kind)];
        (
            self.0.kind.status(),
            self.0.headers.clone(),
            kind,
            document.to_string(),
        )
            .into_response()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A wait as it is told: in whole seconds, not less than it is, and at least one.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    let begun = u64::from(wait.subsec_nanos() > 0);
    (wait.as_secs() + begun).max(1)
}

/// How a surface tells why a request is not carried out.
pub type Words = fn(&Refused, &RequestId) -> Response;

/// Names each request, and tells in the surface's words why it was refused. What rmcp refuses keeps its own words; it is logged all the same, for the answer has the name.
pub async fn tell(State(words): State<Words>, mut request: Request, next: Next) -> Response {
    let id = RequestId::new();
    request.extensions_mut().insert(id.clone());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    let refused = response.extensions_mut().remove::<Refused>();
    if let Some(refused) = &refused {
        let mut told = words(refused, &id);
        // A page that may call may read why it was refused.
        for (name, value) in response.headers() {
            if *name == VARY || name.as_str().starts_with("access-control-") {
                told.headers_mut().append(name, value.clone());
            }
        }
        response = told;
    }
    let status = response.status();
    // `/readyz` says 503, and refuses nothing.
    let by_rmcp = status.is_client_error() || status == StatusCode::INTERNAL_SERVER_ERROR;
    if refused.is_some() || by_rmcp {
        let why = refused.map_or("by the protocol".to_owned(), |refused| refused.0.detail);
        tracing::info!(request_id = %id, %method, path, %status, "refused: {why}");
    }
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
