//! What a message must be before rmcp reads it: JSON within limits, one JSON-RPC request, for a tool that the caller may use.
//!
//! What rmcp rejects keeps rmcp's response, but for malformed messages: it answers those with 415, and JSON-RPC wants an error.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode, header};
use rmcp::model::CallToolRequestParams;
use serde::Deserialize as _;
use serde_json::Value;

use super::result::rejected_message;
use super::sessions::Sessions;
use crate::calls::Registry;
use crate::headers::single_header;
use crate::http::body::{BodyReader, media_type};
use crate::http::errors::request_id;
use crate::http::stack::caller;
use crate::identity::{Authenticator, Caller};
use crate::problem::{Kind, Problem};

const SESSION_ID: &str = "mcp-session-id";
const LAST_EVENT_ID: &str = "last-event-id";
const VERSION: &str = "mcp-protocol-version";
/// The first revision without sessions: it ignores the header that names one.
const STATELESS: &str = "2026-07-28";
/// Levels of a message that are kept: the message, its `params`, and their fields.
const LEVELS: usize = 3;

/// Validates messages.
#[derive(Debug, Clone)]
pub(super) struct MessageValidation {
    pub(super) registry: Registry,
    pub(super) authenticator: Authenticator,
    pub(super) sessions: Arc<Sessions>,
    pub(super) body: BodyReader,
}

/// The layer around rmcp.
pub(super) async fn validate(
    State(validation): State<MessageValidation>,
    request: Request,
    next: Next,
) -> Response {
    let request_id = request_id(request.extensions());
    let mut id = Value::Null;
    match validation.pass(request, next, &mut id).await {
        Ok(response) => response,
        Err(problem) => rejected_message(&problem, &request_id, &id),
    }
}

impl MessageValidation {
    /// Passes a good message on; `id` becomes the message's id as soon as it is known.
    async fn pass(
        &self,
        request: Request,
        next: Next,
        id: &mut Value,
    ) -> Result<Response, Problem> {
        let caller = caller(request.extensions())?;
        let stateless = is_stateless(request.headers())?;
        if !stateless {
            self.check_session(request.headers(), &caller)?;
        }
        let http_method = request.method().clone();
        if http_method != Method::POST {
            if http_method == Method::GET && !stateless {
                self.check_stream(request.headers())?;
            }
            let response = next.run(request).await;
            if http_method == Method::DELETE {
                self.sessions.sweep().await;
            }
            return Ok(response);
        }
        let (parts, body) = request.into_parts();
        if media_type(&parts.headers).as_deref() != Some("application/json") {
            let why = "send one `Content-Type: application/json`, in UTF-8 and without a `Content-Encoding`";
            return Err(Problem::rejected(Kind::MediaType, why));
        }
        let body = self.body.read(&parts.headers, body).await?;
        let message = self.message(&body)?;
        *id = message.get("id").cloned().unwrap_or_default();
        let method = message.get("method").and_then(Value::as_str);
        if method == Some("tools/call") && !id.is_null() {
            self.check_call(&caller, message.get("params"))?;
        }
        let initializes = method == Some("initialize");
        if initializes && stateless {
            // rmcp takes a handshake for one of an older revision, and the session that it names for meant, whatever version it claims.
            self.check_session(&parts.headers, &caller)?;
        }
        let request = Request::from_parts(parts, Body::from(body));
        let response = if initializes {
            let initialize = async move { next.run(request).await };
            self.sessions.open(&caller, initialize).await?
        } else {
            next.run(request).await
        };
        if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            let why = "the message is not a request, notification or response as MCP has them";
            return Err(Problem::rejected(Kind::InvalidRequest, why));
        }
        Ok(response)
    }

    /// A session is there for the caller that opened it, and for no other.
    fn check_session(&self, headers: &HeaderMap, caller: &Caller) -> Result<(), Problem> {
        match single_header(headers, SESSION_ID) {
            Ok(None) => Ok(()),
            Ok(Some(id)) if self.sessions.is_owned_by(id, caller) => Ok(()),
            _ => {
                let why = "there is no such session; initialize a new one";
                Err(Problem::rejected(Kind::NoSuchSession, why))
            }
        }
    }

    /// A stream that a client takes up has something more to say. An empty one would be asked for again and again.
    fn check_stream(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let session = single_header(headers, SESSION_ID).ok().flatten();
        let last_event = single_header(headers, LAST_EVENT_ID).ok().flatten();
        let Some((session, last_event)) = session.zip(last_event) else {
            return Ok(());
        };
        if self.sessions.manager.is_over(session, last_event) {
            let why = "nothing more comes on the stream of this `Last-Event-ID`";
            let problem = Problem::rejected(Kind::NoSuchMethod, why);
            return Err(problem.header(header::ALLOW, "GET, POST, DELETE"));
        }
        Ok(())
    }

    /// `params` that rmcp can read; it would say that there is no such method. And the scope of the tool.
    fn check_call(&self, caller: &Caller, params: Option<&Value>) -> Result<(), Problem> {
        let params = params.map(CallToolRequestParams::deserialize);
        let Some(Ok(params)) = params else {
            let why = "`params` of `tools/call` are a `name`, and `arguments` that are an object";
            return Err(Problem::rejected(Kind::Argument, why));
        };
        let tool = self.registry.find(&params.name);
        tool.map_or(Ok(()), |tool| {
            self.authenticator.check_scope(caller, &tool.contract)
        })
    }

    /// The outline of a body that is one message.
    fn message(&self, body: &[u8]) -> Result<Value, Problem> {
        let invalid = |why: &str| Err(Problem::rejected(Kind::InvalidRequest, why));
        let message = self.body.json(body, LEVELS).map_err(|why| {
            let why = format!("the body is not JSON that is accepted here: {why}");
            Problem::rejected(Kind::Unreadable, why)
        })?;
        if message.is_array() {
            return invalid("a batch is not accepted: send each message by itself");
        }
        if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return invalid("the body is not a message with `\"jsonrpc\": \"2.0\"`");
        }
        let is_id = |id: &Value| id.is_string() || id.is_i64() || id.is_u64();
        if message.get("id").is_some_and(|id| !is_id(id)) {
            return invalid("`id` is a text or a whole number");
        }
        Ok(message)
    }
}

/// Whether the request claims a revision without sessions.
fn is_stateless(headers: &HeaderMap) -> Result<bool, Problem> {
    let why = "`MCP-Protocol-Version` is given once";
    let version = single_header(headers, VERSION)
        .map_err(|()| Problem::rejected(Kind::HeaderMismatch, why))?;
    Ok(version >= Some(STATELESS))
}
