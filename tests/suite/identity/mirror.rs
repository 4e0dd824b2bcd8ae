//! 7digital as each user sees it, so that an answer to the wrong user shows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;
use sevendigital::oauth;
use sevendigital_sandbox::demo;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use url::Url;

use crate::support::{Setting, World};

/// An upstream: every answer holds the name that the request was made under, and nothing else does.
pub(super) struct Mirror {
    pub(super) base_uri: String,
    seen: Arc<Mutex<Seen>>,
    task: AbortHandle,
}

struct Seen {
    delays: StdRng,
    arrivals: usize,
    /// What was wrong with a request.
    wrong: Vec<String>,
}

impl Mirror {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Seen {
            delays: StdRng::seed_from_u64(7),
            arrivals: 0,
            wrong: Vec::new(),
        }));
        let state = (origin.clone(), Arc::clone(&seen));
        let router = Router::new().fallback(reflect).with_state(state);
        let serving = async move { axum::serve(listener, router).await };
        Self {
            base_uri: format!("{origin}/1.2"),
            seen,
            task: tokio::spawn(serving).abort_handle(),
        }
    }

    pub(super) async fn world(&self, settings: &[Setting<'_>]) -> World {
        let mut all = vec![("SEVENDIGITAL_BASE_URI", self.base_uri.as_str())];
        all.extend(settings);
        World::with(&all).await
    }

    /// How many requests arrived, each signed by the user that it named.
    pub(super) fn arrivals(&self) -> usize {
        let seen = self.seen.lock().unwrap();
        assert_eq!(seen.wrong, Vec::<String>::new());
        seen.arrivals
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The secret that belongs to a token.
pub(super) fn secret_of(token: &str) -> String {
    if token == demo::ACCESS_TOKEN {
        demo::ACCESS_TOKEN_SECRET.to_owned()
    } else {
        format!("{token}-secret")
    }
}

async fn reflect(
    State((origin, seen)): State<(String, Arc<Mutex<Seen>>)>,
    request: Request,
) -> Response {
    let method = request.method().as_str().to_owned();
    let url = Url::parse(&format!("{origin}{}", request.uri())).unwrap();
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    let token = query.get("oauth_token").map(String::as_str);
    let user = query.get("userId").map(String::as_str);
    let problem = problem(&method, &url, &query, token);
    let (pause, number) = {
        let mut seen = seen.lock().unwrap();
        seen.arrivals += 1;
        seen.wrong.extend(problem);
        (seen.delays.random_range(0..12), seen.arrivals)
    };
    tokio::time::sleep(Duration::from_millis(pause)).await;
    let name = shown(token.or(user).unwrap_or("nobody"));
    let document = json!({
        "status": "ok",
        "version": "1.2",
        "locker": {"lockerReleases": {"page": 1, "pageSize": 10, "totalItems": 1, "lockerRelease": [{"release": {"id": number, "title": name}}]}},
        "user": {"id": name},
        "purchase": {"id": name},
    });
    ([("content-type", "application/json")], document.to_string()).into_response()
}

/// The name as answers show it. Some of them go into logs, and a token that comes back is redacted, so it is not the one that headers have.
pub(super) fn shown(name: &str) -> String {
    name.replace("canary", "seen")
        .replace(demo::ACCESS_TOKEN, "configured-user")
}

/// What is wrong with a request: two users, or a signature that is not its own.
fn problem(
    method: &str,
    url: &Url,
    query: &BTreeMap<String, String>,
    token: Option<&str>,
) -> Option<String> {
    if token.is_some() && query.contains_key("userId") {
        return Some(format!("two users: {query:?}"));
    }
    let mut bare = url.clone();
    bare.set_query(None);
    let mut signed: Vec<(String, String)> = query.clone().into_iter().collect();
    signed.retain(|(name, _)| name != "oauth_signature");
    let signed = oauth::base_string(method, &bare, &signed);
    let secret = token.map(secret_of).unwrap_or_default();
    let signature = oauth::signature(&signed, demo::CONSUMER_SECRET, &secret);
    (query.get("oauth_signature") != Some(&signature)).then(|| format!("signature: {query:?}"))
}
