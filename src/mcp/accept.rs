//! Answers as clients take them. rmcp wants to hear `Accept: application/json, text/event-stream`, whatever it answers with; here it hears that wherever the answer is one that the client takes.

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use rmcp::RoleServer;
use rmcp::service::RequestContext;

use crate::http::accept::quality;
use crate::problem::{Kind, Problem};

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
/// What rmcp wants to hear.
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// Marks a request whose client takes its answer only as JSON, so that it hears nothing before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alone {
    /// The answer is JSON anyway.
    AsItIs,
    /// The answer would be a stream, on which the user could have been asked.
    InSession,
}

/// Whether nothing but its answer reaches the client of a request.
pub(super) fn takes_only_the_answer(context: &RequestContext<RoleServer>) -> bool {
    alone(context).is_some()
}

/// Whether a question in its session would not reach the client of a request.
pub(super) fn hears_no_question(context: &RequestContext<RoleServer>) -> bool {
    alone(context) == Some(Alone::InSession)
}

fn alone(context: &RequestContext<RoleServer>) -> Option<Alone> {
    let parts = context.extensions.get::<Parts>()?;
    parts.extensions.get().copied()
}

/// Of a request whose answer is JSON, or in a session a stream of events: whether the client takes that, or takes JSON that can be made of it.
pub(super) fn check_request(parts: &mut Parts, stateless: bool) -> Result<(), Problem> {
    let (json, events) = (takes(&parts.headers, JSON), takes(&parts.headers, EVENTS));
    match (json, events) {
        (false, false) => return Err(not_acceptable("application/json, text/event-stream")),
        (false, true) if stateless => return Err(not_acceptable(JSON)),
        (true, false) => {
            let alone = if stateless {
                Alone::AsItIs
            } else {
                Alone::InSession
            };
            parts.extensions.insert(alone);
        }
        _ => {}
    }
    set_both(&mut parts.headers);
    Ok(())
}

/// Of a request for a stream of events.
pub(super) fn check_stream(headers: &mut HeaderMap) -> Result<(), Problem> {
    if !takes(headers, EVENTS) {
        return Err(not_acceptable(EVENTS));
    }
    set_both(headers);
    Ok(())
}

/// Of what has no answer with a body.
pub(super) fn set_both(headers: &mut HeaderMap) {
    headers.insert(header::ACCEPT, BOTH);
}

/// Whether the client of that request must get JSON where rmcp answers with events.
pub(super) fn must_be_json(parts: &Parts) -> bool {
    parts.extensions.get() == Some(&Alone::InSession)
}

/// The one message of a stream, as JSON. The client was asked nothing on it, and told nothing.
pub(super) async fn as_json(response: Response) -> Result<Response, Problem> {
    let kind = response.headers().get(header::CONTENT_TYPE);
    if kind.is_none_or(|kind| kind != EVENTS) {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    // As large as our own answer is.
    let events = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let lines = events.split(|byte| *byte == b'\n');
    let mut messages = lines.filter_map(|line| line.strip_prefix(b"data:"));
    let message = messages.rfind(|data| !data.trim_ascii().is_empty());
    let message = message.ok_or_else(Problem::internal)?.trim_ascii();
    parts.headers.remove("x-accel-buffering");
    let kind = HeaderValue::from_static(JSON);
    parts.headers.insert(header::CONTENT_TYPE, kind);
    Ok(Response::from_parts(parts, Body::from(message.to_vec())))
}

fn takes(headers: &HeaderMap, kind: &str) -> bool {
    quality(headers, kind) > 0
}

fn not_acceptable(kinds: &str) -> Problem {
    let why = format!("the answer can't be had as the `Accept` wants it; send `Accept: {kinds}`");
    Problem::rejected(Kind::NotAcceptable, why)
}
