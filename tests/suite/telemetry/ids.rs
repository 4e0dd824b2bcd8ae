//! Every failure is reported under a name, and the log knows the name too.

use serde_json::{Value, json};

use super::{Site, id_in};
use crate::support::faults::say;
use crate::support::upstream::{ANY, Act, refusal};
use crate::support::{
    LEGACY, MODERN, Reply, SURFACES, Server, Setting, Surface, folder, variables,
};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn header(reply: &Reply) -> &str {
    reply.headers["x-request-id"].to_str().unwrap()
}

/// The name in an answer, which is that of its header: in a result, in an error of JSON-RPC, or in a problem.
fn told(reply: &Reply) -> String {
    let document = reply.message();
    let in_error = &document["error"]["data"]["requestId"];
    let in_problem = &document["requestId"];
    let id = match (in_error.as_str(), in_problem.as_str()) {
        (Some(id), _) | (None, Some(id)) => id.to_owned(),
        (None, None) => id_in(&document["result"]),
    };
    assert_eq!(id, header(reply), "{reply:?}");
    id
}

/// Calls that fail, and why.
fn failing() -> [(&'static str, &'static str, Value); 6] {
    [
        ("a wrong argument", "get-user-locker", json!({"page": "x"})),
        (
            "an unknown argument",
            "get-user-locker",
            json!({"pages": "1"}),
        ),
        (
            "a card number",
            "create-user",
            json!({"email": "4111 1111 1111 1111"}),
        ),
        (
            "a read that fails at 7digital",
            "get-user-details",
            json!({"userId": "2"}),
        ),
        (
            "a change that fails at 7digital",
            "select-user-payment-card",
            json!({"body": {"cardId": "2"}}),
        ),
        (
            "a charge that fails at 7digital",
            "purchase-user-item",
            json!({"releaseId": "2"}),
        ),
    ]
}

async fn check_calls(settings: &[Setting<'_>]) {
    let mut site = Site::with(settings).await;
    let piped_folder = folder();
    let all = variables(&site.upstream.base_uri(), settings);
    let mut piped = Server::piped(piped_folder.path(), &[], &all);
    piped.hello().await;
    site.upstream.script(ANY, [Act::Say(refusal(200, 2001))]);
    let wire = site.client().await;
    // An id that a client sends is ignored.
    let wire = wire.with("X-Request-Id", "0000000000000000");
    for (what, tool, arguments) in failing() {
        for way in SURFACES {
            let reply = wire.on(way, tool, &arguments).await;
            let id = told(&reply);
            let failed = format!("tool `{tool}` failed");
            site.knows(&format!("{what}, {way:?}"), &id, &failed).await;
        }
        let params = json!({"name": tool, "arguments": arguments});
        let answer = piped.ask(what, "tools/call", &params).await;
        let id = id_in(&answer["result"]);
        piped.until_logged(&id).await;
        let log = piped.log();
        let mut lines = log.lines().filter(|line| line.contains(&id));
        assert!(lines.any(|line| line.contains("failed")), "{what}: {log}");
        assert!(site.ids.insert(id), "{what}");
    }
    let params = json!({"name": "no-such-tool"});
    let modern = wire
        .ask_as(json!(1), "tools/call", params.clone())
        .await
        .unwrap();
    let message = json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": params});
    for reply in [modern, wire.say(&message).await] {
        assert_eq!(reply.message()["error"]["code"], -32602, "{reply:?}");
        site.knows("an unknown tool", &told(&reply), "no-such-tool")
            .await;
    }
    let answer = piped.ask("unknown", "tools/call", &params).await;
    let id = answer["error"]["data"]["requestId"].as_str().unwrap();
    piped.until_logged(id).await;
    assert!(!site.server.log().contains("0000000000000000"));
    println!("{} names", site.ids.len());
}

#[tokio::test]
async fn a_call_that_fails_has_a_name_that_its_log_line_has() {
    check_calls(&[("SEVENDIGITAL_MCP_SPENDING", "allow")]).await;
}

#[tokio::test]
async fn the_log_line_has_the_name_where_only_warnings_are_logged() {
    check_calls(&[("SEVENDIGITAL_MCP_SPENDING", "allow"), ("RUST_LOG", "warn")]).await;
}

#[tokio::test]
async fn a_call_that_lacks_its_confirmation_has_a_name_too() {
    let mut site = Site::with(&[
        ("SEVENDIGITAL_MCP_SPENDING", "confirm"),
        ("SEVENDIGITAL_MCP_CONFIRM_WITH", "client"),
        ("SEVENDIGITAL_MCP_USER_FROM_HEADERS", "true"),
    ])
    .await;
    let wire = site.client().await;
    let buy = json!({"name": "purchase-user-item", "arguments": {"releaseId": "1"}});
    let with = |more: Value| {
        let mut params = buy.clone();
        for (name, value) in more.as_object().unwrap() {
            params[name] = value.clone();
        }
        params
    };
    let yes = json!({"confirm": {"action": "accept", "content": {"confirm": true}}});
    let no = json!({"confirm": {"action": "decline"}});
    #[rustfmt::skip]
    let modern = [
        ("a no", with(json!({"requestState": "x", "inputResponses": no}))),
        ("no answer", with(json!({"requestState": "x"}))),
        ("another's yes", with(json!({"requestState": "x", "inputResponses": yes}))),
    ];
    for (what, params) in modern {
        let reply = wire.ask_as(json!(1), "tools/call", params).await.unwrap();
        assert_eq!(reply.message()["result"]["isError"], true, "{reply:?}");
        site.knows(what, &told(&reply), "failed").await;
    }
    let speechless = site.server.caller().in_session(LEGACY[0]).await;
    let message = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": buy});
    let reply = speechless.say(&message).await;
    site.knows("nobody to ask", &told(&reply), "failed").await;
    let reply = wire
        .rest("purchase-user-item", &json!({"releaseId": "1"}))
        .await;
    assert_eq!(reply.status, 409, "{reply:?}");
    site.knows("a question", &told(&reply), "rejected").await;
    let reply = wire
        .with("X-Confirmation", "x")
        .rest("purchase-user-item", &json!({"releaseId": "1"}))
        .await;
    site.knows("another's yes over REST", &told(&reply), "failed")
        .await;
    let half = wire.with("X-7digital-Access-Token", "x");
    for way in SURFACES {
        let reply = half.on(way, "get-user-locker", &json!({})).await;
        site.knows(&format!("half a user, {way:?}"), &told(&reply), "")
            .await;
    }
    // To ask well, the card and the locker were looked at.
    assert_eq!(site.upstream.arrivals("/user/purchase/item"), 0);
}

#[tokio::test]
async fn a_refused_request_has_a_name_in_the_words_of_its_surface() {
    let metrics_too = ("SEVENDIGITAL_MCP_METRICS_BIND", "127.0.0.1:0");
    let mut site = Site::with(&[("SEVENDIGITAL_MCP_TOKEN", TOKEN), metrics_too]).await;
    let stranger = site
        .server
        .caller()
        .that_can_ask()
        .with("X-Request-Id", "0000000000000000");
    let wire = stranger.showing(TOKEN);
    let metrics = site.server.address("/metrics");
    let (mcp, rest) = (wire.mcp.clone(), format!("{}/v1/user", wire.rest));
    let json = ("content-type", "application/json");
    let evil = ("origin", "https://evil.example");
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    let large = "x".repeat(300_000);
    let select = format!("{rest}/payment/card/select");
    let no_text = format!("{rest}/payment/cardregistration/%ff");
    let nowhere = mcp.replace("/mcp", "/nowhere");
    #[rustfmt::skip]
    let rows = [
        (&wire, "POST", &mcp, &[json, evil][..], call.as_str(), 403),
        (&wire, "POST", &mcp, &[json, ("host", "evil.example")], &call, 403),
        (&wire, "POST", &mcp, &[json, ("sec-fetch-site", "cross-site")], &call, 403),
        (&stranger, "POST", &mcp, &[json], &call, 401),
        (&wire, "POST", &mcp, &[json], "{", 400),
        (&wire, "POST", &mcp, &[json], "[]", 400),
        (&wire, "POST", &mcp, &[json], "{\"jsonrpc\": \"2.0\"}", 400),
        (&wire, "POST", &mcp, &[("content-type", "text/plain")], &call, 415),
        (&wire, "POST", &mcp, &[json], &large, 413),
        (&wire, "POST", &mcp, &[json, ("mcp-session-id", "x")], &call, 404),
        (&wire, "POST", &mcp, &[json, ("x-mcp-tools", "x")], &call, 400),
        (&wire, "GET", &nowhere, &[], "", 404),
        (&wire, "POST", &select, &[json, evil], "{}", 403),
        (&stranger, "POST", &select, &[json], "{}", 401),
        (&wire, "POST", &select, &[json], "{", 400),
        (&wire, "POST", &select, &[json], "[]", 400),
        (&wire, "POST", &select, &[("content-type", "text/plain")], "{}", 415),
        (&wire, "POST", &select, &[json], &large, 413),
        (&wire, "PUT", &select, &[json], "{}", 405),
        (&wire, "GET", &rest, &[], "", 404),
        (&wire, "GET", &no_text, &[], "", 400),
        (&wire, "GET", &metrics, &[evil], "", 403),
        (&wire, "GET", &metrics, &[("host", "evil.example")], "", 403),
    ];
    for (wire, method, url, headers, body, status) in rows {
        let mut all = headers.to_vec();
        if *url == mcp {
            all.push(("accept", "application/json, text/event-stream"));
        }
        let reply = wire.fetch(method, url, &all, body).await;
        let what = format!("{method} {url} {headers:?}");
        assert_eq!(reply.status, status, "{what}: {reply:?}");
        let is_mcp = url.starts_with(mcp.strip_suffix("/mcp").unwrap());
        let kind = ["application/problem+json", "application/json"][usize::from(is_mcp)];
        assert_eq!(reply.kind(), kind, "{what}");
        site.knows(&what, &told(&reply), "rejected").await;
    }
    assert!(!site.server.log().contains("0000000000000000"));
    assert_eq!(site.upstream.connections(), 0);
}

/// What rmcp refuses by itself is refused in its own words; the id stands in the header.
#[tokio::test]
async fn what_the_protocol_refuses_has_a_name_in_the_header_and_in_the_log() {
    let mut site = Site::with(&[]).await;
    let wire = site.server.caller().that_can_ask();
    let version = ("mcp-protocol-version", MODERN);
    let request = |method: &str, params: Value| {
        json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()
    };
    let meta = crate::secrets::meta(&json!({}));
    #[rustfmt::skip]
    let rows = [
        ("an unknown method", vec![version, ("mcp-method", "no/such")], request("no/such", json!({"_meta": meta}))),
        ("another method in the header", vec![version, ("mcp-method", "tools/call")], request("tools/list", json!({"_meta": meta}))),
        ("no `_meta`", vec![version, ("mcp-method", "tools/list")], request("tools/list", json!({}))),
        ("an unknown version", vec![("mcp-protocol-version", "2031-01-01"), ("mcp-method", "tools/list")], request("tools/list", json!({"_meta": meta}))),
        ("no session", vec![("mcp-protocol-version", "2025-11-25")], request("tools/list", json!({}))),
    ];
    for (what, headers, body) in rows {
        let reply = wire.post(&headers, body).await;
        assert!(reply.status >= 400, "{what}: {reply:?}");
        site.knows(what, header(&reply), "").await;
    }
}

#[tokio::test]
async fn what_succeeds_has_a_name_too_and_each_has_another() {
    let mut site = Site::with(&[]).await;
    site.upstream
        .script(ANY, [say(200, "", "{\"status\": \"ok\"}")]);
    let wire = site.server.caller().that_can_ask();
    let opening = wire.initialize(LEGACY[0]).await;
    let wire = wire.opened(&opening, LEGACY[0]).await;
    let wire = wire.with("X-Request-Id", "0000000000000000");
    let mut replies = vec![opening];
    for _ in 0..10 {
        for way in SURFACES {
            replies.push(wire.on(way, "get-user-locker", &json!({})).await);
        }
        replies.push(
            wire.ask_as(json!(1), "tools/list", json!({}))
                .await
                .unwrap(),
        );
        for path in ["/healthz", "/openapi.json", "/docs/"] {
            let url = format!("{}{path}", wire.rest);
            replies.push(wire.fetch("GET", &url, &[], "").await);
        }
    }
    replies.push(wire.initialize(LEGACY[0]).await);
    for reply in replies {
        let id = header(&reply).to_owned();
        assert_eq!(
            (
                id.len(),
                reply.headers.get_all("x-request-id").iter().count()
            ),
            (16, 1)
        );
        assert!(site.ids.insert(id), "{reply:?}");
    }
}

/// An upstream's own `X-Request-Id` is no name of ours.
#[tokio::test]
async fn nothing_of_a_name_goes_to_7digital_or_comes_from_there() {
    let site = Site::with(&[]).await;
    let other = "X-Request-Id: feedfeedfeedfeed\r\n";
    site.upstream
        .script(ANY, [say(200, other, "{\"status\": \"ok\"}")]);
    let wire = site
        .server
        .caller()
        .that_can_ask()
        .with("X-Request-Id", "0000000000000000");
    let reply = wire.on(Surface::Rest, "get-user-locker", &json!({})).await;
    assert_ne!(header(&reply), "feedfeedfeedfeed");
    let raw = site.upstream.heard("/user/locker")[0]
        .raw
        .to_ascii_lowercase();
    assert!(
        !raw.contains("request-id") && !raw.contains(header(&reply)),
        "{raw}"
    );
}
