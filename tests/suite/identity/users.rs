//! Users by request: over HTTP, where the operator lets headers say for whom a call is, no user sees another's account.

use std::sync::Arc;

use serde_json::{Value, json};
use sevendigital_sandbox::demo;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::mirror::{Mirror, secret_of, shown};
use crate::support::calls::good;
use crate::support::{
    Client, LEGACY, Reply, Server, Setting, World, call_with, failure, lifecycles, program,
    sandbox_settings, stdio_client, text, until,
};

const BY_HEADER: Setting = ("SEVENDIGITAL_MCP_USER_FROM_HEADERS", "true");
const TOKEN: &str = "X-7digital-Access-Token";
const SECRET: &str = "X-7digital-Access-Token-Secret";
const ID: &str = "X-7digital-User-Id";

/// A user, and the headers that name it.
#[derive(Debug, Clone)]
struct User {
    name: String,
    headers: Vec<(&'static str, String)>,
}

/// Every third is named by a token, every third by an id, and every third is the user of the settings.
fn user(number: usize) -> User {
    let name = format!("canary-{number:03}-end");
    let headers = match number % 3 {
        0 => vec![(TOKEN, name.clone()), (SECRET, secret_of(&name))],
        1 => vec![(ID, name.clone())],
        _ => Vec::new(),
    };
    let name = if headers.is_empty() {
        demo::ACCESS_TOKEN.to_owned()
    } else {
        name
    };
    User { name, headers }
}

impl User {
    fn headers(&self) -> Vec<(&'static str, &str)> {
        let headers = self.headers.iter();
        headers
            .map(|(name, value)| (*name, value.as_str()))
            .collect()
    }

    fn before(&self, world: &World) -> Client {
        Client::of(world).with_all(&self.headers())
    }

    /// The result, which holds no other user's name.
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
async fn no_client_among_two_hundred_sees_what_belongs_to_another() {
    const CLIENTS: usize = 200;
    const CALLS_EACH: usize = 100;
    let mirror = Mirror::start().await;
    let world = Arc::new(mirror.world(&[BY_HEADER]).await);
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let world = Arc::clone(&world);
        clients.spawn(async move {
            let user = user(number);
            let somebody = user.before(&world);
            let somebody = if number % 2 == 0 {
                somebody
            } else {
                let opener = Client::of(&world).in_session(LEGACY[0]).await;
                somebody.within(opener.session(), LEGACY[0])
            };
            // Always with the same id.
            for turn in 0..CALLS_EACH {
                let tool = ["get-user-locker", "list-user-payment-cards"][turn % 2];
                let reply = match number % 2 {
                    0 => somebody.mcp(tool, &json!({})).await,
                    _ => somebody.call_as(json!(1), tool, &json!({})).await,
                };
                user.check_document(&reply);
            }
        });
    }
    clients.join_all().await;
    assert_eq!(mirror.arrivals(), CLIENTS * CALLS_EACH);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_purchase_of_one_user_is_no_answer_to_another() {
    let mirror = Mirror::start().await;
    let allow = ("SEVENDIGITAL_MCP_SPENDING", "allow");
    // More at once than there are permits, so on a slow machine some wait for long.
    let patience = ("SEVENDIGITAL_MCP_LIMIT_QUEUE_TIMEOUT", "60000ms");
    let world = Arc::new(mirror.world(&[BY_HEADER, allow, patience]).await);
    let mut clients = JoinSet::new();
    // The third of three is always the same user, and is left out.
    let users = (0..45).filter(|number| number % 3 != 2);
    for number in users.clone() {
        for _ in 0..3 {
            let world = Arc::clone(&world);
            clients.spawn(async move {
                let user = user(number);
                let item = json!({"releaseId": "7"});
                let reply = user.before(&world).mcp("purchase-user-item", &item).await;
                let result = user.check(&reply);
                let id = &result["structuredContent"]["purchase"]["id"];
                assert_eq!(*id, json!(shown(&user.name)), "{result}");
            });
        }
    }
    clients.join_all().await;
    assert_eq!(mirror.arrivals(), users.count(), "each buys once");
}

#[tokio::test]
async fn headers_that_do_not_name_one_user_clearly_are_refused() {
    const T: (&str, &str) = (TOKEN, "canary-token");
    const S: (&str, &str) = (SECRET, "canary-secret");
    const I: (&str, &str) = (ID, "canary-id");
    const OTHER: (&str, &str) = ("x-7DIGITAL-user-id", "canary-other");
    const HALF: &str =
        "`X-7digital-Access-Token` and `X-7digital-Access-Token-Secret` belong together";
    const BOTH: &str = "give either `X-7digital-User-Id` or an access token, not both";
    let once = |name: &str| {
        format!("the header `{name}` is given once, with 1 to 255 visible ASCII characters")
    };
    let long = "c".repeat(256);
    let (id, token, secret) = (
        "x-7digital-user-id",
        "x-7digital-access-token",
        "x-7digital-access-token-secret",
    );
    let mirror = Mirror::start().await;
    let world = mirror.world(&[BY_HEADER]).await;
    #[rustfmt::skip]
    let rows: [(&[(&str, &str)], String); 13] = [
        (&[T], HALF.into()), (&[S], HALF.into()),
        (&[T, S, I], BOTH.into()), (&[T, I], BOTH.into()), (&[S, I], BOTH.into()),
        (&[I, OTHER], once(id)), (&[I, I], once(id)), (&[T, T, S], once(token)), (&[T, S, S], once(secret)),
        (&[(ID, "")], once(id)), (&[(ID, " ")], once(id)), (&[(ID, &long)], once(id)), (&[T, (SECRET, "")], once(secret)),
    ];
    for (headers, problem) in rows {
        for tool in ["get-user-locker", "create-user", "purchase-user-item"] {
            check_refusal(&world, headers, tool, &problem).await;
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
            for tool in ["get-user-locker", "purchase-user-item"] {
                check_refusal(&world, &user(number).headers(), tool, NOT_HERE).await;
            }
        }
    }
    assert_eq!(mirror.arrivals(), 0);
}

/// The call fails for that reason, and nothing of the headers is shown.
async fn check_refusal(world: &World, headers: &[(&str, &str)], tool: &str, problem: &str) {
    let params = json!({"name": tool, "arguments": good(tool)});
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
        "The request's headers don't say clearly which user it is for: {problem}. Correct the headers and call again."
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
            let user = user(number);
            let reply = user.before(&world).mcp("get-user-locker", &json!({})).await;
            user.check_document(&reply);
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
            let user = user(number);
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
        assert!(
            text(&result).contains(&shown(demo::ACCESS_TOKEN)),
            "{result}"
        );
    }
    assert_eq!(mirror.arrivals(), 2);
}
