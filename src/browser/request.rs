//! What a request must bring: the right host always, and for an answer everything that only the page's own form sends.

use axum::body::Body;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use tokio::time::{Duration, timeout};
use url::form_urlencoded;

use super::asked::{Asked, Said};
use crate::headers::single_header;

/// Bytes of the form at most.
const MAX_BODY: usize = 4 << 10;
/// How long the form may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// The cookie of a question's first visitor. Its path is the question's.
pub(super) const COOKIE: &str = "visitor";

/// Why a request is rejected: the status, and a word for the log.
pub(super) type Rejected = (StatusCode, &'static str);

/// Checks what holds for every request: a page elsewhere whose name points to 127.0.0.1 still sends its own name.
pub(super) fn check_host(request: &Parts, host: &str) -> Result<(), Rejected> {
    let named = single_header(&request.headers, header::HOST);
    let target = request.uri.authority();
    let is_ours = named == Ok(Some(host)) && target.is_none_or(|target| target.as_str() == host);
    ensure(is_ours, StatusCode::MISDIRECTED_REQUEST, "another host")
}

/// Checks that a page is opened by a person, and not from another site or inside another page.
pub(super) fn check_visit(headers: &HeaderMap) -> Result<(), Rejected> {
    let forbidden = StatusCode::FORBIDDEN;
    let site = single_header(headers, "sec-fetch-site");
    let ours = matches!(site, Ok(None | Some("none" | "same-origin")));
    ensure(ours, forbidden, "visited from another site")?;
    let shown = single_header(headers, "sec-fetch-dest");
    let is_shown = matches!(shown, Ok(None | Some("document" | "image")));
    ensure(is_shown, forbidden, "not as a page of its own")
}

/// Reads the answer of the page's own form.
pub(super) async fn read_answer(
    parts: &Parts,
    body: Body,
    asked: &Asked,
    host: &str,
) -> Result<Said, Rejected> {
    let (headers, forbidden) = (&parts.headers, StatusCode::FORBIDDEN);
    let kind = single_header(headers, header::CONTENT_TYPE);
    let kind = kind.ok().flatten().and_then(|kind| kind.split(';').next());
    let is_form = kind.is_some_and(|kind| {
        kind.trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    ensure(is_form, StatusCode::UNSUPPORTED_MEDIA_TYPE, "no form")?;
    ensure(asked.knows(cookie(headers)), forbidden, "no right cookie")?;
    let origin = single_header(headers, header::ORIGIN);
    let own = format!("http://{host}");
    ensure(origin == Ok(Some(&own)), forbidden, "another origin")?;
    let site = single_header(headers, "sec-fetch-site");
    let same_origin = matches!(site, Ok(None | Some("same-origin")));
    ensure(same_origin, forbidden, "from another site")?;
    let too_large = (StatusCode::PAYLOAD_TOO_LARGE, "no short form");
    let body = timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect()).await;
    let body = body.map_err(|_| (StatusCode::REQUEST_TIMEOUT, "a slow form"))?;
    let body = body.map_err(|_| too_large)?.to_bytes();
    let field = |name: &str| {
        let mut values = form_urlencoded::parse(&body).filter(|(key, _)| key == name);
        let value = values.next().map(|(_, value)| value);
        value.filter(|_| values.next().is_none())
    };
    let has_token = field("token").is_some_and(|token| asked.has_form_token(&token));
    ensure(has_token, forbidden, "no right token")?;
    match field("answer").as_deref() {
        Some("yes") => Ok(Said::Yes),
        Some("no") => Ok(Said::No),
        _ => Err((StatusCode::BAD_REQUEST, "no answer")),
    }
}

/// The visitor's cookie, unless there are several of its name.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(header::COOKIE).iter();
    let all = values.filter_map(|value| value.to_str().ok());
    let mut named = all
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE);
    let (_, value) = named.next()?;
    named.next().is_none().then_some(value)
}

/// Checks the method.
pub(super) fn check_method(request: &Parts, allowed: &[Method]) -> Result<(), Rejected> {
    let is_allowed = allowed.contains(&request.method);
    ensure(is_allowed, StatusCode::METHOD_NOT_ALLOWED, "another method")
}

fn ensure(is_so: bool, status: StatusCode, why: &'static str) -> Result<(), Rejected> {
    if is_so { Ok(()) } else { Err((status, why)) }
}
