//! MCP over HTTP, in bytes on a real port: who may call, which tools there are, and how the server stops.

use std::time::Duration;

use serde_json::json;
use sevendigital::Effect;
use sevendigital_sandbox::Fault;
use sevendigital_tools::TOOLS;

use crate::support::{LEGACY, Setting, World, until, within};

type Headers<'a> = &'a [(&'a str, &'a str)];

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The status that a request with these headers gets, in each era; both are the same.
async fn check(world: &World, headers: Headers<'_>) -> u16 {
    let modern = world
        .modern_as(headers, json!(1), "tools/list", json!({}))
        .await;
    let params = json!({"protocolVersion": LEGACY[0], "capabilities": {}, "clientInfo": {"name": "suite", "version": "1"}});
    let body = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
    let legacy = world.post(headers, body.to_string()).await;
    assert_eq!(modern.status, legacy.status, "{headers:?}");
    modern.status
}

#[tokio::test]
async fn only_known_hosts_and_origins_pass() {
    let plain = World::start().await;
    let told = World::with(&[
        (
            "SEVENDIGITAL_MCP_ALLOWED_HOSTS",
            "mcp.example.com, 127.0.0.1",
        ),
        (
            "SEVENDIGITAL_MCP_ALLOWED_ORIGINS",
            "https://app.example.com:443,http://localhost:6274",
        ),
    ])
    .await;
    #[rustfmt::skip]
    let rows: [(&World, Headers, u16); 17] = [
        (&plain, &[], 200),
        (&plain, &[("host", "localhost:9090")], 200),
        (&plain, &[("host", "127.0.0.1")], 200),
        (&plain, &[("host", "[::1]:9090")], 200),
        (&plain, &[("host", "evil.example")], 403),
        (&plain, &[("host", "localhost.evil.example")], 403),
        (&plain, &[("host", "mcp.example.com")], 403),
        (&plain, &[("origin", "https://evil.example")], 403),
        (&plain, &[("origin", "null")], 403),
        (&plain, &[("origin", "http://127.0.0.1:9090")], 403),
        (&told, &[], 200),
        (&told, &[("host", "mcp.example.com")], 200),
        (&told, &[("host", "localhost")], 403),
        (&told, &[("origin", "https://app.example.com")], 200),
        (&told, &[("origin", "http://localhost:6274")], 200),
        (&told, &[("origin", "http://app.example.com")], 403),
        (&told, &[("origin", "null")], 403),
    ];
    for (world, headers, status) in rows {
        assert_eq!(check(world, headers).await, status, "{headers:?}");
    }
}

#[tokio::test]
async fn a_bearer_token_is_asked_of_everybody_once_it_is_set() {
    let world = World::with(&[("SEVENDIGITAL_MCP_TOKEN", TOKEN)]).await;
    let right = format!("Bearer {TOKEN}");
    let longer = format!("Bearer {TOKEN}0");
    let upper = format!("Bearer {}", TOKEN.to_uppercase());
    let basic = format!("Basic {TOKEN}");
    let rows = [
        ("", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("Bearer 0123", 401),
        (&longer, 401),
        (&upper, 401),
        (&basic, 401),
        (TOKEN, 401),
        (&right, 200),
    ];
    for (authorization, status) in rows {
        let headers = [("authorization", authorization)];
        let headers = if authorization.is_empty() {
            &[][..]
        } else {
            &headers
        };
        assert_eq!(check(&world, headers).await, status, "{authorization}");
    }
    let refused = world
        .modern("tools/call", json!({"name": "get-user-locker"}))
        .await;
    assert_eq!(refused.status, 401);
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("Bearer"), "{challenge}");
    assert!(!refused.text.contains(TOKEN));
    assert_eq!(world.arrivals().len(), 0);
}

#[tokio::test]
async fn settings_choose_which_tools_are_listed_and_may_be_called() {
    const READ_ONLY: (&str, &str) = ("SEVENDIGITAL_MCP_READ_ONLY", "true");
    const TWO: (&str, &str) = ("SEVENDIGITAL_MCP_TOOLS", "signup-user, get-user-locker");
    const NOT_TWO: (&str, &str) = ("SEVENDIGITAL_MCP_EXCLUDE_TOOLS", "create-user,signup-user");
    let all = || TOOLS.iter().map(|tool| tool.contract);
    let reads: Vec<&str> = all()
        .filter(|contract| contract.upstream.effect == Effect::Reads)
        .map(|contract| contract.name)
        .collect();
    let but_two: Vec<&str> = all()
        .map(|contract| contract.name)
        .filter(|name| !["signup-user", "create-user"].contains(name))
        .collect();
    let rows: [(&[Setting], Vec<&str>); 5] = [
        (&[READ_ONLY], reads),
        (&[TWO], vec!["get-user-locker", "signup-user"]),
        (&[NOT_TWO], but_two),
        (&[READ_ONLY, TWO], vec!["get-user-locker"]),
        (&[TWO, NOT_TWO], vec!["get-user-locker"]),
    ];
    for (settings, expected) in rows {
        let world = World::with(settings).await;
        let tools = world.tools().await;
        let names: Vec<&str> = tools
            .iter()
            .map(|tool| tool["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, expected, "{settings:?}");
        let session = world.legacy_session(LEGACY[0]).await;
        for contract in all().filter(|contract| !expected.contains(&contract.name)) {
            let params = json!({"name": contract.name, "arguments": {}});
            let modern = world.modern("tools/call", params.clone()).await;
            let legacy = session.ask(json!(1), "tools/call", params).await;
            for reply in [modern, legacy] {
                assert_eq!(
                    reply.message()["error"]["code"],
                    -32602,
                    "{}",
                    contract.name
                );
            }
        }
        assert_eq!(world.arrivals().len(), 0, "{settings:?}");
    }
}

#[tokio::test]
async fn what_charges_is_refused_unless_spending_is_allowed() {
    for (policy, sales) in [("off", 0), ("confirm", 0), ("allow", 5), ("", 5)] {
        let world = World::with(&[("SEVENDIGITAL_MCP_SPENDING", policy)]).await;
        for (tool, arguments) in crate::support::calls::calls() {
            let known = TOOLS.iter().find(|other| other.contract.name == tool);
            if known.unwrap().contract.upstream.effect != Effect::Charges {
                continue;
            }
            let result = world.call(tool, arguments).await;
            let told = crate::support::text(&result);
            assert_eq!(
                result["isError"] == true,
                sales == 0,
                "{policy} {tool}: {told}"
            );
            assert_eq!(
                told.contains("SEVENDIGITAL_MCP_SPENDING"),
                sales == 0,
                "{told}"
            );
        }
        assert_eq!(world.sandbox.sales().len(), sales, "{policy}");
        // A read may have gone before, for the question that could not be asked.
        let charges = |path: &str| path.contains("/purchase/") || path.ends_with("/deliveritem");
        let sent = world.arrivals().into_iter();
        let sent = sent.filter(|arrival| charges(&arrival.path)).count();
        assert_eq!(sent, sales, "{policy}");
    }
}

/// Tells the server to stop while `call` is under way, and gives the call's result.
async fn stopped_during<T>(mut world: World, call: impl AsyncFnOnce(&World) -> T) -> T {
    const DELAY: Fault = Fault::Delay(Duration::from_millis(400));
    for operation in ["getUserLocker", "purchaseUserItem"] {
        world.sandbox.script(operation, DELAY, 1);
    }
    let server = world.server.take().unwrap();
    let stop = async {
        until("the call to be under way", || world.arrivals().len() == 1).await;
        world.stop.cancel();
    };
    let (result, ()) = within("the answer", async { tokio::join!(call(&world), stop) }).await;
    within("the end of the server", server)
        .await
        .unwrap()
        .unwrap();
    let refused = world.http.get(&world.url).send().await;
    assert!(refused.unwrap_err().is_connect(), "nobody listens any more");
    result
}

#[tokio::test]
async fn a_call_under_way_is_answered_when_the_server_is_told_to_stop() {
    for (tool, arguments) in [
        ("get-user-locker", json!({})),
        ("purchase-user-item", json!({"releaseId": "11700062"})),
    ] {
        let call = async |world: &World| world.call(tool, arguments.clone()).await;
        let result = stopped_during(World::start().await, call).await;
        assert!(result["structuredContent"].is_object(), "{tool}: {result}");
    }
}

#[tokio::test]
async fn a_call_under_way_in_a_session_is_answered_when_the_server_is_told_to_stop() {
    for (tool, arguments) in [
        ("get-user-locker", json!({})),
        ("purchase-user-item", json!({"releaseId": "11700062"})),
    ] {
        let call = async |world: &World| {
            let session = world.legacy_session(LEGACY[0]).await;
            session.call(1, tool, arguments.clone()).await
        };
        let result = stopped_during(World::start().await, call).await;
        assert!(result["structuredContent"].is_object(), "{tool}: {result}");
    }
}

#[tokio::test]
async fn a_stop_ends_open_streams_and_idle_sessions() {
    let mut world = World::start().await;
    let server = world.server.take().unwrap();
    let session = world.legacy_session(LEGACY[0]).await;
    let mut stream = world
        .http
        .get(&world.url)
        .header("accept", "text/event-stream")
        .header("mcp-session-id", &session.id)
        .header("mcp-protocol-version", LEGACY[0])
        .send()
        .await
        .unwrap();
    assert_eq!(stream.status(), 200);
    world.stop.cancel();
    let rest = async { while let Ok(Some(_)) = stream.chunk().await {} };
    within("the end of the stream", rest).await;
    within("the end of the server", server)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn what_is_no_call_is_refused_without_harm() {
    let world = World::start().await;
    let large = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"x": "y".repeat(300_000)}});
    #[rustfmt::skip]
    let rows = [
        ("not JSON", "garbage".to_owned(), 400..=415),
        ("a batch", json!([{"jsonrpc": "2.0", "id": 1, "method": "ping"}]).to_string(), 400..=415),
        ("nothing", String::new(), 400..=415),
        ("too large", large.to_string(), 413..=413),
        ("an unknown session", json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string(), 404..=404),
    ];
    for (what, body, statuses) in rows {
        let headers = [
            ("mcp-session-id", "no-such-session"),
            ("mcp-protocol-version", LEGACY[0]),
        ];
        let headers = if what == "an unknown session" {
            &headers[..]
        } else {
            &[]
        };
        let reply = world.post(headers, body).await;
        assert!(statuses.contains(&reply.status), "{what}: {reply:?}");
    }
    let nowhere = world.url.replace("/mcp", "/other");
    assert_eq!(world.http.post(nowhere).send().await.unwrap().status(), 404);
    assert_eq!(world.tools().await.len(), 17, "it serves on");
}
