//! One event is one line without anything that a terminal obeys, whatever clients and 7digital put into it.

use serde_json::{Value, json};
use sevendigital::text::clean;
use sevendigital_tools::TOOLS;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{jwt, meta, secret, variables};
use crate::support::calls::calls;
use crate::support::faults::say;
use crate::support::tokens::Authority;
use crate::support::upstream::{ANY, Act, Upstream};
use crate::support::{Client, LEGACY, Server, Surface, Variable, folder, within};

/// Ends a line and begins a forged one, in every way that some reader takes for an end; moves the cursor; turns the text round; hides.
const NASTY: &str = "x\r\n2026-01-01T00:00:00.000000Z  INFO forged: all is well \u{1b}[31m\u{7}\u{8}\u{9b}2J\u{85}\u{b}\u{c}\u{2028}\u{2029}\u{202e}\u{2066}\u{200b}\u{feff}\u{e0041}\u{7f}\n{\"forged\": true}\n";

/// The same without what no header may hold.
fn in_header() -> String {
    NASTY.replace(|c: char| c.is_ascii_control(), "")
}

/// Each line of a log is an event of the program's, and shows nothing that is not seen.
fn check(format: &str, log: &str) -> usize {
    let mut forged = 0;
    for line in log.lines() {
        assert_eq!(clean(line), line, "{line:?}");
        assert!(!line.contains(char::is_control), "{line:?}");
        forged += usize::from(line.contains("forged"));
        // What a person is told at the start is ours from its first word to its last.
        if line.starts_with("listening on http://127.0.0.1:") || line.starts_with("note: ") {
            continue;
        }
        if format == "json" {
            let event: Value = serde_json::from_str(line).expect(line);
            assert!(event["fields"]["message"].is_string(), "{line}");
            assert!(event["timestamp"].is_string(), "{line}");
            assert!(event["forged"].is_null(), "{line}");
        } else {
            let (moment, event) = line.split_once(' ').expect(line);
            assert!(
                chrono::DateTime::parse_from_rfc3339(moment).is_ok(),
                "{line}"
            );
            assert!(!moment.starts_with("2026-01-01T00:00:00"), "{line}");
            let level = event.trim_start().split(' ').next().unwrap();
            let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"];
            assert!(levels.contains(&level), "{line}");
        }
    }
    assert_eq!(log.lines().count(), log.matches('\n').count());
    forged
}

fn call(params: &Value) -> Value {
    let mut params = params.clone();
    if params["_meta"].is_null() {
        params["_meta"] = meta(&json!({}));
    }
    json!({"jsonrpc": "2.0", "id": "1", "method": "tools/call", "params": params})
}

/// Messages with it in every place that a client fills.
fn messages() -> Vec<Value> {
    let with = |field: &str, value: Value| {
        let mut message = call(&json!({"name": "get-user-locker", "arguments": {"page": "x"}}));
        message[field] = value;
        message
    };
    let versions = json!({"io.modelcontextprotocol/protocolVersion": NASTY});
    let mut all = vec![
        call(&json!({"name": NASTY})),
        call(&json!({"name": "get-user-locker", "arguments": {NASTY: 1}})),
        call(&json!({"name": "get-user-locker", "arguments": {"page": NASTY}})),
        call(&json!({"name": "authenticate-user", "arguments": {"body": NASTY}})),
        call(&json!({"name": "get-user-locker", "requestState": NASTY})),
        call(&json!({"name": "get-user-locker", "_meta": meta(&json!({"traceparent": NASTY}))})),
        call(&json!({"name": "get-user-locker", "_meta": meta(&versions)})),
        with("id", json!(NASTY)),
        with("method", json!(NASTY)),
        with("jsonrpc", json!(NASTY)),
        json!({"jsonrpc": "2.0", "id": NASTY, "method": "tools/call", "params": {"name": NASTY, "_meta": meta(&json!({}))}}),
        json!({"jsonrpc": "2.0", "id": NASTY, "method": "initialize", "params": {"protocolVersion": NASTY, "capabilities": {}, "clientInfo": {"name": NASTY, "version": NASTY}}}),
        json!({"jsonrpc": "2.0", "id": NASTY, "method": "initialize", "params": {"protocolVersion": LEGACY[0], "capabilities": {}, "clientInfo": {"name": NASTY, "version": "1"}}}),
        json!({"jsonrpc": "2.0", "id": NASTY, "method": "tools/list", "params": {"cursor": NASTY}}),
        json!({"jsonrpc": "2.0", "id": NASTY, "method": "resources/read", "params": {"uri": NASTY}}),
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": NASTY, "reason": NASTY}}),
        json!({"jsonrpc": "2.0", "method": NASTY, "params": {NASTY: NASTY}}),
        json!({"jsonrpc": "2.0", "id": NASTY, "result": {NASTY: NASTY}}),
        json!({"jsonrpc": "2.0", "id": NASTY, "error": {"code": 1, "message": NASTY}}),
    ];
    for tool in TOOLS {
        let name = tool.contract.name;
        let good = calls().into_iter().find(|(other, _)| *other == name);
        let (_, good) = good.unwrap();
        let mut whole = good.clone();
        for (field, value) in good.as_object().unwrap() {
            if value.is_object() {
                for inner in value.as_object().unwrap().keys() {
                    whole[field][inner] = json!(NASTY);
                }
            } else {
                whole[field] = json!(NASTY);
            }
            all.push(call(&json!({"name": name, "arguments": whole})));
        }
    }
    all
}

/// Sends bytes as they are; gives the answer's first line.
async fn send_raw(wire: &Client, bytes: &[u8]) -> String {
    let address = wire.rest.strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    let mut heard = Vec::new();
    // A reset after the answer is one way to end.
    let _ = within("the end of an answer", socket.read_to_end(&mut heard)).await;
    let heard = String::from_utf8_lossy(&heard);
    heard.lines().next().unwrap_or_default().to_owned()
}

/// Requests to REST with it in the path and in headers.
async fn odd_requests(wire: &Client) {
    let header = in_header();
    let encoded = sevendigital::oauth::encode(NASTY);
    let host = wire.rest.strip_prefix("http://").unwrap();
    for target in [
        format!("/v1/{encoded}"),
        format!("/v1/{}", header.replace(' ', "")),
        format!("/v1/user/payment/cardregistration/{encoded}"),
        format!("/v1/user/locker?{encoded}={encoded}"),
        format!("/v1/user/locker?page={encoded}"),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let status = send_raw(wire, request.as_bytes()).await;
        assert!(status.starts_with("HTTP/1.1 4"), "{target}: {status}");
    }
    #[rustfmt::skip]
    let rows = [
        "Host", "Origin", "Referer", "Sec-Fetch-Site", "Authorization", "Content-Type", "traceparent",
        "X-Request-Id", "Idempotency-Key", "X-Confirmation", "X-MCP-Tools", "X-7digital-User-Id",
        "User-Agent",
    ];
    for name in rows {
        let host = if name == "Host" {
            String::new()
        } else {
            format!("Host: {host}\r\n")
        };
        let request = format!(
            "POST /v1/user/authenticate HTTP/1.1\r\n{host}{name}: {header}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        let status = send_raw(wire, request.as_bytes()).await;
        assert!(status.starts_with("HTTP/1.1 4"), "{name}: {status}");
    }
    for bytes in [
        NASTY.as_bytes(),
        &[b"GET / HTTP/1.1\r\nA: ", NASTY.as_bytes()].concat(),
    ] {
        send_raw(wire, bytes).await;
    }
}

fn settings(upstream: &Upstream, keys: &str, format: &str) -> Vec<Variable> {
    let of_logs = [
        ("RUST_LOG", "trace,rmcp=trace"),
        ("SEVENDIGITAL_MCP_LOG_FORMAT", format),
    ];
    variables(&upstream.base_uri(), keys, &of_logs)
}

async fn check_server(format: &str) {
    let (folder, upstream) = (folder(), Upstream::start().await);
    let authority = Authority::start().await;
    let settings = settings(&upstream, &authority.url("/keys"), format);
    let mut server = Server::serve(folder.path(), &[], &settings).await;
    let operator = server
        .caller()
        .that_can_ask()
        .showing(secret("operator's bearer"));
    let operator = operator.in_session(LEGACY[0]).await;
    for message in messages() {
        operator.say(&message).await;
        let method = message["method"].as_str().unwrap_or_default();
        // What no header can hold differs from the body, and is refused for that.
        let method = if method.contains('\n') {
            "tools/call"
        } else {
            method
        };
        let headers = [
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", method),
        ];
        operator.post(&headers, message.to_string()).await;
    }
    // A caller with such a name at the authorization server.
    let stranger = server.caller().that_can_ask().showing(&jwt(NASTY));
    let reply = stranger
        .on(Surface::Rest, "get-user-locker", &json!({"page": "x"}))
        .await;
    assert_eq!(reply.status, 400, "{reply:?}");
    odd_requests(&operator).await;
    let error = json!({"status": "error", "error": {"code": 2001, "errorMessage": NASTY}});
    for act in [
        say(200, "Content-Type: application/json\r\n", error.to_string()),
        say(401, "Content-Type: text/plain\r\n", NASTY),
        say(500, "Content-Type: text/plain\r\n", NASTY),
        Act::Reset(NASTY.into()),
    ] {
        upstream.script(ANY, [act]);
        for tool in ["get-user-locker", "signup-user", "purchase-user-item"] {
            let (_, arguments) = calls().into_iter().find(|(name, _)| *name == tool).unwrap();
            operator.on(Surface::Rest, tool, &arguments).await;
        }
    }
    server.signal("TERM");
    server.ended().await;
    let forged = check(format, &server.log());
    // It is not that nothing of it were logged.
    assert!(forged >= 5, "{forged}");
    assert_eq!(server.out(), "");
}

async fn check_pipes(format: &str) {
    let (folder, upstream) = (folder(), Upstream::start().await);
    let authority = Authority::start().await;
    let settings = settings(&upstream, &authority.url("/keys"), format);
    let mut piped = Server::piped(folder.path(), &[], &settings);
    piped.hello().await;
    for message in messages() {
        piped.say(&message.to_string()).await;
    }
    piped.say(&NASTY.replace('\n', "")).await;
    let arguments = json!({"name": "get-user-locker", "arguments": {}});
    piped.ask("last", "tools/call", &arguments).await;
    piped.ended().await;
    let forged = check(format, &piped.log());
    assert!(forged >= 1, "{forged}");
    for line in piped.out().lines() {
        let message: Value = serde_json::from_str(line).expect(line);
        assert_eq!(message["jsonrpc"], "2.0");
    }
}

#[tokio::test]
async fn one_event_is_one_line_of_text() {
    check_server("text").await;
    check_pipes("text").await;
}

#[tokio::test]
async fn one_event_is_one_line_of_json() {
    check_server("json").await;
    check_pipes("json").await;
}
