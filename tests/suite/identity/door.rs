//! No request comes in without a token that counts: on each surface, by each method, whatever else is sent.

use serde_json::json;

use crate::identity::{
    BY_TOKEN, TOKEN, access_token, authority, check_challenge, principal, token_of, trusting,
};
use crate::support::messages::hello;
use crate::support::{Client, LEGACY, MODERN, Reply, Setting, World};

/// A header: name and value.
type Header<'a> = (&'a str, &'a str);

/// The header that counts.
const A: &str = "authorization";
/// Longer than any header may be.
const LONG: usize = 64 << 10;
const ONE_SESSION: Setting<'static> = ("SEVENDIGITAL_MCP_LIMIT_MAX_SESSIONS", "1");

/// Requests of all kinds: what each is, method, whether it goes to MCP, target, and body.
fn requests() -> Vec<(&'static str, &'static str, bool, &'static str, String)> {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "get-user-locker", "arguments": {}, "_meta": {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    }});
    let open =
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello(LEGACY[0])});
    let none = String::new;
    vec![
        ("a call", "POST", true, "/mcp", call.to_string()),
        ("a new session", "POST", true, "/mcp", open.to_string()),
        ("a batch", "POST", true, "/mcp", "[]".into()),
        ("a stream", "GET", true, "/mcp", none()),
        ("an end", "DELETE", true, "/mcp", none()),
        ("a read", "GET", false, "/v1/user/locker", none()),
        (
            "a purchase",
            "GET",
            false,
            "/v1/user/purchase/item?releaseId=11700062",
            none(),
        ),
        (
            "a change",
            "POST",
            false,
            "/v1/user/payment/card/select",
            r#"{"cardId": "8154431"}"#.into(),
        ),
        ("nothing", "GET", false, "/nowhere", none()),
        ("another method", "PUT", false, "/v1/user/locker", none()),
    ]
}

/// Sends a request with these headers and a further query.
async fn knock(
    world: &World,
    (what, method, to_mcp, target, body): &(&str, &str, bool, &str, String),
    query: &str,
    headers: &[Header<'_>],
) -> Reply {
    let origin = if *to_mcp {
        world.url.strip_suffix("/mcp").unwrap()
    } else {
        &world.rest
    };
    let joint = match target.contains('?') {
        _ if query.is_empty() => "",
        true => "&",
        false => "?",
    };
    let mut request = world
        .http
        .request(
            method.parse().unwrap(),
            format!("{origin}{target}{joint}{query}"),
        )
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    if *what == "a call" {
        request = request
            .header("mcp-protocol-version", MODERN)
            .header("mcp-method", "tools/call")
            .header("mcp-name", "get-user-locker");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Reply::of(request.body(body.clone()).send().await.unwrap()).await
}

#[tokio::test]
async fn no_request_comes_in_without_the_one_right_token() {
    let authority = authority().await;
    let keys = authority.url("/keys");
    let jane = principal("jane", &["reads", "cards", "spend"], "");
    let trusting = trusting(&keys);
    let good = access_token("user-1", "reads cards spend");
    let rows: [(&[Setting], &str, String); 3] = [
        (&[BY_TOKEN], "", TOKEN.to_owned()),
        (&[], &jane, token_of("jane")),
        (&trusting, "", good),
    ];
    for (settings, file, right) in rows {
        let world = World::with_file(&[settings, &[ONE_SESSION]].concat(), file).await;
        let oauth = settings.len() == 3;
        refuse_all(&world, &right, oauth).await;
        assert_eq!(world.arrivals().len(), 0, "{settings:?}");
        // The one session that there may be is still to be had.
        let somebody = Client::of(&world).showing(&right);
        let session = somebody.in_session(LEGACY[0]).await;
        assert_eq!(
            somebody.initialize(LEGACY[0]).await.status,
            503,
            "{}",
            session.session()
        );
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer "] {
            let somebody = Client::of(&world).with("authorization", &format!("{scheme} {right}"));
            let reply = somebody.mcp("get-user-locker", &json!({})).await;
            assert_ne!(reply.result()["isError"], true, "{scheme}: {reply:?}");
            let reply = somebody.rest("get-user-locker", &json!({})).await;
            assert_eq!(reply.status, 200, "{scheme}: {reply:?}");
        }
    }
}

/// Headers, a further query, and whether a token was shown at all.
type Wrong = (Vec<(&'static str, String)>, String, bool);

/// Requests without a good token.
#[rustfmt::skip]
fn wrong(right: &str) -> Vec<Wrong> {
    let bearer = |token: &str| format!("Bearer {token}");
    let one = |value: String, shown: bool| (vec![(A, value)], String::new(), shown);
    let two = |one: String, two: String| (vec![(A, one), (A, two)], String::new(), false);
    let (whole, other) = (bearer(right), bearer("0123456789abcdef0123456789abcdef"));
    let elsewhere = ["proxy-authorization", "x-authorization", "x-api-key"].map(|name| (name, whole.clone()));
    let cookie = format!("token={right}; access_token={right}");
    vec![
        (vec![], String::new(), false),
        one(String::new(), false),
        one("Bearer".into(), false),
        one("Bearer ".into(), false),
        one(right.into(), false),
        one(other.clone(), true),
        one(bearer(&format!("{right}0")), true),
        one(bearer(&right[..right.len() - 1]), true),
        one(bearer(&right.to_uppercase()), true),
        one(format!("Basic {right}"), false),
        one(format!("Token {right}"), false),
        one(format!("Bearer{right}"), false),
        one(format!("Bearer \"{right}\""), true),
        one(format!("Bearer {right} {right}"), true),
        one(format!("Bearer {right}, Bearer {right}"), true),
        two(whole.clone(), whole.clone()),
        two(other, whole.clone()),
        two(whole.clone(), format!("Basic {right}")),
        (elsewhere.into(), String::new(), false),
        (vec![("x-api-key", right.into())], String::new(), false),
        (vec![("cookie", cookie)], String::new(), false),
        (vec![], format!("access_token={right}&token={right}"), false),
        one(bearer(&"x".repeat(LONG)), true),
    ]
}

/// Knocks with everything that is no good token.
async fn refuse_all(world: &World, right: &str, oauth: bool) {
    for (headers, query, shown) in wrong(right) {
        let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let headers: Vec<Header> = headers.collect();
        for request in requests() {
            let row = format!("{} with {headers:.80?} {query}", request.0);
            let reply = knock(world, &request, &query, &headers).await;
            assert!(!reply.text.contains(right), "{row}: {reply:?}");
            assert!(!reply.headers.contains_key("mcp-session-id"), "{row}");
            let is_long = headers.iter().any(|(_, value)| value.len() > LONG);
            if is_long && reply.status == 431 {
                continue;
            }
            if oauth {
                check_challenge(&row, &reply, shown);
                continue;
            }
            assert_eq!(reply.status, 401, "{row}: {reply:?}");
            let challenge = &reply.headers["www-authenticate"];
            assert_eq!(challenge, "Bearer realm=\"sevendigital-mcp\"", "{row}");
        }
    }
}

#[tokio::test]
async fn a_token_is_asked_for_before_anything_else_is_said() {
    let world = World::with(&[BY_TOKEN]).await;
    // Each of them would be refused in other words by those who were let in.
    #[rustfmt::skip]
    let headers: [&[Header]; 5] = [
        &[("x-mcp-tools", "no-such-tool")],
        &[("x-7digital-user-id", "1")],
        &[("mcp-session-id", "no-such-session"), ("mcp-protocol-version", LEGACY[0])],
        &[("content-encoding", "gzip")],
        &[("x-mcp-readonly", "perhaps"), ("x-mcp-readonly", "true")],
    ];
    for headers in headers {
        for request in requests() {
            let reply = knock(&world, &request, "", headers).await;
            assert_eq!(reply.status, 401, "{} with {headers:?}", request.0);
        }
    }
    assert_eq!(world.arrivals().len(), 0);
}
