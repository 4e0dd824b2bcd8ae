//! What a message must be before rmcp reads it: JSON within bounds, one request, for a tool that the caller may use, with a place for it.
//!
//! What rmcp refuses by itself is told as it tells it, but for malformed messages: those it answers with 415, and JSON-RPC wants an error.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Method, StatusCode};
use rmcp::model::CallToolRequestParams;
use serde::Deserialize as _;
use serde_json::Value;

use crate::calls::admission::Load;
use crate::calls::call::Guard;
use crate::headers::single_header;
use crate::http::body::{Bounds, media_type};
use crate::http::errors::{HEADER_MISMATCH, INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR, Refused};
use crate::identity::{self, Caller, Door};
use crate::mcp::sessions::Sessions;
use crate::problem::Kind;

const SESSION: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";
/// The first revision without sessions: it ignores the header that names one.
const WITHOUT_SESSIONS: &str = "2026-07-28";

/// What stands between the door and rmcp.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The tools that are served.
    pub guard: Guard,
    /// What to tell a caller that lacks a scope.
    pub door: Door,
    /// Places for calls.
    pub load: Load,
    /// Sessions of the older protocols.
    pub sessions: Arc<Sessions>,
    /// Bounds of a message.
    pub bounds: Bounds,
}

/// Lets a request pass to rmcp.
pub async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    gate.answer(request, next)
        .await
        .unwrap_or_else(Refused::into_response)
}

impl Gate {
    async fn answer(&self, request: Request, next: Next) -> Result<Response, Refused> {
        if single_header(request.headers(), VERSION).is_err() {
            let why = "`MCP-Protocol-Version` is given once";
            return Err(Refused::new(Kind::Header, why).as_rpc(HEADER_MISMATCH, Value::default()));
        }
        let caller = identity::caller(request.extensions())?;
        if !is_modern(request.headers()) {
            self.check_session(request.headers(), &caller)?;
        }
        if request.method() != Method::POST {
            return Ok(next.run(request).await);
        }
        let (mut parts, body) = request.into_parts();
        if media_type(&parts.headers).as_deref() != Some("application/json") {
            let why = "send one `Content-Type: application/json`, in UTF-8 and without a `Content-Encoding`";
            return Err(Refused::new(Kind::MediaType, why));
        }
        let body = self.bounds.whole(&parts.headers, body).await?;
        let message = self.message(&body)?;
        let id = message.get("id").cloned().unwrap_or_default();
        let method = message
            .get("method")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if method == "tools/call" && !id.is_null() && !is_call(message.get("params")) {
            let why = "`params` of `tools/call` are a `name`, and `arguments` that are an object";
            return Err(Refused::new(Kind::Unreadable, why).as_rpc(INVALID_PARAMS, id));
        }
        if method == "tools/call"
            && let Some(name) = message.pointer("/params/name").and_then(Value::as_str)
            && let Some(tool) = self.guard.find(name)
        {
            let as_rpc = |refused: Refused| refused.as_rpc(INVALID_REQUEST, id.clone());
            self.door
                .check_scope(&caller, &tool.contract)
                .map_err(as_rpc)?;
            // A tool that the caller can't see is no tool for it, which is what the handler says.
            if caller.may(&tool.contract) {
                let effect = tool.contract.upstream.effect;
                let place = self.load.admit(&caller, effect).await.map_err(as_rpc)?;
                parts.extensions.insert(place);
            }
        }
        let opens = method == "initialize";
        if opens {
            // rmcp takes a handshake for one of an older revision, and a session that it names for meant, whatever version it claims.
            self.check_session(&parts.headers, &caller)?;
        }
        let request = Request::from_parts(parts, Body::from(body));
        let response = if opens {
            self.sessions.opening(&caller, next.run(request)).await?
        } else {
            next.run(request).await
        };
        if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            let why = "the message is not a request, notification or response as MCP has them";
            return Err(
                Refused::new(Kind::Unreadable, why).as_rpc(INVALID_REQUEST, id_of(&message))
            );
        }
        Ok(response)
    }

    /// A session is there for whoever opened it, and for nobody else.
    fn check_session(&self, headers: &HeaderMap, caller: &Caller) -> Result<(), Refused> {
        match single_header(headers, SESSION) {
            Ok(None) => Ok(()),
            Ok(Some(id)) if self.sessions.is_of(id, caller) => Ok(()),
            _ => Err(Refused::new(
                Kind::NoSuchSession,
                "there is no such session; initialize a new one",
            )),
        }
    }

    fn message(&self, body: &[u8]) -> Result<Value, Refused> {
        let refused =
            |code, why: &str| Refused::new(Kind::Unreadable, why).as_rpc(code, Value::Null);
        let message = self.bounds.json(body).map_err(|why| {
            refused(
                PARSE_ERROR,
                &format!("the body is not JSON that is taken here: {why}"),
            )
        })?;
        if message.is_array() {
            return Err(refused(
                INVALID_REQUEST,
                "a batch is not taken: send each message by itself",
            ));
        }
        if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(refused(
                INVALID_REQUEST,
                "the body is not a message with `\"jsonrpc\": \"2.0\"`",
            ));
        }
        if message.get("id").is_some_and(|id| id_of(&message) != *id) {
            return Err(refused(INVALID_REQUEST, "`id` is a text or a whole number"));
        }
        Ok(message)
    }
}

/// Whether rmcp reads them as a call of a tool; else it would say that there is no such method.
fn is_call(params: Option<&Value>) -> bool {
    params.is_some_and(|params| CallToolRequestParams::deserialize(params).is_ok())
}

/// Whether the request claims a revision without sessions.
fn is_modern(headers: &HeaderMap) -> bool {
    single_header(headers, VERSION).is_ok_and(|version| version >= Some(WITHOUT_SESSIONS))
}

/// The id of a message, if it has one that an answer can bear.
fn id_of(message: &Value) -> Value {
    match message.get("id") {
        Some(id) if id.is_string() || id.is_i64() || id.is_u64() => id.clone(),
        _ => Value::Null,
    }
}
