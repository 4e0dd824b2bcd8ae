//! The page at `/docs`, from assets inside the binary, and the description at `/openapi.json` that it reads.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use axum::{Extension, Router};
use http::{HeaderName, Method, StatusCode, header};
use sevendigital_tools::AnyTool;
use utoipa_swagger_ui::Config;

use super::openapi;
use super::response::{no_such_method, no_such_path};
use crate::http::answers::Unchanging;
use crate::http::errors::{problem_json, request_id};

/// The page loads and calls nothing but this server, and no other page frames it: a click on "Execute" may spend money.
const POLICY: [(HeaderName, &str); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
];

/// Page and description of these tools.
pub(super) fn router(tools: &[AnyTool]) -> Router {
    let description = Bytes::from(openapi::document(tools).to_string());
    let config = Config::new(["/openapi.json"]).use_base_layout();
    let config = config.validator_url("none").default_models_expand_depth(-1);
    let config = Arc::new(config);
    let page = any(async move |request: Request| {
        let answer = match (request.method(), request.uri().path()) {
            (&Method::GET, path) => content(path, &description, &config).ok_or_else(no_such_path),
            _ => Err(no_such_method("GET")),
        };
        let id = request_id(request.extensions());
        answer.unwrap_or_else(|problem| problem_json(&problem, &id))
    });
    let paths = ["/openapi.json", "/docs", "/docs/", "/docs/{file}"];
    let route = |router: Router, path| router.route(path, page.clone());
    paths.into_iter().fold(Router::new(), route)
}

/// What is at a path, if there is anything.
fn content(path: &str, description: &Bytes, config: &Arc<Config<'static>>) -> Option<Response> {
    let name = match path {
        "/openapi.json" => {
            let kind = [(header::CONTENT_TYPE, "application/json")];
            return Some((Extension(Unchanging), kind, description.clone()).into_response());
        }
        "/docs" => {
            let location = [(header::LOCATION, "/docs/")];
            return Some((StatusCode::PERMANENT_REDIRECT, location).into_response());
        }
        "/docs/" => "index.html",
        file => file.trim_start_matches("/docs/"),
    };
    let file = utoipa_swagger_ui::serve(name, Arc::clone(config)).ok()??;
    let kind = [(header::CONTENT_TYPE, file.content_type)];
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    Some((Extension(Unchanging), POLICY, kind, bytes).into_response())
}
