//! REST on a real port: routes, arguments, bodies, problems, and how it ends.

use reqwest::Method;
use serde_json::Value;
use sevendigital_tools::TOOLS;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::form_urlencoded::Serializer;

use crate::support::upstream::{Act, Upstream, ok};
use crate::support::{Reply, World, within};

/// A header: name and value.
pub(crate) type Header<'a> = (&'a str, &'a str);

/// A request to the REST surface.
pub(crate) async fn ask(
    world: &World,
    method: &str,
    target: &str,
    headers: &[Header<'_>],
    body: Vec<u8>,
) -> Reply {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = world
        .http
        .request(method, format!("{}{target}", world.rest));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if !body.is_empty() {
        request = request.body(body);
    }
    Reply::of(request.send().await.unwrap()).await
}

pub(crate) async fn get(world: &World, target: &str, headers: &[Header<'_>]) -> Reply {
    ask(world, "GET", target, headers, Vec::new()).await
}

/// A tool's call as REST has it: method, path with query, body.
pub(crate) fn request(tool: &str, arguments: &Value) -> (&'static str, String, Vec<u8>) {
    let tool = TOOLS.iter().find(|other| other.contract.name == tool);
    let route = tool.unwrap().contract.rest;
    let mut path = route.path.to_owned();
    let (mut query, mut body) = (Serializer::new(String::new()), Vec::new());
    for (name, value) in arguments.as_object().unwrap() {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let place = format!("{{{name}}}");
        if path.contains(&place) {
            path = path.replace(&place, &text);
        } else if name == "body" && route.method.as_str() == "POST" {
            body = value.to_string().into_bytes();
        } else {
            query.append_pair(name, &text);
        }
    }
    let query = query.finish();
    let separator = if query.is_empty() { "" } else { "?" };
    (
        route.method.as_str(),
        format!("{path}{separator}{query}"),
        body,
    )
}

/// A tool's call over REST.
pub(crate) async fn call(
    world: &World,
    tool: &str,
    arguments: &Value,
    headers: &[Header<'_>],
) -> Reply {
    let (method, target, body) = request(tool, arguments);
    let mut all = vec![];
    if !body.is_empty() {
        all.push(("content-type", "application/json"));
    }
    all.extend(headers);
    ask(world, method, &target, &all, body).await
}

/// A problem of that status and type; fails where the answer is none.
pub(crate) fn problem(reply: &Reply, status: u16, slug: &str) -> Value {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.kind(), "application/problem+json", "{reply:?}");
    assert_eq!(reply.headers["cache-control"], "no-store", "{reply:?}");
    let document: Value = serde_json::from_str(&reply.text).unwrap();
    assert_eq!(document["type"], format!("/problems/{slug}"), "{reply:?}");
    assert_eq!(document["status"], status, "{reply:?}");
    for field in ["title", "detail"] {
        assert!(document[field].as_str().unwrap().len() > 5, "{reply:?}");
    }
    document
}

pub(crate) const LOCKER: &str = "/v1/user/locker";
pub(crate) const BUY: &str = "/v1/user/purchase/item?releaseId=11700062";
pub(crate) const SELECT: &str = "/v1/user/payment/card/select";
pub(crate) const JSON: Header<'static> = ("content-type", "application/json");

#[tokio::test]
async fn no_other_method_ever_reaches_a_tool() {
    let world = World::start().await;
    for tool in TOOLS {
        let path = tool.contract.rest.path.replace("{id}", "1");
        let mut allowed: Vec<&str> = TOOLS
            .iter()
            .filter(|other| other.contract.rest.path == tool.contract.rest.path)
            .map(|other| other.contract.rest.method.as_str())
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
            let reply = ask(&world, method, &target, &[JSON], Vec::new()).await;
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
    for (target, status, slug, named) in [
        (locker("page=two"), 400, "invalid-argument", "page"),
        (locker("pageSize=51"), 400, "invalid-argument", "pageSize"),
        (locker("pagee=1"), 400, "invalid-argument", "`pagee`"),
        (
            locker("oauth_token=x"),
            400,
            "invalid-argument",
            "oauth_token",
        ),
        (locker("page=1&page=1"), 400, "unreadable-request", "`page`"),
        (locker("country=%ff"), 400, "unreadable-request", "UTF-8"),
        (
            locker("sort=4111111111111111"),
            400,
            "invalid-argument",
            "card data",
        ),
        ("/v1/user/details".into(), 400, "invalid-argument", "userId"),
        (
            "/v1/user/payment/cardregistration/a%2Fb".into(),
            400,
            "invalid-argument",
            "id",
        ),
        (
            "/v1/user/payment/cardregistration/x?id=y".into(),
            400,
            "unreadable-request",
            "`id`",
        ),
        (
            "/v1/user/payment/cardregistration/".into(),
            404,
            "no-such-path",
            "openapi",
        ),
        ("/v1/user/locker/".into(), 404, "no-such-path", "openapi"),
        ("/V1/user/locker".into(), 404, "no-such-path", "openapi"),
        ("//v1/user/locker".into(), 404, "no-such-path", "openapi"),
        ("/mcp".into(), 404, "no-such-path", "openapi"),
    ] {
        let reply = get(&world, &target, &[]).await;
        let document = problem(&reply, status, slug);
        let detail = document["detail"].as_str().unwrap();
        assert!(detail.contains(named), "{target}: {detail}");
        assert!(!detail.contains("4111"), "{target}: {detail}");
    }
    assert_eq!(world.arrivals().len(), 0);
}

#[tokio::test]
async fn bodies_are_json_or_forms_and_nothing_else() {
    let world = World::start().await;
    let good = r#"{"cardId": "8154431"}"#;
    let form = "application/x-www-form-urlencoded";
    for (kind, body, status) in [
        ("application/json", good, 200),
        ("Application/JSON; charset=UTF-8", good, 200),
        (form, "cardId=8154431", 200),
        (form, "cardId=8154431&cardId=8154430", 400),
        (form, "cardId=%ff", 400),
        ("text/plain", good, 415),
        ("application/json; charset=utf-16", good, 415),
        ("multipart/form-data; boundary=x", good, 415),
        ("application/json", "{\"cardId\": ", 400),
        ("application/json", "[1]", 400),
        ("application/json", "\"cardId\"", 400),
        (
            "application/json",
            r#"{"cardId": "8154431", "cardId": "8154430"}"#,
            400,
        ),
        ("application/json", r#"{"cardId": 1e999}"#, 400),
        ("application/json", r#"{"cardNumber": "1"}"#, 400),
        (
            "application/json",
            r#"{"oauth_token": "1", "cardId": "8154431"}"#,
            400,
        ),
        ("application/json", " ", 400),
    ] {
        let reply = ask(
            &world,
            "POST",
            SELECT,
            &[("content-type", kind)],
            body.into(),
        )
        .await;
        assert_eq!(reply.status, status, "{kind} {body}: {reply:?}");
        if status != 200 {
            assert_eq!(reply.kind(), "application/problem+json");
        }
    }
    let packed = [JSON, ("content-encoding", "gzip")];
    let reply = ask(&world, "POST", SELECT, &packed, good.into()).await;
    problem(&reply, 415, "media-type");
    let reply = ask(&world, "POST", SELECT, &[], good.into()).await;
    problem(&reply, 415, "media-type");
    let queried = format!("{SELECT}?body=1");
    let reply = ask(&world, "POST", &queried, &[JSON], good.into()).await;
    problem(&reply, 400, "unreadable-request");
    assert_eq!(world.arrivals().len(), 3);
    for arrival in world.arrivals() {
        assert_eq!(arrival.path, world.arrivals()[0].path);
    }
}

#[tokio::test]
async fn a_body_has_a_limit_that_is_told_before_it_is_read() {
    let world = World::start().await;
    let limit = 256 << 10;
    let start = r#"{"cardId": "8154431""#;
    let fits = format!("{start}{}}}", " ".repeat(limit - start.len() - 1));
    let reply = ask(&world, "POST", SELECT, &[JSON], fits.clone().into()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let reply = ask(&world, "POST", SELECT, &[JSON], (fits + " ").into()).await;
    problem(&reply, 413, "too-large");
    let address = world.rest.strip_prefix("http://").unwrap();
    for (length, body) in [
        ("Content-Length: 1073741824", String::new()),
        (
            "Transfer-Encoding: chunked",
            format!("50000\r\n{}\r\n", "x".repeat(0x50000)),
        ),
    ] {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST {SELECT} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n{length}\r\n\r\n{body}"
        );
        // The server may hang up before it has taken all.
        let _ = socket.write_all(head.as_bytes()).await;
        let mut answer = vec![0; 12];
        within(length, socket.read_exact(&mut answer))
            .await
            .unwrap();
        assert_eq!(answer, b"HTTP/1.1 413", "{length}");
    }
    assert_eq!(world.arrivals().len(), 1);
}

#[tokio::test]
async fn answers_tell_the_quota_and_are_kept_by_nobody() {
    let world = World::start().await;
    let reply = get(&world, LOCKER, &[]).await;
    assert_eq!((reply.status, reply.kind()), (200, "application/json"));
    assert_eq!(reply.headers["cache-control"], "no-store");
    assert_eq!(
        reply.headers["content-length"],
        reply.text.len().to_string().as_str()
    );
    for name in ["limit", "current", "reset"] {
        let value = reply.headers[format!("x-ratelimit-{name}")]
            .to_str()
            .unwrap();
        assert!(value.parse::<u64>().is_ok(), "{name}: {value}");
    }
}

#[tokio::test]
async fn who_hangs_up_ends_a_read() {
    let upstream = Upstream::start().await;
    upstream.script("/user/locker", [Act::Held(Box::new(Act::Say(ok("{}"))))]);
    let world = World::with(&[("SEVENDIGITAL_BASE_URI", &upstream.base_uri())]).await;
    let address = world.rest.strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!("GET {LOCKER} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    upstream.wait_for("/user/locker", 1).await;
    drop(socket);
    // A server that still waited for the read would not end for ten seconds.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let started = std::time::Instant::now();
    world.stop.cancel();
    let mut world = world;
    let server = world.server.take().unwrap();
    within("the end", server).await.unwrap().unwrap();
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

#[tokio::test]
async fn what_is_under_way_is_answered_before_the_end() {
    let upstream = Upstream::start().await;
    upstream.script("/user/purchase/item", [Act::Held(Box::new(Act::Sell))]);
    let mut world = World::with(&[("SEVENDIGITAL_BASE_URI", &upstream.base_uri())]).await;
    let (http, url) = (world.http.clone(), format!("{}{BUY}", world.rest));
    let asked = tokio::spawn(async move { http.get(url).send().await.unwrap().status() });
    upstream.wait_for("/user/purchase/item", 1).await;
    world.stop.cancel();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    upstream.open_gate();
    assert_eq!(within("the answer", asked).await.unwrap(), 200);
    let server = world.server.take().unwrap();
    within("the end", server).await.unwrap().unwrap();
}
