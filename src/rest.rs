//! REST: the same tools at the card's routes. A request becomes arguments, and the guard does the rest.
//!
//! Some of the card's GETs spend money, so only GET and POST as declared ever reach a tool, and nothing that another web page sends.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawPathParams, Request};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use chrono::DateTime;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use sevendigital::{Effect, RateLimit};
use sevendigital_tools::AnyTool;

use crate::config::Config;
use crate::confirm::{PATIENCE, Question};
use crate::front::{self, Door, Front};
use crate::guard::{Asking, Call, Failure, Guard, Progress, Success};
use crate::problem::{Kind, Problem};
use crate::user::{self, Users};

mod arguments;
mod docs;

/// The header that names a purchase, to repeat it by.
pub(crate) const NAME: &str = "Idempotency-Key";
/// The header that brings a confirmation back.
pub(crate) const CONFIRMATION: &str = "X-Confirmation";
/// Set on what the ledger answered in 7digital's place.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const FIRST_MADE: HeaderName = HeaderName::from_static("x-first-made-at");

/// The REST surface over the guard's tools.
pub fn router(config: &Config, guard: &Guard) -> Router {
    let users = Users::of(config);
    let docs = docs::router(guard);
    let mut paths: Vec<&'static str> = guard
        .tools()
        .iter()
        .map(|tool| tool.contract.rest.path)
        .collect();
    paths.sort_unstable();
    paths.dedup();
    let mut router = Router::new();
    for path in paths {
        let place = Arc::new(Place::at(path, guard, users));
        router = router.route(
            path,
            any(async move |parameters: RawPathParams, request: Request| {
                place.answer(&parameters, request).await
            }),
        );
    }
    router = router.fallback(async || no_such_path());
    if let Some(token) = config.token.clone() {
        let door = Door { token, refusal };
        router = router.layer(middleware::from_fn_with_state(door, front::authorised));
    }
    // The description holds nothing but the interface, and a browser can't show a token for a page.
    router
        .merge(docs)
        .layer(middleware::from_fn_with_state(
            Front::new(config, refusal),
            front::no_foreign_page,
        ))
        .layer(middleware::map_response(async |response: Response| {
            (PRIVATE, response)
        }))
}

/// No cache keeps an answer, and no other page reads one.
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

fn refusal(status: StatusCode, why: &str) -> Response {
    let kind = if status == StatusCode::UNAUTHORIZED {
        Kind::Unauthenticated
    } else {
        Kind::Foreign
    };
    problem(&kind.document(&format!("Nothing was done: {why}.")))
}

fn no_such_path() -> Response {
    problem(
        &Kind::NoSuchPath
            .document("There is nothing at this path; `/openapi.json` lists what there is."),
    )
}

fn no_such_method(allowed: &str) -> Response {
    let answer = problem(
        &Kind::NoSuchMethod.document(&format!("This path takes {allowed}; nothing was done.")),
    );
    ([(header::ALLOW, allowed.to_owned())], answer).into_response()
}

/// A problem as RFC 9457 has it, with the status that it tells.
fn problem(document: &Value) -> Response {
    let status = document.get("status").and_then(Value::as_u64);
    let status = status.and_then(|status| StatusCode::from_u16(u16::try_from(status).ok()?).ok());
    (
        status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        [(header::CONTENT_TYPE, "application/problem+json")],
        document.to_string(),
    )
        .into_response()
}

/// The tools at one path: one for a method.
struct Place {
    guard: Guard,
    users: Users,
    tools: Vec<AnyTool>,
}

impl Place {
    fn at(path: &str, guard: &Guard, users: Users) -> Self {
        let tools = guard
            .tools()
            .iter()
            .filter(|tool| tool.contract.rest.path == path);
        Self {
            tools: tools.copied().collect(),
            guard: guard.clone(),
            users,
        }
    }

    async fn answer(&self, path: &RawPathParams, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let method = |tool: &&AnyTool| tool.contract.rest.method.as_str() == parts.method.as_str();
        let Some(tool) = self.tools.iter().find(method) else {
            let allowed: Vec<&str> = self
                .tools
                .iter()
                .map(|tool| tool.contract.rest.method.as_str())
                .collect();
            return no_such_method(&allowed.join(", "));
        };
        let effect = tool.contract.upstream.effect;
        if effect != Effect::Reads && front::is_navigation(&parts.headers) {
            return refusal(
                StatusCode::FORBIDDEN,
                "a browser that opens an address does not change or buy anything here",
            );
        }
        match self.call(tool, &parts, path, body).await {
            Ok(Progress::Done(success)) => done(success),
            Ok(Progress::Ask(question)) => ask(question),
            Err(Refused::Unread((kind, why))) => {
                problem(&kind.document(&format!("{why} Nothing was done.")))
            }
            Err(Refused::Failed(failure)) => {
                let name = tool.contract.name;
                tracing::warn!(tool.name = name, "tool `{name}` failed: {failure}");
                failed(&failure, effect)
            }
        }
    }

    async fn call(
        &self,
        tool: &AnyTool,
        parts: &http::request::Parts,
        path: &RawPathParams,
        body: Body,
    ) -> Result<Progress, Refused> {
        let call = Call {
            user: user::of_headers(&parts.headers, self.users)?,
            consent: text(&parts.headers, CONFIRMATION, 4096)?,
            name: text(&parts.headers, NAME, 255)?,
            asking: Asking::Possible,
            arguments: arguments::read(parts, path, body).await?,
        };
        Ok(self.guard.call(tool, call).await?)
    }
}

/// Why a request was not carried out.
enum Refused {
    Unread(arguments::Unread),
    Failed(Failure),
}

impl From<arguments::Unread> for Refused {
    fn from(unread: arguments::Unread) -> Self {
        Self::Unread(unread)
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// A header that may be given once, of visible ASCII.
fn text(
    headers: &HeaderMap,
    name: &str,
    longest: usize,
) -> Result<Option<String>, arguments::Unread> {
    let mut values = headers.get_all(name).iter();
    let wrong = || {
        (
            Kind::Header,
            format!(
                "The header `{name}` is given once, with 1 to {longest} visible ASCII characters."
            ),
        )
    };
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(wrong()),
        (Some(value), None) => match value.to_str() {
            Ok(text) if (1..=longest).contains(&text.len()) => Ok(Some(text.to_owned())),
            _ => Err(wrong()),
        },
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
fn ask(question: Question) -> Response {
    let detail = format!(
        "Nothing was sent. Show `message` to the user; if they agree, make the same call again within {} seconds with the header `{CONFIRMATION}` set to `confirmation`, which is good for one call.",
        PATIENCE.as_secs()
    );
    let Question { message, sealed } = question;
    let further = [
        ("message", json!(message)),
        ("confirmation", json!(sealed)),
        ("outcome", json!("not_sent")),
        ("mayHaveCharged", json!(false)),
        ("repeat", json!("after_change")),
    ];
    problem(&Kind::ConfirmationNeeded.document_with(&detail, further))
}

fn failed(failure: &Failure, effect: Effect) -> Response {
    let mut response = problem(&Problem::from(failure).document(effect));
    if let Some(wait) = failure.wait() {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, wait.as_secs().into());
    }
    if matches!(failure, Failure::Stored(_)) {
        response
            .headers_mut()
            .insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}
