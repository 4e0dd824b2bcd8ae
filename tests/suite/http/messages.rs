//! One message at a time, in the right type, of a version that is spoken; else nothing happens.

use serde_json::{Value, json};

use super::requests::{doors, unharmed};
use crate::support::draft::Draft;
use crate::support::messages::message;
use crate::support::{Client, LEGACY, MODERN, World};

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// The message of a draft, changed.
fn changed(good: &Draft, change: impl FnOnce(&mut Value)) -> Draft {
    let mut message = serde_json::from_slice(&good.body).unwrap();
    change(&mut message);
    good.clone().saying(&message)
}

/// The message of a draft with another field at the top.
fn having(good: &Draft, field: &str, value: Value) -> Draft {
    changed(good, |message| message[field] = value)
}

fn lacking(good: &Draft, field: &str) -> Draft {
    changed(good, |message| {
        message.as_object_mut().unwrap().remove(field);
    })
}

/// What is no request of JSON-RPC, or a call whose parameters are none; and the code of the error.
#[rustfmt::skip]
fn no_requests(good: &Draft) -> Vec<(&'static str, Draft, i64)> {
    let message: Value = serde_json::from_slice(&good.body).unwrap();
    let upper = changed(&lacking(good, "method"), |message| message["METHOD"] = json!("tools/call"));
    let twice = good.but("\"method\"", "\"method\": \"tools/list\", \"method\"");
    let id = |id: Value| having(good, "id", id);
    let params = |change: fn(&mut Value)| changed(good, |message| change(&mut message["params"]));
    vec![
        ("an empty batch", good.clone().saying(&json!([])), -32600),
        ("a batch of one", good.clone().saying(&json!([message])), -32600),
        ("a batch of two", good.clone().saying(&json!([message, message])), -32600),
        ("a text", good.clone().saying(&json!("tools/call")), -32600),
        ("a number", good.clone().saying(&json!(1)), -32600),
        ("null", good.clone().saying(&json!(null)), -32600),
        ("an empty object", good.clone().saying(&json!({})), -32600),
        ("a response", good.clone().saying(&json!({"jsonrpc": "2.0", "id": 1, "result": {}})), -32600),
        ("an error", good.clone().saying(&json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "x"}})), -32600),
        ("a request that is a response", having(good, "result", json!({})), -32600),
        ("id null", id(json!(null)), -32600),
        ("id 1.5", id(json!(1.5)), -32600),
        ("id 1.0", id(json!(1.0)), -32600),
        ("id 1e23", id(json!(1e23)), -32600),
        ("id too large", id(json!(u64::MAX)), -32600),
        ("id true", id(json!(true)), -32600),
        ("id an object", id(json!({"a": 1})), -32600),
        ("id a list", id(json!([1])), -32600),
        ("version 1.0", having(good, "jsonrpc", json!("1.0")), -32600),
        ("version a number", having(good, "jsonrpc", json!(2.0)), -32600),
        ("no version", lacking(good, "jsonrpc"), -32600),
        ("no method", lacking(good, "method"), -32600),
        ("method null", having(good, "method", json!(null)), -32600),
        ("method a number", having(good, "method", json!(1)), -32600),
        ("METHOD", upper, -32600),
        ("method twice", twice, -32700),
        ("params a list", having(good, "params", json!([1])), -32602),
        ("params a text", having(good, "params", json!("x")), -32602),
        ("params null", having(good, "params", json!(null)), -32602),
        ("no params", lacking(good, "params"), -32602),
        ("arguments a list", params(|params| params["arguments"] = json!([])), -32602),
        ("arguments a text", params(|params| params["arguments"] = json!("{}")), -32602),
        ("name a number", params(|params| params["name"] = json!(1)), -32602),
        ("name in a list", params(|params| params["name"] = json!(["select-user-payment-card"])), -32602),
        ("NAME", params(|params| { params["NAME"] = params["name"].take(); }), -32602),
        ("requestState a number", params(|params| params["requestState"] = json!(1)), -32602),
        ("inputResponses a list", params(|params| params["inputResponses"] = json!([])), -32602),
    ]
}

#[tokio::test]
async fn what_is_not_one_request_is_refused_as_such() {
    let world = World::start().await;
    let [(_, good), _] = doors(&world);
    for (what, draft, code) in no_requests(&good) {
        let answer = draft.send().await;
        println!("{what}: {} {}", answer.status, answer.code());
        answer.check_refused("MCP", 400, &[code]);
        let id = answer.header("x-request-id");
        assert!(id.is_some(), "{what}: {answer:?}");
    }
    // Without an id no answer is expected, and the tool is not called.
    let answer = lacking(&good, "id").send().await;
    assert_eq!((answer.status, answer.body.len()), (202, 0), "{answer:?}");
    // What is odd and yet a request.
    for id in [
        json!(""),
        json!("x".repeat(300)),
        json!(0),
        json!(-1),
        json!(i64::MAX),
    ] {
        let answer = having(&good, "id", id.clone()).send().await;
        assert_eq!((answer.status, &answer.json()["id"]), (200, &id));
    }
    unharmed(&world, 5).await;
}

#[tokio::test]
async fn a_response_is_no_request_in_a_session_either() {
    let world = World::start().await;
    let session = Client::of(&world).in_session(LEGACY[0]).await;
    let params = json!({"name": "select-user-payment-card", "arguments": []});
    for (message, code) in [
        (json!([message(json!(1), "ping", &json!({}))]), -32600),
        (
            json!({"jsonrpc": "2.0", "id": null, "method": "ping"}),
            -32600,
        ),
        (
            json!({"jsonrpc": "2.0", "id": 1.5, "method": "ping"}),
            -32600,
        ),
        (json!({"jsonrpc": "2.0", "id": 1, "METHOD": "ping"}), -32600),
        (message(json!(1), "tools/call", &params), -32602),
    ] {
        let reply = session.say(&message).await;
        let kind = (reply.status, reply.kind());
        assert_eq!(kind, (400, "application/json"), "{message}: {reply:?}");
        assert_eq!(reply.message()["error"]["code"], code, "{message}");
    }
    // An answer to a question that was not asked is taken and goes nowhere.
    let answer = json!({"jsonrpc": "2.0", "id": 77, "result": {"action": "accept", "content": {"confirm": true}}});
    assert_eq!(session.say(&answer).await.status, 202);
    unharmed(&world, 0).await;
}

#[tokio::test]
async fn bodies_are_json_in_utf_8_and_not_compressed() {
    let world = World::start().await;
    let [(_, good), (_, rest)] = doors(&world);
    for (kinds, status) in [
        (&["application/json"][..], 200),
        (&["application/json; charset=utf-8"], 200),
        (&["Application/JSON;Charset=\"UTF-8\""], 200),
        (&["text/plain"], 415),
        (&["application/x-www-form-urlencoded"], 415),
        (&["multipart/form-data; boundary=x"], 415),
        (&["text/json"], 415),
        (&["application/jsonx"], 415),
        (&["application/vnd.api+json"], 415),
        (&["application/json, text/plain"], 415),
        (&["application/json", "text/plain"], 415),
        (&["application/json", "application/json"], 415),
        (&["application/json; charset=utf-16"], 415),
        (&["application/json; charset=iso-8859-1"], 415),
        (&["application/json; charset=utf-8; charset=utf-16"], 415),
        (&[""], 415),
        (&[], 415),
    ] {
        for (door, good) in [("MCP", &good), ("REST", &rest)] {
            if door == "REST" && kinds == ["application/x-www-form-urlencoded"] {
                continue;
            }
            let bare = good.clone().without("Content-Type");
            let draft = kinds
                .iter()
                .fold(bare, |draft, kind| draft.and("Content-Type", kind));
            let answer = draft.send().await;
            if status == 200 {
                assert_eq!(answer.status, 200, "{kinds:?}: {answer:?}");
            } else {
                println!("{door} {kinds:?}");
                answer.check_refused(door, status, &[-32600]);
            }
        }
    }
    for coding in ["gzip", "br", "identity", "gzip, gzip"] {
        for (door, good) in [("MCP", &good), ("REST", &rest)] {
            let answer = good.clone().and("Content-Encoding", coding).send().await;
            answer.check_refused(door, 415, &[-32600]);
        }
    }
    unharmed(&world, 6).await;
}

/// A message whose `_meta` lacks a field.
fn without_meta(good: &Draft, field: &str) -> Draft {
    changed(good, |message| {
        let meta = message["params"]["_meta"].as_object_mut().unwrap();
        meta.remove(&format!("io.modelcontextprotocol/{field}"));
    })
}

/// Requests in no version that is spoken, or of no method; status and code of the error.
#[rustfmt::skip]
fn wrong_versions(good: &Draft, url: &str) -> Vec<(&'static str, Draft, u16, i64)> {
    let version = |header: &str, meta: &str| {
        let meta = meta.to_owned();
        changed(good, |message| message["params"]["_meta"][VERSION] = json!(meta))
            .with("MCP-Protocol-Version", header)
    };
    let without = |field: &str| without_meta(good, field);
    let no_meta = |draft: &Draft| changed(draft, |message| {
        message["params"].as_object_mut().unwrap().remove("_meta");
    });
    let asked = |method: &str| Draft::message(url, method, json!({}));
    let twice = |first: &str, second: &str| {
        good.clone().with("MCP-Protocol-Version", first).and("MCP-Protocol-Version", second)
    };
    let garbled = changed(good, |message| {
        message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!("x");
    });
    vec![
        ("a version to come", version("2099-01-01", "2099-01-01"), 400, -32022),
        ("a version that was", version("1900-01-01", "1900-01-01"), 400, -32022),
        ("no version at all", version("latest", "latest"), 400, -32022),
        ("another in the header", version("2025-11-25", MODERN), 400, -32020),
        ("another in the body", version(MODERN, "2025-11-25"), 400, -32020),
        ("none in the header", good.clone().without("MCP-Protocol-Version"), 400, -32020),
        ("the same twice", twice(MODERN, MODERN), 400, -32020),
        ("two", twice(MODERN, LEGACY[0]), 400, -32020),
        ("two, the other first", twice(LEGACY[0], MODERN), 400, -32020),
        ("no _meta", no_meta(good), 400, -32602),
        ("_meta without version", without("protocolVersion"), 400, -32602),
        ("_meta without capabilities", without("clientCapabilities"), 400, -32602),
        ("capabilities that are none", garbled, 400, -32602),
        ("discovery without _meta", no_meta(&asked("server/discover")), 400, -32602),
        ("the list without _meta", no_meta(&asked("tools/list")), 400, -32602),
        ("an unknown method", asked("no/such"), 404, -32601),
        ("no method", asked(""), 404, -32601),
        ("a resource without its URI", asked("resources/read"), 400, -32602),
        ("a prompt without its name", asked("prompts/get"), 400, -32602),
        ("resources that are watched", asked("resources/subscribe"), 404, -32601),
        ("a list whose params are none", having(&asked("tools/list"), "params", json!([])), 400, -32602),
        ("a cursor that is none", changed(&asked("tools/list"), |message| message["params"]["cursor"] = json!({})), 400, -32602),
        ("log levels", asked("logging/setLevel"), 404, -32601),
        ("a ping of the past", asked("ping"), 404, -32601),
        ("an unknown tool", Draft::call(url, "no-such-tool", &json!({})), 200, -32602),
    ]
}

#[tokio::test]
async fn versions_methods_and_meta_are_checked_before_anything_is_done() {
    let world = World::start().await;
    let [(_, good), _] = doors(&world);
    for (what, draft, status, code) in wrong_versions(&good, &world.url) {
        let answer = draft.send().await;
        println!("{what}: {} {}", answer.status, answer.code());
        let told = (answer.status, answer.code());
        assert_eq!(told, (status, code), "{what}: {answer:?}");
        if code == -32022 {
            let supported = answer.json()["error"]["data"]["supported"].take();
            let supported = supported.as_array().unwrap();
            assert!(supported.contains(&json!(MODERN)), "{answer:?}");
        }
    }
    // Who the client is need not be told.
    assert_eq!(without_meta(&good, "clientInfo").send().await.status, 200);
    unharmed(&world, 1).await;
}

#[tokio::test]
async fn what_a_client_would_have_to_ask_is_refused_where_it_can_not() {
    let world = World::with(&[("SEVENDIGITAL_MCP_SPENDING", "confirm")]).await;
    let buy = Draft::call(
        &world.url,
        "purchase-user-item",
        &json!({"releaseId": "11700062"}),
    );
    let answer = buy.send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["result"]["isError"], true, "{answer:?}");
    assert_eq!(world.sandbox.sales().len(), 0);
}
