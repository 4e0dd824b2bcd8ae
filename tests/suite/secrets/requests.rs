//! Requests with secrets in them: good ones, and all that can be wrong with one.

use serde_json::{Value, json};

use super::{encode, jwt, meta, secret};
use crate::support::calls::{self, calls};
use crate::support::{Client, Reply};

const ID: &str = "1234";

/// A call of each tool, with secrets in its arguments.
pub(super) fn with_secrets() -> Vec<(&'static str, Value)> {
    let mut all = calls();
    for (tool, arguments) in &mut all {
        if arguments["id"].is_string() {
            arguments["id"] = json!(ID);
        }
        match *tool {
            "signup-user" => {
                arguments["body"]["emailAddress"] = json!(secret("e-mail address given"));
                arguments["body"]["password"] = json!(secret("new password"));
            }
            "authenticate-user" => {
                arguments["body"]["emailAddress"] = json!(secret("e-mail address given"));
                arguments["body"]["password"] = json!(secret("password"));
            }
            "create-user" => arguments["email"] = json!(secret("e-mail address given")),
            _ => {}
        }
    }
    all
}

pub(super) fn path(tool: &str) -> String {
    calls::tool(tool).contract.upstream.path.replace("{id}", ID)
}

/// Calls with a secret where no such value belongs.
pub(super) fn wrong_calls() -> Vec<(&'static str, Value)> {
    const LOG_IN: &str = "authenticate-user";
    const SELECT: &str = "select-user-payment-card";
    const REGISTER: &str = "register-user-payment-card";
    let password = secret("password");
    let page = "https://a.example";
    #[rustfmt::skip]
    let mut all = vec![
        (LOG_IN, json!({"body": password})),
        (LOG_IN, json!({"body": {"emailAddress": "a@b.example", "password": [password]}})),
        (LOG_IN, json!({"body": {"emailAddress": "a@b.example", "password": {"value": password}}})),
        (LOG_IN, json!({"body": {"emailAddress": password, "password": null}})),
        (LOG_IN, json!({"password": password})),
        (SELECT, json!({"body": {"cardId": 4_111_111_111_111_111_u64}})),
    ];
    for way in ["", " without blanks", " with dashes"] {
        let number = secret(&format!("card number{way}"));
        all.extend([
            ("create-user", json!({"email": number})),
            (SELECT, json!({"body": {"cardId": number}})),
            (
                REGISTER,
                json!({"body": {"redirectUrl": page, "note": [number]}}),
            ),
        ]);
    }
    for name in ["cvv", "cardVerificationCode", "CVC2"] {
        let code = secret("card verification code");
        all.push((REGISTER, json!({"body": {"redirectUrl": page, name: code}})));
    }
    let good = with_secrets().into_iter();
    all.extend(good.flat_map(|(tool, arguments)| misplaced(tool, &arguments)));
    all
}

/// The good call with a secret in each of its places, as a text, in a list and in an object.
fn misplaced(tool: &'static str, good: &Value) -> Vec<(&'static str, Value)> {
    let schema = Value::from(calls::tool(tool).input_schema());
    let names = |schema: &Value| -> Vec<String> {
        let properties = schema["properties"].as_object().into_iter().flatten();
        properties.map(|(name, _)| name.clone()).collect()
    };
    let outer = names(&schema)
        .into_iter()
        .chain(["somethingElse".to_owned()]);
    let inner = names(&schema["properties"]["body"]).into_iter();
    let places = outer
        .map(|name| (false, name))
        .chain(inner.map(|name| (true, name)));
    let argument = secret("argument");
    let mut all = Vec::new();
    // An id of the caller's own for a sale is kept by the ledger with the answer.
    for (is_inner, name) in places.filter(|(_, name)| name != "transactionId") {
        for value in [
            json!(argument),
            json!([argument]),
            json!({"value": argument}),
        ] {
            let mut arguments = good.clone();
            let fields = if is_inner {
                &mut arguments["body"]
            } else {
                &mut arguments
            };
            fields[&name] = value;
            all.push((tool, arguments));
        }
    }
    all
}

/// Messages with a secret that are no good requests.
pub(super) fn wrong_messages() -> Vec<String> {
    let (password, argument) = (json!(secret("password")), secret("argument"));
    let call = |params: Value| {
        json!({"jsonrpc": "2.0", "id": "wrong", "method": "tools/call", "params": params})
            .to_string()
    };
    let good = json!({"body": {"password": password}});
    let named = |more: Value| {
        let mut params =
            json!({"name": "authenticate-user", "arguments": good, "_meta": meta(&json!({}))});
        for (name, value) in more.as_object().unwrap() {
            params[name] = value.clone();
        }
        call(params)
    };
    let whole = named(json!({}));
    vec![
        whole[..whole.len() - 9].to_owned(),
        format!("{whole}{argument}"),
        format!("{argument}{whole}"),
        format!("[{whole}]"),
        whole.replace("2.0", argument),
        whole.replace("\"wrong\"", "1.5"),
        named(json!({"arguments": argument})),
        named(json!({"arguments": [argument]})),
        named(json!({"_meta": argument})),
        named(json!({"_meta": {"io.modelcontextprotocol/protocolVersion": {"a": argument}}})),
        named(json!({"requestState": argument})),
        named(json!({"requestState": argument, "inputResponses": {"confirm": argument}})),
        named(json!({"inputResponses": argument})),
        named(json!({"name": {"a": argument}})),
        call(json!([argument])),
        call(json!(argument)),
        json!({"jsonrpc": "2.0", "id": "wrong", "method": "tools/list", "params": {"cursor": argument}}).to_string(),
        json!({"jsonrpc": "2.0", "id": "wrong", "method": "resources/read", "params": {"uri": argument}}).to_string(),
        json!({"jsonrpc": "2.0", "id": "wrong", "method": "logging/setLevel", "params": {"level": argument}}).to_string(),
        json!({"jsonrpc": "2.0", "id": "wrong", "method": "completion/complete", "params": argument}).to_string(),
        json!({"jsonrpc": "2.0", "id": 99, "result": {"content": {"password": password}}}).to_string(),
        json!({"jsonrpc": "2.0", "id": 99, "error": {"code": 1, "message": argument, "data": password}}).to_string(),
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1, "reason": argument}}).to_string(),
        json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": password}}).to_string(),
        json!({"jsonrpc": "2.0", "method": "notifications/custom", "params": {"password": password, "a": argument}}).to_string(),
    ]
}

/// Requests that come to no tool at all, with secrets in odd places.
pub(super) async fn strays(wire: &Client) -> Vec<Reply> {
    const AUTHENTICATE: &str = "/v1/user/authenticate";
    let bearer = secret("operator's bearer");
    let argument = secret("argument");
    let (password, encoded) = (json!({"password": secret("password")}), encode(bearer));
    let password = password.to_string();
    let json = ("content-type", "application/json");
    let (large, half) = (password.repeat(20_000), &password[..password.len() - 2]);
    let list = format!("[{password}]");
    #[rustfmt::skip]
    let rows = [
        ("PUT", format!("/mcp?access_token={encoded}"), vec![json], password.as_str()),
        ("POST", "/mcp".to_owned(), vec![json, ("mcp-session-id", argument)], &password),
        ("GET", format!("{AUTHENTICATE}?password={encoded}"), vec![], ""),
        ("GET", format!("/v1/nowhere?token={encoded}"), vec![], ""),
        ("GET", format!("/v1/user/locker?token={encoded}"), vec![], ""),
        ("GET", format!("/v1/user/locker?page={encoded}"), vec![], ""),
        ("GET", format!("/v1/user/locker?page=1&page={encoded}"), vec![], ""),
        ("GET", "/v1/user/locker".to_owned(), vec![("x-mcp-tools", argument)], ""),
        ("GET", "/v1/user/purchase/item?releaseId=2".to_owned(), vec![("x-7digital-access-token", secret("header's token"))], ""),
        ("POST", AUTHENTICATE.to_owned(), vec![("content-type", "text/plain")], &password),
        ("POST", AUTHENTICATE.to_owned(), vec![json], half),
        ("POST", AUTHENTICATE.to_owned(), vec![json], &list),
        ("POST", AUTHENTICATE.to_owned(), vec![json], &large),
        ("POST", AUTHENTICATE.to_owned(), vec![json, ("origin", "https://evil.example")], &password),
        ("POST", AUTHENTICATE.to_owned(), vec![json, ("host", "evil.example")], &password),
        ("POST", AUTHENTICATE.to_owned(), vec![json, ("content-encoding", "gzip")], &password),
        ("POST", format!("/v1/user/select?password={encoded}"), vec![json], &password),
    ];
    let mut replies = Vec::new();
    for (method, target, headers, body) in rows {
        let root = match target.strip_prefix("/mcp") {
            Some(_) => wire.mcp.strip_suffix("/mcp").unwrap(),
            None => wire.rest.as_str(),
        };
        let url = format!("{root}{target}");
        replies.push(wire.fetch(method, &url, &headers, body).await);
    }
    for token in wrong_tokens() {
        let wire = wire.showing(&token);
        replies.push(wire.post(&[], password.as_str()).await);
        replies.push(wire.rest("get-user-locker", &json!({})).await);
    }
    replies
}

/// Tokens that are not known, some of them nearly.
pub(super) fn wrong_tokens() -> [String; 7] {
    let (bearer, known) = (secret("operator's bearer"), jwt("user-1"));
    [
        "unknown-canary-0123456789abcdef0123456789".to_owned(),
        bearer[1..].to_owned(),
        bearer.to_lowercase(),
        format!("{known}x"),
        format!("{}x", &known[..known.len() - 1]),
        known.replace('.', ""),
        known[..known.len() - 3].to_owned(),
    ]
}
