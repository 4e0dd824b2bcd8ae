//! REST on a real port: routes, arguments, bodies, problems, and how it ends.

use sevendigital_tools::TOOLS;

use crate::support::draft::Draft;
use crate::support::rest::{BUY, JSON, SELECT};
use crate::support::upstream::{Act, Upstream, ok};
use crate::support::{Client, World, problem, within};

use crate::support::rest::{LOCKER, ask, get};

#[tokio::test]
async fn no_other_method_ever_reaches_a_tool() {
    let world = World::start().await;
    for tool in TOOLS {
        let path = tool.contract.rest.replace("{id}", "1");
        let mut allowed: Vec<&str> = TOOLS
            .iter()
            .filter(|other| other.contract.rest == tool.contract.rest)
            .map(|other| other.contract.upstream.method.as_str())
            .collect();
        allowed.sort_unstable();
        for method in [
            "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "get", "POST", "GET",
        ] {
            if allowed.contains(&method) {
                continue;
            }
            let target =
                format!("{path}?releaseId=11700062&basketId=1&price=1&email=a@b.c&userId=1");
            let reply = ask(&world, method, &target, &[JSON], "").await;
            assert_eq!(reply.status, 405, "{method} {path}");
            let told = reply.headers["allow"].to_str().unwrap();
            let mut told: Vec<&str> = told.split(", ").collect();
            told.sort_unstable();
            assert_eq!(told, allowed, "{method} {path}");
            if method != "HEAD" {
                problem(&reply, 405, "no-such-method");
            }
        }
    }
    assert_eq!(world.arrivals().len(), 0);
}

#[tokio::test]
async fn what_can_not_be_read_is_a_problem_that_names_it() {
    let world = World::start().await;
    let locker = |query: &str| format!("{LOCKER}?{query}");
    #[rustfmt::skip]
    let rows = [
        (locker("page=two"), 400, "invalid-argument", "page"),
        (locker("pageSize=51"), 400, "invalid-argument", "pageSize"),
        (locker("pagee=1"), 400, "invalid-argument", "`pagee`"),
        (locker("oauth_token=x"), 400, "invalid-argument", "oauth_token"),
        (locker("page=1&page=1"), 400, "unreadable-request", "`page`"),
        (locker("country=%ff"), 400, "unreadable-request", "UTF-8"),
        (locker("sort=4111111111111111"), 400, "invalid-argument", "card data"),
        ("/v1/user/details".into(), 400, "invalid-argument", "userId"),
        ("/v1/user/payment/cardregistration/a%2Fb".into(), 400, "invalid-argument", "id"),
        ("/v1/user/payment/cardregistration/x?id=y".into(), 400, "unreadable-request", "`id`"),
        ("/v1/user/payment/cardregistration/".into(), 404, "no-such-path", "openapi"),
        ("/v1/user/locker/".into(), 404, "no-such-path", "openapi"),
        ("/V1/user/locker".into(), 404, "no-such-path", "openapi"),
        ("//v1/user/locker".into(), 404, "no-such-path", "openapi"),
        ("/mcp".into(), 404, "no-such-path", "openapi"),
    ];
    for (target, status, slug, named) in rows {
        let reply = get(&world, &target, &[]).await;
        let document = problem(&reply, status, slug);
        let detail = document["detail"].as_str().unwrap();
        assert!(detail.contains(named), "{target}: {detail}");
        assert!(!detail.contains("4111"), "{target}: {detail}");
    }
    assert_eq!(world.arrivals().len(), 0);
}

#[tokio::test]
async fn bodies_are_objects_in_json_or_forms() {
    let world = World::start().await;
    let good = r#"{"cardId": "8154431"}"#;
    let form = "application/x-www-form-urlencoded";
    for (kind, body, status) in [
        ("application/json", good, 200),
        ("Application/JSON; charset=UTF-8", good, 200),
        (form, "cardId=8154431", 200),
        (form, "cardId=8154431&cardId=8154430", 400),
        (form, "cardId=%ff", 400),
        ("application/json", "[1]", 400),
        ("application/json", "\"cardId\"", 400),
        ("application/json", r#"{"cardNumber": "1"}"#, 400),
        (
            "application/json",
            r#"{"oauth_token": "1", "cardId": "1"}"#,
            400,
        ),
    ] {
        let reply = ask(&world, "POST", SELECT, &[("content-type", kind)], body).await;
        assert_eq!(reply.status, status, "{kind} {body}: {reply:?}");
        if status != 200 {
            assert_eq!(reply.kind(), "application/problem+json");
        }
    }
    let packed = [JSON, ("content-encoding", "gzip")];
    let reply = ask(&world, "POST", SELECT, &packed, good).await;
    problem(&reply, 415, "media-type");
    let reply = ask(&world, "POST", SELECT, &[], good).await;
    problem(&reply, 415, "media-type");
    let queried = format!("{SELECT}?body=1");
    let reply = ask(&world, "POST", &queried, &[JSON], good).await;
    problem(&reply, 400, "unreadable-request");
    assert_eq!(world.arrivals().len(), 3);
    for arrival in world.arrivals() {
        assert_eq!(arrival.path, world.arrivals()[0].path);
    }
}

#[tokio::test]
async fn answers_tell_the_quota_and_are_not_cached() {
    let world = World::start().await;
    let reply = get(&world, LOCKER, &[]).await;
    assert_eq!((reply.status, reply.kind()), (200, "application/json"));
    assert_eq!(reply.headers["cache-control"], "no-store");
    let length = reply.text.len().to_string();
    assert_eq!(reply.headers["content-length"], length.as_str());
    for name in ["limit", "current", "reset"] {
        let value = reply.headers[format!("x-ratelimit-{name}")].to_str();
        let value = value.unwrap();
        assert!(value.parse::<u64>().is_ok(), "{name}: {value}");
    }
}

#[tokio::test]
async fn who_hangs_up_ends_a_read() {
    let upstream = Upstream::start().await;
    upstream.script("/user/locker", [Act::Held(Box::new(Act::Say(ok("{}"))))]);
    // A server that still waited for the read would not end within any time that this test has.
    let settings = [
        ("SEVENDIGITAL_BASE_URI", &*upstream.base_uri()),
        ("SEVENDIGITAL_MCP_LIMIT_READ_DEADLINE", "600000ms"),
        ("SEVENDIGITAL_MCP_LIMIT_DRAIN_READS_TIMEOUT", "600000ms"),
    ];
    let world = World::with(&settings).await;
    let read = Draft::new(&world.rest, "GET", LOCKER).start().await;
    upstream.wait_for("/user/locker", 1).await;
    drop(read);
    world.end().await;
}

#[tokio::test]
async fn what_is_in_flight_is_answered_before_the_end() {
    let upstream = Upstream::start().await;
    upstream.script("/user/purchase/item", [Act::Held(Box::new(Act::Sell))]);
    let world = World::with(&[("SEVENDIGITAL_BASE_URI", &upstream.base_uri())]).await;
    let mut buy = Draft::new(&world.rest, "GET", BUY).start().await;
    upstream.wait_for("/user/purchase/item", 1).await;
    world.stop.cancel();
    // The server refuses further calls once it stops.
    let ready = Client::of(&world);
    within("the server to stop", async {
        while ready
            .send("GET", "/readyz", &[], "")
            .await
            .is_ok_and(|reply| reply.status == 200)
        {}
    })
    .await;
    upstream.open_gate();
    assert_eq!(buy.answer().await.unwrap().status, 200);
    world.end().await;
}
