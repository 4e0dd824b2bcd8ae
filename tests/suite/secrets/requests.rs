//! Requests with secrets in them: good ones, and all that can be wrong with one.

use serde_json::{Value, json};
use sevendigital_tools::TOOLS;

use super::watched::{Wire, meta};
use super::{encode, jwt, secret};
use crate::support::Reply;
use crate::support::calls::calls;

const ID: &str = "1234";

/// Seventeen calls with secrets in their arguments.
pub(super) fn seventeen() -> Vec<(&'static str, Value)> {
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
    let tool = TOOLS.iter().find(|other| other.contract.name == tool);
    tool.unwrap().contract.upstream.path.replace("{id}", ID)
}

/// Calls with a secret where no such value belongs.
pub(super) fn wrong_calls() -> Vec<(&'static str, Value)> {
    let argument = secret("argument");
    let mut all = vec![
        ("authenticate-user", json!({"body": secret("password")})),
        (
            "authenticate-user",
            json!({"body": {"emailAddress": "a@b.example", "password": [secret("password")]}}),
        ),
        (
            "authenticate-user",
            json!({"body": {"emailAddress": "a@b.example", "password": {"value": secret("password")}}}),
        ),
        (
            "authenticate-user",
            json!({"body": {"emailAddress": secret("password"), "password": null}}),
        ),
        ("authenticate-user", json!({"password": secret("password")})),
    ];
    for name in [
        "card number",
        "card number without blanks",
        "card number with dashes",
    ] {
        all.push(("create-user", json!({"email": secret(name)})));
        all.push((
            "select-user-payment-card",
            json!({"body": {"cardId": secret(name)}}),
        ));
        all.push((
            "register-user-payment-card",
            json!({"body": {"redirectUrl": "https://a.example", "note": [secret(name)]}}),
        ));
    }
    all.push((
        "select-user-payment-card",
        json!({"body": {"cardId": 4_111_111_111_111_111_u64}}),
    ));
    for name in ["cvv", "cardVerificationCode", "CVC2"] {
        all.push(("register-user-payment-card", json!({"body": {"redirectUrl": "https://a.example", name: secret("card verification code")}})));
    }
    for tool in TOOLS {
        let name = tool.contract.name;
        let good = seventeen().into_iter().find(|(other, _)| *other == name);
        let (_, good) = good.unwrap();
        let schema = Value::from(tool.input_schema());
        let mut fields: Vec<(bool, String)> = vec![(false, "somethingElse".into())];
        let names = |schema: &Value| {
            let names = schema["properties"].as_object().cloned();
            names
                .unwrap_or_default()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        fields.extend(names(&schema).into_iter().map(|name| (false, name)));
        let inner = names(&schema["properties"]["body"]);
        fields.extend(inner.into_iter().map(|name| (true, name)));
        // An id of the caller's own for a sale, which the ledger keeps with the answer.
        fields.retain(|(_, name)| name != "transactionId");
        for (is_inner, field) in fields {
            for value in [
                json!(argument),
                json!([argument]),
                json!({"value": argument}),
            ] {
                let mut arguments = good.clone();
                if is_inner {
                    arguments["body"][&field] = value;
                } else {
                    arguments[&field] = value;
                }
                all.push((name, arguments));
            }
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
pub(super) async fn strays(wire: &Wire) -> Vec<Reply> {
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
        replies.push(wire.send(method, &url, &headers, body).await);
    }
    let known = jwt("user-1");
    for token in [
        &bearer[1..],
        &bearer.to_lowercase(),
        &format!("{known}x"),
        &known.replace('.', ""),
        &known[..known.len() - 3],
    ] {
        let wire = wire.showing(token);
        replies.push(wire.post(&[], password.as_str()).await);
        replies.push(wire.rest("get-user-locker", &json!({})).await);
    }
    replies
}
