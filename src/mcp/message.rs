//! What a message must be before rmcp reads it: JSON within limits, one JSON-RPC request, for a tool that the caller may use.
//!
//! What rmcp rejects in JSON-RPC keeps rmcp's response; what it rejects in plain text becomes an error of JSON-RPC.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rmcp::model::ProtocolVersion;
use serde_json::Value;

use super::result::rejected_message;
use super::sessions::Sessions;
use super::{accept, resources, shape};
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
const NO_SESSION: &str = "there is no such session; initialize a new one";
/// What a request lacks that names neither a session nor the revision without them.
const OPENING: &str = "a request names its session or needs none: send `initialize` first, and then the \
    `Mcp-Session-Id` of its answer; or, in protocol 2026-07-28, `MCP-Protocol-Version: 2026-07-28`, \
    `Mcp-Method`, for a call `Mcp-Name`, and `_meta` in `params`";

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
        if request.method() != Method::POST {
            return self.pass_without_message(request, next, stateless).await;
        }
        let (mut parts, body) = request.into_parts();
        if media_type(&parts.headers).as_deref() != Some("application/json") {
            let why = "send one `Content-Type: application/json`, in UTF-8 and without a `Content-Encoding`";
            return Err(Problem::rejected(Kind::MediaType, why));
        }
        let body = self.body.read(&parts.headers, body).await?;
        let message = shape::outline(&self.body, &body, id)?;
        let method = shape::requested(&message);
        let initializes = method == Some("initialize");
        shape::check_params(&message, &body).map_err(|problem| {
            // One that is whole is a handshake of an older revision, whatever the header says.
            if initializes && stateless {
                shape::no_such_method("initialize")
            } else {
                problem
            }
        })?;
        match method {
            Some("tools/call") => self.check_scope(&caller, &message)?,
            Some("resources/read") => self.check_scope_to_look(&caller, &message)?,
            _ => {}
        }
        match method {
            // What is not answered is taken, whatever its client takes.
            None => accept::set_both(&mut parts.headers),
            Some(_) => accept::check_request(&mut parts, stateless && !initializes)?,
        }
        if initializes && stateless {
            // rmcp takes a handshake for one of an older revision, and the session that it names for meant, whatever version it claims.
            self.check_session(&parts.headers, &caller)?;
        }
        let version = parts.headers.get(VERSION).cloned();
        let must_be_json = accept::must_be_json(&parts);
        let request = Request::from_parts(parts, Body::from(body));
        let response = if initializes {
            let initialize = async move { next.run(request).await };
            self.sessions.open(&caller, initialize).await?
        } else {
            next.run(request).await
        };
        if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            return Err(shape::unreadable(&message));
        }
        let response = in_our_words(response, version.as_ref(), method.unwrap_or_default())?;
        if must_be_json {
            return accept::as_json(response).await;
        }
        Ok(response)
    }

    /// Passes on what opens a stream or ends a session.
    async fn pass_without_message(
        &self,
        mut request: Request,
        next: Next,
        stateless: bool,
    ) -> Result<Response, Problem> {
        let method = request.method().clone();
        if method == Method::GET && !stateless {
            self.check_stream(request.headers())?;
            accept::check_stream(request.headers_mut())?;
        }
        accept::set_both(request.headers_mut());
        let version = request.headers().get(VERSION).cloned();
        let mut response = next.run(request).await;
        if method == Method::DELETE {
            self.sessions.sweep().await;
            if response.status() == StatusCode::ACCEPTED {
                // It is done, not to be done; SDKs warn of a 202.
                *response.status_mut() = StatusCode::NO_CONTENT;
            }
        }
        in_our_words(response, version.as_ref(), "")
    }

    /// A session is there for the caller that opened it, and for no other.
    fn check_session(&self, headers: &HeaderMap, caller: &Caller) -> Result<(), Problem> {
        match single_header(headers, SESSION_ID) {
            Ok(None) => Ok(()),
            Ok(Some(id)) if self.sessions.is_owned_by(id, caller) => Ok(()),
            _ => Err(Problem::rejected(Kind::NoSuchSession, NO_SESSION)),
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

    /// The caller's token has the scope of the tool that it calls.
    fn check_scope(&self, caller: &Caller, message: &Value) -> Result<(), Problem> {
        let params = shape::call_params(message)?;
        let tool = self.registry.find(&params.name);
        tool.map_or(Ok(()), |tool| {
            let missing = caller.missing_scope(&tool.contract);
            self.authenticator.check_scope(caller, missing)
        })
    }

    /// The same for a resource, unless it is for everybody.
    fn check_scope_to_look(&self, caller: &Caller, message: &Value) -> Result<(), Problem> {
        let uri = message.pointer("/params/uri").and_then(Value::as_str);
        if uri.is_some_and(resources::is_open) {
            return Ok(());
        }
        let missing = caller.missing_scope_to_look();
        self.authenticator.check_scope(caller, missing)
    }
}

/// A response of rmcp's that rejects something in plain text, or by a bare name, says the same as an error of JSON-RPC in words.
fn in_our_words(
    response: Response,
    version: Option<&HeaderValue>,
    method: &str,
) -> Result<Response, Problem> {
    let (status, headers) = (response.status(), response.headers());
    if headers.contains_key(header::CONTENT_TYPE) {
        // Its other answers of that status are plain text.
        return if status == StatusCode::NOT_FOUND {
            Err(shape::no_such_method(method))
        } else {
            Ok(response)
        };
    }
    let spoken = ProtocolVersion::KNOWN_VERSIONS.iter();
    let spoken: Vec<&str> = spoken.map(ProtocolVersion::as_str).collect();
    let is_spoken = |version: &HeaderValue| spoken.iter().any(|spoken| version == spoken);
    let (kind, why) = match status {
        StatusCode::BAD_REQUEST if version.is_some_and(|version| !is_spoken(version)) => {
            let why = format!("`MCP-Protocol-Version` is one of {}", spoken.join(", "));
            (Kind::InvalidRequest, why)
        }
        StatusCode::BAD_REQUEST => (Kind::InvalidRequest, OPENING.to_owned()),
        StatusCode::NOT_FOUND => (Kind::NoSuchSession, NO_SESSION.to_owned()),
        StatusCode::METHOD_NOT_ALLOWED => {
            let allowed = headers.get(header::ALLOW);
            let allowed = allowed.and_then(|allowed| allowed.to_str().ok());
            let allowed = allowed.unwrap_or("POST").to_owned();
            let why = format!("`/mcp` takes {allowed} in this revision of the protocol");
            let problem = Problem::rejected(Kind::NoSuchMethod, why);
            return Err(problem.header(header::ALLOW, &allowed));
        }
        _ => return Ok(response),
    };
    Err(Problem::rejected(kind, why))
}

/// Whether the request claims a revision without sessions.
fn is_stateless(headers: &HeaderMap) -> Result<bool, Problem> {
    let why = "`MCP-Protocol-Version` is given once";
    let version = single_header(headers, VERSION)
        .map_err(|()| Problem::rejected(Kind::HeaderMismatch, why))?;
    Ok(version >= Some(STATELESS))
}
