//! The page at `/docs`, from assets inside the binary, and the description at `/openapi.json` that it reads.

use axum::body::Bytes;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use axum::{Extension, Router};
use http::{HeaderName, Method, StatusCode, header};
use sevendigital_tools::AnyTool;

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
    let page = any(async move |request: Request| {
        let answer = match (request.method(), request.uri().path()) {
            (&Method::GET, path) => content(path, &description).ok_or_else(no_such_path),
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
fn content(path: &str, description: &Bytes) -> Option<Response> {
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
    let mut files = FILES.iter();
    let file = files.find(|file| file.name == name)?;
    let kind = [(header::CONTENT_TYPE, file.kind)];
    let encoding = file.gzip.then_some([(header::CONTENT_ENCODING, "gzip")]);
    let content = Bytes::from_static(file.bytes);
    Some((Extension(Unchanging), POLICY, kind, encoding, content).into_response())
}

/// A file of the page.
struct File {
    name: &'static str,
    kind: &'static str,
    /// Whether it is compressed: it is sent so whatever is asked for, since each browser takes it.
    gzip: bool,
    bytes: &'static [u8],
}

const FILES: [File; 5] = [
    File {
        name: "index.html",
        kind: "text/html",
        gzip: false,
        bytes: include_bytes!("docs/index.html"),
    },
    File {
        name: "start.js",
        kind: "text/javascript",
        gzip: false,
        bytes: include_bytes!("docs/start.js"),
    },
    File {
        name: "icon.png",
        kind: "image/png",
        gzip: false,
        bytes: include_bytes!("../mcp/icon.png"),
    },
    File {
        name: "swagger-ui-bundle.js",
        kind: "text/javascript",
        gzip: true,
        bytes: include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js.gz")),
    },
    File {
        name: "swagger-ui.css",
        kind: "text/css",
        gzip: true,
        bytes: include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui.css.gz")),
    },
];
