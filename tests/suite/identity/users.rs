//! Users by request: over HTTP, where the operator lets headers say for whom a call is, nobody sees another's account.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use sevendigital::oauth;
use sevendigital_sandbox::demo;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use url::Url;

use crate::support::{
    LEGACY, Reply, Server, Setting, World, call_with, failure, lifecycles, program,
    sandbox_settings, stdio_client, text, until,
};

const BY_HEADER: Setting = ("SEVENDIGITAL_MCP_USER_FROM_HEADERS", "true");

/// 7digital as each user sees it: every answer holds the name that the request was made under, and nothing else does.
struct Mirror {
    base_uri: String,
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
    async fn start() -> Self {
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

    async fn world(&self, settings: &[Setting<'_>]) -> World {
        let mut all = vec![("SEVENDIGITAL_BASE_URI", self.base_uri.as_str())];
        all.extend(settings);
        World::with(&all).await
    }

    /// How many requests arrived, all of them signed by whom they named.
    fn arrivals(&self) -> usize {
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
fn secret_of(token: &str) -> String {
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

/// The name as answers show it. Some of them go into logs, so it is not the one that headers have.
fn shown(name: &str) -> String {
    name.replace("canary", "seen")
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

/// A user, and the headers that name it.
#[derive(Debug, Clone)]
struct Caller {
    name: String,
    headers: Vec<(&'static str, String)>,
}

/// Every third is named by a token, every third by an id, and every third is whom the settings name.
fn caller(number: usize) -> Caller {
    let name = format!("canary-{number:03}-end");
    match number % 3 {
        0 => Caller {
            headers: vec![
                ("X-7digital-Access-Token", name.clone()),
                ("X-7digital-Access-Token-Secret", secret_of(&name)),
            ],
            name,
        },
        1 => Caller {
            headers: vec![("X-7digital-User-Id", name.clone())],
            name,
        },
        _ => Caller {
            name: demo::ACCESS_TOKEN.to_owned(),
            headers: Vec::new(),
        },
    }
}

impl Caller {
    /// Calls a tool, always with the same id: in a session of its own, or without one.
    async fn call(
        &self,
        world: &World,
        session: Option<&str>,
        tool: &str,
        arguments: Value,
    ) -> Reply {
        let mut headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let params = json!({"name": tool, "arguments": arguments});
        match session {
            None => {
                world
                    .modern_as(&headers, json!(1), "tools/call", params)
                    .await
            }
            Some(session) => {
                headers.push(("mcp-session-id", session));
                headers.push(("mcp-protocol-version", LEGACY[0]));
                let body =
                    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
                world.post(&headers, body.to_string()).await
            }
        }
    }

    /// The result, which holds nobody else's name.
    fn check(&self, reply: &Reply) -> Value {
        let own = shown(&self.name);
        let foreign = reply.text.match_indices("seen-").find(|(at, _)| {
            let name = reply.text.get(*at..at + own.len());
            name != Some(own.as_str())
        });
        assert_eq!(foreign, None, "{}: {}", self.name, reply.text);
        let result = reply.result();
        assert_ne!(result["isError"], true, "{}: {result}", self.name);
        result
    }

    /// The answer is this user's.
    fn check_document(&self, reply: &Reply) {
        let result = self.check(reply);
        let own = json!(shown(&self.name));
        let document = &result["structuredContent"];
        let releases = &document["locker"]["lockerReleases"]["lockerRelease"];
        assert_eq!(releases[0]["release"]["title"], own, "{result}");
        assert_eq!(document["user"]["id"], own, "{result}");
        assert_eq!(text(&result), document.to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_among_two_hundred_clients_sees_what_belongs_to_another() {
    const CLIENTS: usize = 200;
    const CALLS_EACH: usize = 100;
    let mirror = Mirror::start().await;
    let world = Arc::new(mirror.world(&[BY_HEADER]).await);
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let world = Arc::clone(&world);
        clients.spawn(async move {
            let caller = caller(number);
            let session = match number % 2 {
                0 => None,
                _ => Some(world.legacy_session(LEGACY[0]).await.id),
            };
            for turn in 0..CALLS_EACH {
                let tool = ["get-user-locker", "list-user-payment-cards"][turn % 2];
                let reply = caller
                    .call(&world, session.as_deref(), tool, json!({}))
                    .await;
                caller.check_document(&reply);
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    assert_eq!(mirror.arrivals(), CLIENTS * CALLS_EACH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_purchase_of_one_user_is_no_answer_to_another() {
    let mirror = Mirror::start().await;
    let world = Arc::new(
        mirror
            .world(&[BY_HEADER, ("SEVENDIGITAL_MCP_SPENDING", "allow")])
            .await,
    );
    let mut clients = JoinSet::new();
    // The third of three is one user whoever calls, and is left out.
    let callers = (0..45).filter(|number| number % 3 != 2);
    for number in callers.clone() {
        for _ in 0..3 {
            let world = Arc::clone(&world);
            clients.spawn(async move {
                let caller = caller(number);
                let item = json!({"releaseId": "7"});
                let reply = caller.call(&world, None, "purchase-user-item", item).await;
                let result = caller.check(&reply);
                let id = &result["structuredContent"]["purchase"]["id"];
                assert_eq!(*id, json!(shown(&caller.name)), "{result}");
            });
        }
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    assert_eq!(mirror.arrivals(), callers.count(), "each buys once");
}

#[tokio::test]
async fn headers_that_do_not_name_one_user_clearly_are_refused_before_anything_is_sent() {
    const TOKEN: (&str, &str) = ("X-7digital-Access-Token", "canary-token");
    const SECRET: (&str, &str) = ("X-7digital-Access-Token-Secret", "canary-secret");
    const ID: (&str, &str) = ("X-7digital-User-Id", "canary-id");
    const OTHER: (&str, &str) = ("x-7DIGITAL-user-id", "canary-other");
    let long = "c".repeat(256);
    let mirror = Mirror::start().await;
    let world = mirror.world(&[BY_HEADER]).await;
    #[rustfmt::skip]
    let rows: [(&[(&str, &str)], &str); 13] = [
        (&[TOKEN], "`X-7digital-Access-Token` and `X-7digital-Access-Token-Secret` belong together"),
        (&[SECRET], "`X-7digital-Access-Token` and `X-7digital-Access-Token-Secret` belong together"),
        (&[TOKEN, SECRET, ID], "give either `X-7digital-User-Id` or an access token, not both"),
        (&[TOKEN, ID], "give either `X-7digital-User-Id` or an access token, not both"),
        (&[SECRET, ID], "give either `X-7digital-User-Id` or an access token, not both"),
        (&[ID, OTHER], "the header `x-7digital-user-id` is given twice"),
        (&[ID, ID], "the header `x-7digital-user-id` is given twice"),
        (&[TOKEN, TOKEN, SECRET], "the header `x-7digital-access-token` is given twice"),
        (&[TOKEN, SECRET, SECRET], "the header `x-7digital-access-token-secret` is given twice"),
        (&[("X-7digital-User-Id", "")], "the header `x-7digital-user-id` must have 1 to 255 visible ASCII characters"),
        (&[("X-7digital-User-Id", " ")], "the header `x-7digital-user-id` must have 1 to 255 visible ASCII characters"),
        (&[("X-7digital-User-Id", &long)], "the header `x-7digital-user-id` must have 1 to 255 visible ASCII characters"),
        (&[TOKEN, ("X-7digital-Access-Token-Secret", "")], "the header `x-7digital-access-token-secret` must have 1 to 255 visible ASCII characters"),
    ];
    for (headers, problem) in rows {
        for tool in ["get-user-locker", "create-user", "purchase-user-item"] {
            check_refusal(&world, headers, tool, problem).await;
        }
    }
    assert_eq!(mirror.arrivals(), 0);
}

#[tokio::test]
async fn headers_that_the_operator_does_not_allow_are_refused_and_not_ignored() {
    const NOT_HERE: &str = "this server does not take users from headers: the operator would have to set `user_from_headers` (`SEVENDIGITAL_MCP_USER_FROM_HEADERS`)";
    let mirror = Mirror::start().await;
    for settings in [&[][..], &[("SEVENDIGITAL_MCP_USER_FROM_HEADERS", "false")]] {
        let world = mirror.world(settings).await;
        for number in [0, 1] {
            let caller = caller(number);
            let headers: Vec<(&str, &str)> = caller
                .headers
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            for tool in ["get-user-locker", "purchase-user-item"] {
                check_refusal(&world, &headers, tool, NOT_HERE).await;
            }
        }
    }
    assert_eq!(mirror.arrivals(), 0);
}

/// The call fails for that reason, and nothing of the headers is told.
async fn check_refusal(world: &World, headers: &[(&str, &str)], tool: &str, problem: &str) {
    let (_, arguments) = crate::support::calls::calls()
        .into_iter()
        .find(|(name, _)| *name == tool)
        .unwrap();
    let params = json!({"name": tool, "arguments": arguments});
    let reply = world
        .modern_as(headers, json!(1), "tools/call", params)
        .await;
    assert!(
        !reply.text.contains("canary"),
        "{headers:?}: {}",
        reply.text
    );
    let result = reply.result();
    let told = failure(&result);
    let start = format!(
        "The request's headers don't say clearly for whom it is: {problem}. Correct the headers and call again."
    );
    assert!(told.starts_with(&start), "{headers:?}: {told}");
}

#[tokio::test]
async fn a_user_of_a_header_takes_the_place_of_the_one_in_the_settings() {
    let mirror = Mirror::start().await;
    let managed = [
        BY_HEADER,
        ("SEVENDIGITAL_ACCESS_TOKEN", ""),
        ("SEVENDIGITAL_ACCESS_TOKEN_SECRET", ""),
        ("SEVENDIGITAL_USER_ID", "canary-configured"),
    ];
    for settings in [&managed[..1], &managed] {
        let world = mirror.world(settings).await;
        for number in [0, 1] {
            let caller = caller(number);
            let reply = caller
                .call(&world, None, "get-user-locker", json!({}))
                .await;
            caller.check_document(&reply);
        }
    }
    assert_eq!(mirror.arrivals(), 4);
}

#[tokio::test]
async fn no_header_reaches_a_log_however_much_is_logged() {
    let mirror = Mirror::start().await;
    for filter in ["trace", "trace,rmcp=trace"] {
        let folder = TempDir::new().unwrap();
        let settings = [BY_HEADER, ("RUST_LOG", filter)];
        let server = Server::start(folder.path(), &mirror.base_uri, &settings).await;
        for number in [0, 1] {
            let user = caller(number);
            let mut caller = server.caller();
            for (name, value) in &user.headers {
                caller = caller.with(name, value);
            }
            for tool in ["get-user-locker", "purchase-user-item"] {
                let result = caller.call(tool, &json!({"releaseId": "7"})).await;
                assert!(text(&result).contains(&shown(&user.name)), "{result}");
            }
            // A pair and an id, and a half of a pair.
            let (name, value) = &user.headers[0];
            let other = caller.clone().with("X-7digital-User-Id", "canary-999-end");
            for caller in [other, server.caller().with(name, value).with(name, value)] {
                let result = caller.call("get-user-locker", &json!({})).await;
                assert!(failure(&result).contains("headers"), "{result}");
            }
        }
        let warnings =
            || server.log().matches("don't say").count() + server.log().matches("failed").count();
        until("the last call's line", || warnings() >= 4).await;
        let log = server.log();
        let told: Vec<&str> = log.lines().filter(|line| line.contains("canary")).collect();
        assert!(
            told.is_empty(),
            "{filter}: {} lines, such as\n{}",
            told.len(),
            told[0]
        );
    }
}

#[tokio::test]
async fn stdio_has_no_headers_and_speaks_for_the_configured_user() {
    let mirror = Mirror::start().await;
    let folder = TempDir::new().unwrap();
    let mut variables = sandbox_settings(&mirror.base_uri);
    variables.push((BY_HEADER.0.to_owned(), BY_HEADER.1.to_owned()));
    let state = folder.path().display().to_string();
    variables.push(("SEVENDIGITAL_MCP_STATE_DIR".to_owned(), state));
    for mode in lifecycles() {
        let client = stdio_client(program(&["stdio"], &variables), mode).await;
        let result = call_with(&client, "get-user-locker", json!({})).await;
        assert!(text(&result).contains(demo::ACCESS_TOKEN), "{result}");
    }
    assert_eq!(mirror.arrivals(), 2);
}
