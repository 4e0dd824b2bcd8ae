//! The capability's routes. A request becomes arguments, and [`Calls`] does the rest.
//!
//! Some of the GETs spend money, so only GET and POST as declared ever reach a tool, and nothing that another web page sends.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request};
use axum::response::Response;
use axum::routing::any;
use http::HeaderMap;
use http::request::Parts;
use sevendigital::Effect;
use sevendigital_tools::AnyTool;

use super::response::{CONFIRMATION, DRY_RUN, IDEMPOTENCY_KEY, no_such_method, no_such_path};
use super::{arguments, docs, response};
use crate::calls::{Asker, Call, CallOutcome, Calls, Held, RequestContext, UserAnswer};
use crate::config::Config;
use crate::headers::single_header;
use crate::http::body::BodyReader;
use crate::http::cross_origin::is_navigation;
use crate::http::errors::{problem_json, request_id};
use crate::http::front_page::{self, Place};
use crate::http::stack::{authenticated, caller};
use crate::identity::{Authenticator, User};
use crate::problem::{Kind, Problem};
use crate::telemetry::trace_context::TraceContext;

/// What the front page names.
const PLACES: [Place; 2] = [
    ("/docs", "The routes of this REST API, as a page."),
    ("/openapi.json", "The same for programs, in OpenAPI 3.1."),
];

type PathParameters = Result<RawPathParams, RawPathParamsRejection>;

/// The routes of the tools for known callers, and their description for all.
pub fn router(
    config: &Config,
    calls: &Calls,
    authenticator: &Authenticator,
    body: &BodyReader,
) -> Router {
    let tools = calls.registry().tools();
    let mut paths: BTreeMap<&str, Vec<AnyTool>> = BTreeMap::new();
    for tool in tools {
        paths.entry(tool.contract.rest).or_default().push(*tool);
    }
    let mut router = Router::new();
    for (path, tools) in paths {
        let route = Arc::new(Route {
            tools,
            calls: calls.clone(),
            authenticator: authenticator.clone(),
            user_from_headers: config.user_from_headers,
            body: body.clone(),
        });
        let handler = async move |parameters: PathParameters, request: Request| {
            let id = request_id(request.extensions());
            let answer = route.answer(parameters, request).await;
            answer.unwrap_or_else(|problem| problem_json(&problem, &id))
        };
        router = router.route(path, any(handler));
    }
    let router = router.fallback(async |request: Request| {
        problem_json(&no_such_path(), &request_id(request.extensions()))
    });
    // A browser has no token when it opens a page.
    authenticated(router, authenticator.clone(), problem_json)
        .merge(docs::router(tools))
        .merge(front_page::router(&PLACES, problem_json))
}

/// The tools at one path: one for each method.
struct Route {
    tools: Vec<AnyTool>,
    calls: Calls,
    authenticator: Authenticator,
    user_from_headers: bool,
    body: BodyReader,
}

impl Route {
    async fn answer(
        &self,
        parameters: PathParameters,
        request: Request,
    ) -> Result<Response, Problem> {
        let why = "the path is not UTF-8 once it is decoded";
        let parameters = parameters.map_err(|_| Problem::rejected(Kind::Unreadable, why))?;
        let (parts, body) = request.into_parts();
        let tool = self.tool(&parts)?;
        let held = parts.extensions.get::<Held>().cloned();
        let caller = caller(&parts.extensions)?;
        let missing = caller.missing_scope(&tool.contract);
        self.authenticator.check_scope(&caller, missing)?;
        let arguments = arguments::read(&parts, &parameters, body, &self.body).await?;
        let effect = tool.contract.upstream.effect;
        let user = User::from_headers(&parts.headers, self.user_from_headers);
        let token = text(&parts.headers, CONFIRMATION, 4096)?;
        let call = Call {
            arguments,
            caller,
            user: user.map_err(|problem| problem.of_call(effect))?,
            context: RequestContext {
                id: request_id(&parts.extensions),
                trace: TraceContext::from_headers(&parts.headers),
            },
            confirmation: token.map_or(UserAnswer::NotAsked(Asker::Client), UserAnswer::Confirmed),
            idempotency_key: text(&parts.headers, IDEMPOTENCY_KEY, 255)?,
        };
        if dry_run(&parts.headers)? {
            return Ok(response::dry_run(&self.calls.dry_run(tool, call).await?));
        }
        match self.calls.call(tool, call).await? {
            CallOutcome::Completed(mut completed) => {
                if let Some(held) = held {
                    held.keep(completed.hold.take());
                }
                Ok(response::completed(completed))
            }
            CallOutcome::ConfirmationRequired(question) => {
                Err(response::confirmation_required(question))
            }
        }
    }

    /// The tool for the request's method, unless a browser opens the address of one that does not merely read.
    fn tool(&self, request: &Parts) -> Result<&AnyTool, Problem> {
        let method = |tool: &AnyTool| tool.contract.upstream.method.as_str();
        let wanted = request.method.as_str();
        let Some(tool) = self.tools.iter().find(|tool| method(tool) == wanted) else {
            let methods: Vec<_> = self.tools.iter().map(method).collect();
            return Err(no_such_method(&methods.join(", ")));
        };
        let reads = tool.contract.upstream.effect == Effect::Reads;
        if !reads && is_navigation(&request.headers) {
            let why = "a browser that opens an address does not change or buy anything here";
            return Err(Problem::rejected(Kind::CrossOrigin, why));
        }
        Ok(tool)
    }
}

/// Whether the caller wants to be shown what would be sent, and nothing sent.
fn dry_run(headers: &HeaderMap) -> Result<bool, Problem> {
    match text(headers, DRY_RUN, 5)?.as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => {
            let why = format!("`{DRY_RUN}` is `true` or `false`");
            Err(Problem::rejected(Kind::Header, why))
        }
    }
}

/// A header that may be given once, of visible ASCII.
fn text(headers: &HeaderMap, name: &str, max: usize) -> Result<Option<String>, Problem> {
    match single_header(headers, name) {
        Ok(None) => Ok(None),
        Ok(Some(text)) if (1..=max).contains(&text.len()) => Ok(Some(text.to_owned())),
        _ => {
            let why = format!("`{name}` is given once, with 1 to {max} visible ASCII characters");
            Err(Problem::rejected(Kind::Header, why))
        }
    }
}
