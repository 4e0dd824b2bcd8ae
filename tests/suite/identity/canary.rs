//! Tokens that come in go nowhere: into no request to 7digital, no log line, no error and no result.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sevendigital_sandbox::{Fault, Sandbox};
use tempfile::TempDir;

use crate::identity::jwt::{AUDIENCE, ISSUER};
use crate::identity::{TOKEN, access_token, authority, hello, principal, token_of};
use crate::rest::routes;
use crate::support::calls::calls;
use crate::support::{LEGACY, MODERN, Server, http, until};

/// The ways in which a secret could show.
fn forms(secret: &str) -> Vec<String> {
    let hex = secret.bytes().map(|byte| format!("{byte:02x}"));
    let mut forms = vec![secret.to_owned(), hex.collect()];
    // Base64 of something longer holds the secret at one of three offsets; the ends are left out.
    for offset in 0..3 {
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let encoded = engine.encode(format!("{}{secret}", &"xxx"[..offset]));
            forms.push(encoded[4..encoded.len() - 4].to_owned());
        }
    }
    forms
}

/// All that is answered to somebody with this token, whatever they ask.
async fn use_it(mcp: &str, rest_url: &str, token: &str) -> String {
    let http = http();
    let mut told = String::new();
    let mut keep = async |request: reqwest::RequestBuilder| {
        let request = request
            .bearer_auth(token)
            .header("accept", "application/json, text/event-stream");
        let response = request.send().await.unwrap();
        let headers = response.headers().clone();
        writeln!(told, "{headers:?} {}", response.text().await.unwrap()).unwrap();
        headers
    };
    let modern = |tool: &str, arguments: &Value| {
        let params = json!({"name": tool, "arguments": arguments, "_meta": {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
        }});
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        http.post(mcp)
            .header("mcp-protocol-version", MODERN)
            .header("mcp-method", "tools/call")
            .header("mcp-name", tool)
            .json(&message)
    };
    for (tool, arguments) in calls() {
        keep(modern(tool, &arguments)).await;
        keep(modern(tool, &json!({"nonsense": 1}))).await;
        let (method, target, body) = routes::request(tool, &arguments);
        let method = method.parse().unwrap();
        let mut request = http.request(method, format!("{rest_url}{target}"));
        if !body.is_empty() {
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        keep(request).await;
    }
    keep(modern("no-such-tool", &json!({}))).await;
    let open = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello()});
    let headers = keep(http.post(mcp).json(&open)).await;
    if let Some(session) = headers.get("mcp-session-id") {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get-user-locker", "arguments": {}}});
        for request in [http.post(mcp).json(&call), http.delete(mcp)] {
            keep(
                request
                    .header("mcp-session-id", session)
                    .header("mcp-protocol-version", LEGACY[0]),
            )
            .await;
        }
    }
    // What is refused in one way or another.
    keep(http.post(mcp).json(&json!([]))).await;
    keep(http.post(mcp).body("{")).await;
    keep(http.get(mcp)).await;
    keep(http.get(format!("{rest_url}/nowhere"))).await;
    keep(http.put(format!("{rest_url}/v1/user/locker"))).await;
    keep(
        http.get(format!("{rest_url}/v1/user/locker"))
            .header("origin", "https://evil.example"),
    )
    .await;
    keep(
        http.get(format!("{rest_url}/v1/user/locker"))
            .header("x-mcp-tools", "no-such-tool"),
    )
    .await;
    keep(
        http.get(format!("{rest_url}/v1/user/locker"))
            .header("x-7digital-user-id", "1"),
    )
    .await;
    told
}

#[tokio::test]
async fn a_token_that_comes_in_goes_nowhere() {
    let (authority, sandbox) = (authority().await, Sandbox::start().await.unwrap());
    let folder = TempDir::new().unwrap();
    let further = format!(
        "token = {TOKEN:?}\nrest_bind = \"127.0.0.1:0\"\nlog_format = \"json\"\nauth_issuer = {ISSUER:?}\nauth_audience = {AUDIENCE:?}\nauth_jwks_uri = {:?}\n",
        authority.url("/keys")
    );
    let file = format!(
        "{further}{}",
        principal(
            "jane",
            &["reads", "account", "cards", "spend", "partner"],
            ""
        )
    );
    std::fs::write(folder.path().join("sevendigital-mcp.toml"), file).unwrap();
    let shell = "RUST_LOG=trace,rmcp=trace,hyper=trace exec \"$0\" \"$@\"";
    let server = Server::start_with(shell, folder.path(), &sandbox.base_uri()).await;
    until("the second address", || server.log().contains("/v1\n")).await;
    let log = server.log();
    let rest = log
        .lines()
        .find_map(|line| line.strip_prefix("listening on "))
        .unwrap();
    let rest = rest.strip_suffix("/v1").unwrap();
    // One scope fewer than all, so that a challenge is among the answers.
    let good = access_token("user-1", "reads account cards spend");
    let forged = access_token("user-1", "partner");
    let forged = format!("{}x", &forged[..forged.len() - 1]);
    let unknown = "unknown-canary-0123456789abcdef0123456789";
    let tokens = [
        TOKEN.to_owned(),
        token_of("jane"),
        good,
        forged,
        unknown.to_owned(),
    ];
    let mut told = String::new();
    for token in &tokens {
        for operation in ["getUserLocker", "listUserPaymentCards"] {
            sandbox.script(
                operation,
                Fault::Status(500, "text/plain", "broken".into()),
                1,
            );
        }
        told.push_str(&use_it(&server.url, rest, token).await);
    }
    until("the last refusal's line", || {
        server.log().contains("foreign")
            || server.log().contains("X-7digital")
            || server.log().contains("user_from_headers")
    })
    .await;
    let arrived = format!("{:?}{:?}", sandbox.arrivals(), authority.requests());
    assert!(
        sandbox.arrivals().len() > 40,
        "{}",
        sandbox.arrivals().len()
    );
    let log = server.log();
    assert!(
        log.len() > 100_000,
        "everything is logged: {} bytes",
        log.len()
    );
    for token in &tokens {
        for part in token.split('.').filter(|part| part.len() > 20) {
            for form in forms(part) {
                for (place, text) in [
                    ("upstream", &arrived),
                    ("the log", &log),
                    ("an answer", &told),
                ] {
                    let at = text.find(&form);
                    let shown = at.map(|at| {
                        text[..at]
                            .chars()
                            .rev()
                            .take(200)
                            .collect::<String>()
                            .chars()
                            .rev()
                            .collect::<String>()
                    });
                    assert_eq!(shown, None, "{place} shows {form}");
                }
            }
        }
    }
    println!(
        "{} bytes of log, {} of answers, {} upstream",
        log.len(),
        told.len(),
        arrived.len()
    );
}
