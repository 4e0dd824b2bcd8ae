//! The OAuth callback: what the browser brings back from 7digital's page, and the loopback listener that it comes to.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use sevendigital::Secret;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::form_urlencoded;

use super::login_error::LoginError;

/// How long the browser may take to fetch the last page.
const LAST_PAGE_TIMEOUT: Duration = Duration::from_secs(2);

/// That the user granted access.
#[derive(Debug, Clone)]
pub(super) struct Allowed {
    /// OAuth 1.0a's proof of it, which 7digital is not known to send.
    pub(super) verifier: Option<Secret>,
}

/// Reads the query of a callback for the request token that is being asked about.
pub(super) fn read(query: &str, request_token: &Secret) -> Result<Allowed, LoginError> {
    let value = |name: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .filter(|value| !value.is_empty())
    };
    let fail = |problem: &str| Err(LoginError(problem.to_owned()));
    match value("oauth_token") {
        Some(token) if token == request_token.expose() => {}
        Some(_) => return fail("the answer belongs to another login: run `login` again"),
        None => {
            return fail(
                "the address has no `oauth_token`: expected the one that the browser shows after the user has decided",
            );
        }
    }
    // 7digital's guide spells it both ways.
    match value("status").map(|status| status.to_ascii_lowercase()) {
        Some(status) if ["authorised", "authorized"].contains(&status.as_str()) => Ok(Allowed {
            verifier: value("oauth_verifier").map(Secret::from),
        }),
        Some(_) => {
            fail("the user did not allow it: run `login` again and choose Allow on 7digital's page")
        }
        None => fail(
            "the address has no `status`: expected the one that the browser shows after the user has decided",
        ),
    }
}

/// A port on loopback that waits for one browser to come back.
#[derive(Debug)]
pub(super) struct CallbackListener {
    listener: TcpListener,
    address: SocketAddr,
    path: String,
}

/// What the handler has to know.
#[derive(Debug, Clone)]
struct Expected {
    host: String,
    path: String,
    request_token: Secret,
    outcome: mpsc::Sender<Result<Allowed, LoginError>>,
}

impl CallbackListener {
    /// A listener on a free port, at a path that can't be guessed.
    pub(super) async fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            path: path(),
        })
    }

    /// Where the browser is sent.
    pub(super) fn url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }

    /// Waits until the browser is back with the user's decision.
    pub(super) async fn wait(self, request_token: &Secret) -> Result<Allowed, LoginError> {
        let (outcome, mut decided) = mpsc::channel(1);
        let expected = Expected {
            host: self.address.to_string(),
            path: self.path,
            request_token: request_token.clone(),
            outcome,
        };
        let router = Router::new().fallback(answer).with_state(expected);
        let stop = CancellationToken::new();
        let serving = axum::serve(self.listener, router)
            .with_graceful_shutdown(stop.clone().cancelled_owned());
        let mut serving = tokio::spawn(serving.into_future());
        let outcome = decided.recv().await;
        stop.cancel();
        if tokio::time::timeout(LAST_PAGE_TIMEOUT, &mut serving)
            .await
            .is_err()
        {
            serving.abort();
        }
        outcome.unwrap_or_else(|| Err(LoginError("the callback listener ended early".into())))
    }
}

/// The path of a callback: 128 random bits, so that no other page can send the browser to it.
pub(super) fn path() -> String {
    format!("/callback/{:032x}", rand::random::<u128>())
}

/// Answers the browser's return; everything else that comes to the port is turned away.
async fn answer(State(expected): State<Expected>, request: Request) -> Response {
    let host = request.headers().get(header::HOST);
    // A page elsewhere that has its own name point to 127.0.0.1 still sends its own name.
    if host.is_none_or(|host| host.as_bytes() != expected.host.as_bytes()) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    if request.uri().path() != expected.path {
        return StatusCode::NOT_FOUND.into_response();
    }
    if request.method() != Method::GET {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let query = request.uri().query().unwrap_or_default();
    let outcome = read(query, &expected.request_token);
    let words = match &outcome {
        Ok(_) => "7digital has given sevendigital-mcp access.",
        Err(_) => "sevendigital-mcp was given no access.",
    };
    // Only the first return counts; a reloaded page is answered and forgotten.
    let _ = expected.outcome.try_send(outcome);
    page(words)
}

fn page(words: &str) -> Response {
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
    fn a_callback_says_yes_in_either_spelling() {
        let token = "t+/==".into();
        for (query, verifier) in [
            ("oauth_token=t%2B%2F%3D%3D&status=Authorised", None),
            ("status=Authorized&oauth_token=t%2b/==", None),
            ("status=AUTHORISED&oauth_token=t%2B/==", None),
            (
                "oauth_token=t%2B/==&status=authorized&oauth_verifier=v%3D",
                Some("v="),
            ),
            (
                "oauth_token=t%2B/==&status=authorised&oauth_verifier=&x=y",
                None,
            ),
        ] {
            let allowed = read(query, &token).unwrap();
            let found = allowed.verifier.as_ref().map(Secret::expose);
            assert_eq!(found, verifier, "{query}");
        }
    }

    #[test]
    fn anything_else_is_no() {
        for (query, reason) in [
            ("oauth_token=t&status=Denied", "did not allow"),
            ("oauth_token=t&status=Unauthorised", "did not allow"),
            (
                "oauth_token=t&status=Denied&status=Authorised",
                "did not allow",
            ),
            ("oauth_token=t", "no `status`"),
            ("oauth_token=t&status=", "no `status`"),
            ("status=Authorised", "no `oauth_token`"),
            ("oauth_token=&status=Authorised", "no `oauth_token`"),
            ("oauth_token=T&status=Authorised", "another login"),
            ("oauth_token=canary&status=Authorised", "another login"),
            ("", "no `oauth_token`"),
        ] {
            let error = read(query, &"t".into()).unwrap_err().to_string();
            assert!(error.contains(reason), "{query}: {error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }
}
