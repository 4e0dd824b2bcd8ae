//! The page at `/docs`, from assets inside the binary, and the description at `/openapi.json` that it reads.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::{HeaderName, Method, StatusCode, header};
use utoipa_swagger_ui::Config;

use super::routes::{no_such_method, no_such_path};
use crate::calls::call::Guard;
use crate::rest::openapi;

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

/// Page and description, for the tools that the guard serves.
pub(super) fn router(guard: &Guard) -> Router {
    let description: Arc<str> = openapi::document(guard.tools()).to_string().into();
    let config = Config::new(["/openapi.json"])
        .use_base_layout()
        .validator_url("none")
        .default_models_expand_depth(-1);
    let config = Arc::new(config);
    let page = Arc::clone(&config);
    Router::new()
        .route(
            "/openapi.json",
            any(async move |request: Request| {
                get(&request, || {
                    let kind = [(header::CONTENT_TYPE, "application/json")];
                    (kind, description.to_string()).into_response()
                })
            }),
        )
        .route(
            "/docs",
            any(async |request: Request| {
                get(&request, || {
                    (
                        StatusCode::PERMANENT_REDIRECT,
                        [(header::LOCATION, "/docs/")],
                    )
                        .into_response()
                })
            }),
        )
        .route(
            "/docs/",
            any(async move |request: Request| get(&request, || asset("index.html", &page))),
        )
        .route(
            "/docs/{file}",
            any(async move |Path(file): Path<String>, request: Request| {
                get(&request, || asset(&file, &config))
            }),
        )
}

fn get(request: &Request, answer: impl FnOnce() -> Response) -> Response {
    if request.method() == Method::GET {
        answer()
    } else {
        no_such_method("GET").into_response()
    }
}

fn asset(name: &str, config: &Arc<Config<'static>>) -> Response {
    match utoipa_swagger_ui::serve(name, Arc::clone(config)) {
        Ok(Some(file)) => {
            let kind = [(header::CONTENT_TYPE, file.content_type)];
            (POLICY, kind, file.bytes.into_owned()).into_response()
        }
        Ok(None) | Err(_) => no_such_path().into_response(),
    }
}
