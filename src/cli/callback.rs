//! The OAuth callback: what the browser brings back from 7digital's page, and the loopback listener that it comes to.

use std::future::ready;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use sevendigital::{Effect, Error, Secret};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use url::form_urlencoded;

use crate::problem::Problem;

/// How long the browser may take to fetch the last page.
const LAST_PAGE_TIMEOUT: Duration = Duration::from_secs(2);

/// That the user granted access, with OAuth 1.0a's verifier as proof of it, which 7digital is not known to send.
pub(super) type Allowed = Option<Secret>;

/// Reads the query of a callback for the request token that is being asked about.
pub(super) fn read(query: &str, request_token: &Secret) -> Result<Allowed, LoginError> {
    let value = |name: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .filter(|value| !value.is_empty())
    };
    let status = value("status").map(|status| status.to_ascii_lowercase());
    let problem = match (value("oauth_token"), status.as_deref()) {
        (None, _) => {
            "the address has no `oauth_token`: expected the one that the browser shows after the user has decided"
        }
        (Some(token), _) if token != request_token.expose() => {
            "the answer belongs to another login: run `login` again"
        }
        (_, None) => {
            "the address has no `status`: expected the one that the browser shows after the user has decided"
        }
        // 7digital's guide spells it both ways.
        (_, Some("authorised" | "authorized")) => {
            return Ok(value("oauth_verifier").map(Secret::from));
        }
        _ => "the user did not allow it: run `login` again and choose Allow on 7digital's page",
    };
    Err(LoginError(problem.to_owned()))
}

/// Why there is no login: what happened, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LoginError(pub String);

impl From<Error> for LoginError {
    fn from(error: Error) -> Self {
        Self(match error {
            // The code's usual meaning is about countries.
            Error::Rejected(refusal) if refusal.code == Some(2002) => {
                "7digital says that the user has not allowed it yet (code 2002): run `login` again and choose Allow on 7digital's page".into()
            }
            error => Problem::from(error).of_call(Effect::Reads).detail(),
        })
    }
}

/// A port on loopback that waits for one browser to come back.
#[derive(Debug)]
pub(super) struct CallbackListener {
    listener: TcpListener,
    /// Address and port.
    host: String,
    path: String,
}

impl CallbackListener {
    /// A listener on a free port, at a path that can't be guessed.
    pub(super) async fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self {
            host: listener.local_addr()?.to_string(),
            path: path(),
            listener,
        })
    }

    /// Where the browser is sent.
    pub(super) fn url(&self) -> String {
        format!("http://{}{}", self.host, self.path)
    }

    /// Waits until the browser is back with the user's decision.
    pub(super) async fn wait(self, request_token: &Secret) -> Result<Allowed, LoginError> {
        let (outcome, mut decided) = mpsc::channel(1);
        let token = request_token.clone();
        let answer = move |request: Request| {
            let page = query(&request, &self.host, &self.path).map(|query| {
                let decision = read(query, &token);
                let page = page(decision.is_ok());
                // Only the first return counts; a reloaded page is answered and forgotten.
                let _ = outcome.try_send(decision);
                page
            });
            ready(page)
        };
        let stop = CancellationToken::new();
        let serving = axum::serve(self.listener, Router::new().fallback(answer))
            .with_graceful_shutdown(stop.clone().cancelled_owned());
        let serving = AbortOnDropHandle::new(tokio::spawn(serving.into_future()));
        let outcome = decided.recv().await;
        stop.cancel();
        let _ = tokio::time::timeout(LAST_PAGE_TIMEOUT, serving).await;
        outcome.unwrap_or_else(|| Err(LoginError("the callback listener ended early".into())))
    }
}

/// The path of a callback: 128 random bits, so that no other page can send the browser to it.
pub(super) fn path() -> String {
    format!("/callback/{:032x}", rand::random::<u128>())
}

/// The query of the browser's return; everything else that comes to the port is turned away.
fn query<'a>(request: &'a Request, host: &str, path: &str) -> Result<&'a str, StatusCode> {
    let named = request.headers().get(header::HOST);
    // A page elsewhere that has its own name point to 127.0.0.1 still sends its own name.
    if named.is_none_or(|named| named.as_bytes() != host.as_bytes()) {
        return Err(StatusCode::MISDIRECTED_REQUEST);
    }
    if request.uri().path() != path {
        return Err(StatusCode::NOT_FOUND);
    }
    if request.method() != Method::GET {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    Ok(request.uri().query().unwrap_or_default())
}

fn page(is_allowed: bool) -> Response {
    let words = if is_allowed {
        "7digital has given sevendigital-mcp access."
    } else {
        "sevendigital-mcp was given no access."
    };
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>sevendigital-mcp</title></head>\n<body><h1>{words}</h1>\n<p>You can close this window; the terminal says how it goes on.</p></body></html>\n"
    );
    (headers, Html(html)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_says_yes_in_either_spelling_and_anything_else_is_no() {
        #[rustfmt::skip]
        let rows = [
            ("oauth_token=t%2B%2F%3D%3D&status=Authorised", Ok(None)),
            ("status=Authorized&oauth_token=t%2b/==", Ok(None)),
            ("status=AUTHORISED&oauth_token=t%2B/==", Ok(None)),
            ("oauth_token=t%2B/==&status=authorized&oauth_verifier=v%3D", Ok(Some("v="))),
            ("oauth_token=t%2B/==&status=authorised&oauth_verifier=&x=y", Ok(None)),
            ("oauth_token=t%2B/==&status=Denied", Err("did not allow")),
            ("oauth_token=t%2B/==&status=Unauthorised", Err("did not allow")),
            ("oauth_token=t%2B/==&status=Denied&status=Authorised", Err("did not allow")),
            ("oauth_token=t%2B/==", Err("no `status`")),
            ("oauth_token=t%2B/==&status=", Err("no `status`")),
            ("status=Authorised", Err("no `oauth_token`")),
            ("oauth_token=&status=Authorised", Err("no `oauth_token`")),
            ("oauth_token=T%2B/==&status=Authorised", Err("another login")),
            ("oauth_token=canary&status=Authorised", Err("another login")),
            ("", Err("no `oauth_token`")),
        ];
        for (query, expected) in rows {
            match (read(query, &"t+/==".into()), expected) {
                (Ok(verifier), Ok(expected)) => {
                    assert_eq!(verifier.as_ref().map(Secret::expose), expected, "{query}");
                }
                (Err(LoginError(error)), Err(reason)) => {
                    assert!(error.contains(reason), "{query}: {error}");
                    assert!(!error.contains("canary"), "{error}");
                }
                found => panic!("{query}: {found:?}"),
            }
        }
    }
}
