//! REST: the same tools at the card's routes. A request becomes arguments, and the guard does the rest.
//!
//! Some of the card's GETs spend money, so only GET and POST as declared ever reach a tool, and nothing that another web page sends.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use chrono::DateTime;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::json;
use sevendigital::{Effect, RateLimit};
use sevendigital_tools::AnyTool;

use super::{arguments, docs};
use crate::calls::admission::Load;
use crate::calls::call::{Asking, Call, Failure, Guard, Progress, Success};
use crate::calls::confirmation::Question;
use crate::config::Config;
use crate::headers::single_header;
use crate::http::body::Bounds;
use crate::http::cross_origin;
use crate::http::errors::Refused;
use crate::identity::user::{self, Users};
use crate::identity::{self, Door};
use crate::problem::{Kind, Problem};
use crate::telemetry::request_id::RequestId;
use crate::telemetry::trace::TraceContext;

/// The header that names a purchase, to repeat it by.
pub(crate) const NAME: &str = "Idempotency-Key";
/// The header that brings a confirmation back.
pub(crate) const CONFIRMATION: &str = "X-Confirmation";
/// Set on what the ledger answered in 7digital's place.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const FIRST_MADE: HeaderName = HeaderName::from_static("x-first-made-at");

/// What stands for the `{id}` of a path, where it can be read.
type PathOrNot = Result<RawPathParams, RawPathParamsRejection>;

/// The REST surface over the guard's tools: routes that only the right caller reaches, and a description that anybody may read.
pub fn router(config: &Config, guard: &Guard, door: &Door, load: &Load, bounds: &Bounds) -> Router {
    let mut paths: Vec<&'static str> = guard
        .tools()
        .iter()
        .map(|tool| tool.contract.rest.path)
        .collect();
    paths.sort_unstable();
    paths.dedup();
    let mut router = Router::new();
    for path in paths {
        let tools = guard.tools().iter();
        let place = Arc::new(Place {
            tools: tools
                .filter(|tool| tool.contract.rest.path == path)
                .copied()
                .collect(),
            guard: guard.clone(),
            door: door.clone(),
            load: load.clone(),
            users: Users::of(config),
            bounds: bounds.clone(),
        });
        router = router.route(
            path,
            any(async move |parameters: PathOrNot, request: Request| {
                let parameters = parameters.map_err(|_| {
                    Refused::new(Kind::Unreadable, "the path is not UTF-8 once it is decoded")
                })?;
                place.answer(&parameters, request).await
            }),
        );
    }
    // A browser can't show a token for a page.
    router
        .fallback(async || no_such_path())
        .layer(middleware::from_fn_with_state(
            door.clone(),
            identity::enter,
        ))
        .merge(docs::router(guard))
}

pub(super) fn no_such_path() -> Refused {
    Refused::saying(
        Kind::NoSuchPath,
        "There is nothing at this path; `/openapi.json` lists what there is.",
    )
}

pub(super) fn no_such_method(allowed: &str) -> Refused {
    let detail = format!("This path takes {allowed}; nothing was done.");
    Refused::saying(Kind::NoSuchMethod, detail).with(header::ALLOW, allowed)
}

/// The tools at one path: one for a method.
struct Place {
    tools: Vec<AnyTool>,
    guard: Guard,
    door: Door,
    load: Load,
    users: Users,
    bounds: Bounds,
}

impl Place {
    async fn answer(&self, path: &RawPathParams, request: Request) -> Result<Response, Refused> {
        let (parts, body) = request.into_parts();
        let method = |tool: &&AnyTool| tool.contract.rest.method.as_str() == parts.method.as_str();
        let Some(tool) = self.tools.iter().find(method) else {
            let allowed: Vec<&str> = self
                .tools
                .iter()
                .map(|tool| tool.contract.rest.method.as_str())
                .collect();
            return Err(no_such_method(&allowed.join(", ")));
        };
        let effect = tool.contract.upstream.effect;
        if effect != Effect::Reads && cross_origin::is_navigation(&parts.headers) {
            let why = "a browser that opens an address does not change or buy anything here";
            return Err(Refused::new(Kind::Foreign, why));
        }
        let caller = identity::caller(&parts.extensions)?;
        self.door.check_scope(&caller, &tool.contract)?;
        let arguments = arguments::read(&parts, path, body, &self.bounds).await?;
        let user = user::of_headers(&parts.headers, self.users);
        let mut call = Call {
            arguments,
            user: user.map_err(|failure| failed(&failure, effect))?,
            request: parts
                .extensions
                .get::<RequestId>()
                .cloned()
                .unwrap_or_default(),
            trace: TraceContext::of_headers(&parts.headers),
            consent: text(&parts.headers, CONFIRMATION, 4096)?,
            name: text(&parts.headers, NAME, 255)?,
            asking: Asking::Possible,
            caller,
            place: None,
        };
        call.place = Some(self.load.admit(&call.caller, effect).await?);
        match self.guard.call(tool, call).await {
            Ok(Progress::Done(success)) => Ok(done(success)),
            Ok(Progress::Ask(question)) => Err(ask(question)),
            Err(failure) => Err(failed(&failure, effect)),
        }
    }
}

/// A header that may be given once, of visible ASCII.
fn text(headers: &HeaderMap, name: &str, longest: usize) -> Result<Option<String>, Refused> {
    match single_header(headers, name) {
        Ok(None) => Ok(None),
        Ok(Some(text)) if (1..=longest).contains(&text.len()) => Ok(Some(text.to_owned())),
        _ => {
            let why =
                format!("`{name}` is given once, with 1 to {longest} visible ASCII characters");
            Err(Refused::new(Kind::Header, why))
        }
    }
}

/// The document, byte for byte what MCP gives, and in headers what is known around it.
fn done(success: Success) -> Response {
    let Success { reply, replayed } = success;
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if let Some(RateLimit {
        limit,
        current,
        reset,
        ..
    }) = reply.answer.rate_limit
    {
        headers.insert("x-ratelimit-limit", limit.into());
        headers.insert("x-ratelimit-current", current.into());
        headers.insert("x-ratelimit-reset", reset.into());
    }
    if let Some(first) = replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        let first = DateTime::from_timestamp_millis(first).map(|first| first.to_rfc3339());
        if let Some(first) = first.and_then(|first| first.parse().ok()) {
            headers.insert(FIRST_MADE, first);
        }
    }
    (headers, reply.answer.document.to_string()).into_response()
}

/// Nobody can be asked here, so the question goes to the caller, and the yes comes with the call made again.
fn ask(question: Question) -> Refused {
    let Question {
        message,
        sealed,
        patience,
    } = question;
    let detail = format!(
        "Nothing was sent. Show `message` to the user; if they agree, make the same call again within {} seconds with the header `{CONFIRMATION}` set to `confirmation`, which is good for one call.",
        patience.as_secs()
    );
    Refused::saying(Kind::ConfirmationNeeded, detail).telling([
        ("message", json!(message)),
        ("confirmation", json!(sealed)),
        ("outcome", json!("not_sent")),
        ("mayHaveCharged", json!(false)),
        ("repeat", json!("after_change")),
    ])
}

fn failed(failure: &Failure, effect: Effect) -> Refused {
    let mut refused = Problem::from(failure).refused(effect);
    if let Some(wait) = failure.wait() {
        refused = refused.after(wait);
    }
    if matches!(failure, Failure::Stored(_)) {
        refused = refused.with(REPLAYED, "true");
    }
    refused
}
