//! What stands at `/`: what this server is and where to go, as a page for a browser and as JSON for a program.

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::{HeaderMap, HeaderName, Method, header};
use serde_json::{Map, Value, json};

use super::accept::quality;
use super::errors::{Renderer, request_id};
use crate::problem::{Kind, Problem};

/// A path that is served, and what it is for.
pub type Place = (&'static str, &'static str);

const NAME: &str = env!("CARGO_PKG_NAME");
const ABOUT: &str = env!("CARGO_PKG_DESCRIPTION");
const DOCUMENTATION: &str = env!("CARGO_PKG_REPOSITORY");

/// The page has no script, style or picture, and no other page frames it.
const POLICY: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
];

/// The front page of what serves these places. It is open to all, since it says nothing that is not public.
pub fn router(places: &'static [Place], render: Renderer) -> Router {
    let page = any(async move |request: Request| match *request.method() {
        Method::GET | Method::HEAD => front_page(request.headers(), places),
        _ => {
            let what = format!(
                "This path takes GET; what there is to call is at {}.",
                paths(places)
            );
            let problem = Problem::new(Kind::NoSuchMethod, what, "");
            let problem = problem.header(header::ALLOW, "GET, HEAD");
            render(&problem, &request_id(request.extensions()))
        }
    });
    Router::new().route("/", page)
}

fn paths(places: &[Place]) -> String {
    let paths = places.iter().map(|(path, _)| format!("`{path}`"));
    paths.collect::<Vec<_>>().join(" and ")
}

fn front_page(headers: &HeaderMap, places: &[Place]) -> Response {
    let varies = [(header::VARY, "Accept")];
    if quality(headers, "text/html") > quality(headers, "application/json") {
        return (varies, POLICY, page(places)).into_response();
    }
    let places = places.iter();
    let places = places.map(|(path, what)| ((*path).to_owned(), json!(what)));
    let document = json!({
        "name": NAME,
        "description": ABOUT,
        "paths": places.collect::<Map<String, Value>>(),
        "documentation": DOCUMENTATION,
    });
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (varies, kind, document.to_string()).into_response()
}

/// Its texts are constants of ours, in which HTML has nothing to escape.
fn page(places: &[Place]) -> String {
    let row = |(path, what): &Place| format!("<dt><code>{path}</code></dt><dd>{what}</dd>");
    let rows = places.iter().map(row).collect::<Vec<_>>().join("\n");
    format!(
        "<!doctype html>\n\
         <html lang=\"en\">\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{NAME}</title>\n\
         <h1>{NAME}</h1>\n\
         <p>{ABOUT}</p>\n\
         <dl>\n{rows}\n</dl>\n\
         <p><a href=\"{DOCUMENTATION}\">Documentation</a></p>\n"
    )
}
