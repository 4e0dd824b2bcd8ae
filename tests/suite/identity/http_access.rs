//! MCP over HTTP as the settings have it: who may call, which tools there are; and how the server stops.

use std::time::Duration;

use serde_json::json;
use sevendigital::Effect;
use sevendigital_sandbox::Fault;
use sevendigital_tools::TOOLS;

use crate::support::calls::{calls_with, tool};
use crate::support::{Client, LEGACY, Setting, World, text, until, within};

#[tokio::test]
async fn the_settings_say_which_hosts_and_origins_pass() {
    let world = World::with(&[
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
    for (headers, status) in [
        (&[][..], 200),
        (&[("host", "mcp.example.com")], 200),
        (&[("host", "localhost")], 403),
        (&[("origin", "https://app.example.com")], 200),
        (&[("origin", "http://localhost:6274")], 200),
        (&[("origin", "http://app.example.com")], 403),
        (&[("origin", "null")], 403),
    ] {
        let somebody = Client::of(&world).with_all(headers);
        let modern = somebody.ask("tools/list", json!({})).await;
        let legacy = somebody.initialize(LEGACY[0]).await;
        assert_eq!(
            (modern.status, legacy.status),
            (status, status),
            "{headers:?}"
        );
    }
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
        let somebody = Client::of(&world);
        assert_eq!(somebody.tool_names().await, expected, "{settings:?}");
        let session = somebody.in_session(LEGACY[0]).await;
        for name in all().map(|contract| contract.name) {
            if expected.contains(&name) {
                continue;
            }
            let modern = somebody.mcp(name, &json!({})).await;
            let legacy = session.call_as(json!(1), name, &json!({})).await;
            for reply in [modern, legacy] {
                assert_eq!(reply.message()["error"]["code"], -32602, "{name}");
            }
        }
        assert_eq!(world.arrivals().len(), 0, "{settings:?}");
    }
}

#[tokio::test]
async fn what_charges_is_refused_unless_spending_is_allowed() {
    let charges = calls_with(&[Effect::Charges]);
    for (policy, allowed) in [
        ("off", false),
        ("confirm", false),
        ("allow", true),
        ("", true),
    ] {
        let only_client = ("SEVENDIGITAL_MCP_CONFIRM_WITH", "client");
        let world = World::with(&[("SEVENDIGITAL_MCP_SPENDING", policy), only_client]).await;
        for (tool, arguments) in &charges {
            let result = world.call(tool, arguments.clone()).await;
            let told = text(&result);
            assert_eq!(
                result["isError"] != true,
                allowed,
                "{policy} {tool}: {told}"
            );
            let names_setting = told.contains("SEVENDIGITAL_MCP_");
            assert_eq!(names_setting, !allowed, "{told}");
        }
        let sales = if allowed { charges.len() } else { 0 };
        assert_eq!(world.sandbox.sales().len(), sales, "{policy}");
        // A read may have gone before, for the question that could not be asked.
        let paths = charges
            .iter()
            .map(|(name, _)| tool(name).contract.upstream.path);
        let paths: Vec<String> = paths.map(|path| format!("/1.2{path}")).collect();
        let mut arrivals = world.arrivals();
        arrivals.retain(|arrival| paths.contains(&arrival.path));
        assert_eq!(arrivals.len(), sales, "{policy}");
    }
}

/// Tells the server to stop while `call` is in flight, and gives the call's result.
async fn stopped_during<T>(mut world: World, call: impl AsyncFnOnce(&World) -> T) -> T {
    const DELAY: Fault = Fault::Delay(Duration::from_millis(400));
    for operation in ["getUserLocker", "purchaseUserItem"] {
        world.sandbox.script(operation, DELAY, 1);
    }
    let server = world.server.take().unwrap();
    let stop = async {
        until("the call to be in flight", || world.arrivals().len() == 1).await;
        world.stop.cancel();
    };
    let (result, ()) = within("the answer", async { tokio::join!(call(&world), stop) }).await;
    within("the end of the server", server)
        .await
        .unwrap()
        .unwrap();
    let refused = world.http.get(&world.url).send().await;
    assert!(refused.unwrap_err().is_connect(), "the port is closed");
    result
}

#[tokio::test]
async fn a_call_in_flight_is_answered_when_the_server_is_asked_to_stop() {
    for (tool, arguments) in [
        ("get-user-locker", json!({})),
        ("purchase-user-item", json!({"releaseId": "11700062"})),
    ] {
        let modern = async |world: &World| world.call(tool, arguments.clone()).await;
        let legacy = async |world: &World| {
            let session = world.legacy_session(LEGACY[0]).await;
            session.call(1, tool, arguments.clone()).await
        };
        for result in [
            stopped_during(World::start().await, modern).await,
            stopped_during(World::start().await, legacy).await,
        ] {
            assert!(result["structuredContent"].is_object(), "{tool}: {result}");
        }
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
