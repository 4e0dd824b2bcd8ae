//! Errors of the protocol say in words what is wrong and what to send instead, over HTTP and stdio alike.

use serde_json::{Value, json};

use crate::support::draft::Draft;
use crate::support::messages::{hello, message, meta};
use crate::support::{Client, LEGACY, MODERN, Server, World, program};

fn stdio() -> Server {
    Server::spawn(program(&["--sandbox", "stdio"], &[]))
}

/// An `initialize` with that field removed or replaced.
fn hello_with(path: &str, value: Option<Value>) -> Value {
    let mut params = hello(LEGACY[0]);
    let (parent, name) = path.rsplit_once('/').unwrap();
    let parent = params.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => drop(parent.insert(name.to_owned(), value)),
        None => drop(parent.remove(name)),
    }
    params
}

#[tokio::test]
async fn an_initialize_that_lacks_a_field_is_told_which() {
    #[rustfmt::skip]
    let rows = [
        (hello_with("/protocolVersion", None), "`params.protocolVersion` of `initialize` is missing"),
        (hello_with("/capabilities", None), "`params.capabilities` of `initialize` is missing"),
        (hello_with("/clientInfo", None), "`params.clientInfo` of `initialize` is missing"),
        (hello_with("/clientInfo/name", None), "`params.clientInfo.name` of `initialize` is missing"),
        (hello_with("/clientInfo/version", None), "`params.clientInfo.version` of `initialize` is missing"),
        (hello_with("/protocolVersion", Some(json!(1))), "`params.protocolVersion` of `initialize` is a text"),
        (hello_with("/capabilities", Some(json!([]))), "`params.capabilities` of `initialize` is an object"),
        (hello_with("/capabilities", Some(json!({"roots": 1}))), "have a field that is not as MCP has it"),
        (json!({}), "`params.protocolVersion` of `initialize` is missing"),
        (json!(null), "`params.protocolVersion` of `initialize` is missing"),
        (json!([1]), "`params.protocolVersion` of `initialize` is missing"),
    ];
    let world = World::start().await;
    let mut server = stdio();
    for (index, (params, expected)) in rows.into_iter().enumerate() {
        let id = format!("hello {index}");
        let hello = message(json!(id), "initialize", &params);
        let reply = Client::of(&world).say(&hello).await;
        assert_eq!(
            (reply.status, reply.kind()),
            (400, "application/json"),
            "{hello}: {reply:?}"
        );
        server.say(&hello.to_string()).await;
        for answer in [reply.message(), server.answer(&*id).await] {
            assert_eq!(answer["id"], id, "{answer}");
            assert_eq!(answer["error"]["code"], -32602, "{answer}");
            let told = answer["error"]["message"].as_str().unwrap();
            assert!(told.contains(expected), "{hello}: {told}");
        }
    }
    server.hello().await;
}

/// Methods that are not served, and what is said of each.
const UNKNOWN: [(&str, &str); 7] = [
    ("prompts/make", "this server has no method `prompts/make`"),
    (
        "resources/subscribe",
        "this server tells nothing of changes",
    ),
    ("logging/setLevel", "this server sends no log"),
    ("subscriptions/listen", "nothing to subscribe to"),
    ("tasks/get", "this server has no tasks"),
    ("no/such<b>", "this server has no method `no/suchb`"),
    ("", "this server has no method ``"),
];

/// Parameters that fit each of them.
fn fitting() -> Value {
    json!({
        "name": "x", "uri": "x:y", "level": "info", "taskId": "1", "notifications": {},
        "ref": {"type": "ref/prompt", "name": "x"}, "argument": {"name": "x", "value": "y"},
    })
}

#[track_caller]
fn check_unknown(answer: &Value, expected: &str) {
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
    let told = answer["error"]["message"].as_str().unwrap();
    assert!(told.contains(expected), "{expected}: {told}");
}

#[tokio::test]
async fn an_unknown_method_is_told_in_words_what_is_not_there() {
    let world = World::start().await;
    let session = Client::of(&world).in_session(LEGACY[0]).await;
    let (mut old, mut new) = (stdio(), stdio());
    old.hello().await;
    let mut params = fitting();
    params["_meta"] = meta(&json!({}));
    new.ask("first", "tools/list", &params).await;
    for (method, expected) in UNKNOWN {
        let draft = Draft::message(&world.url, method, fitting());
        let draft = draft.without("mcp-name");
        let name = match method {
            "resources/subscribe" => Some("x:y"),
            "tasks/get" => Some("1"),
            _ => None,
        };
        let draft = match name {
            Some(name) => draft.and("Mcp-Name", name),
            None => draft,
        };
        let answer = draft.send().await;
        assert_eq!(
            (answer.status, answer.kind()),
            (404, "application/json"),
            "{answer:?}"
        );
        check_unknown(&answer.json(), expected);
        for params in [fitting(), json!({})] {
            let reply = session.ask_in_session(json!(1), method, &params).await;
            assert_eq!(reply.status, 200, "{method}: {reply:?}");
            check_unknown(&reply.message(), expected);
            let id = format!("{method} {params}");
            check_unknown(&old.ask(&id, method, &params).await, expected);
        }
        check_unknown(&new.ask(method, method, &params).await, expected);
    }
    // One of an older revision, without what that wants.
    let hello = Draft::message(&world.url, "initialize", json!({}))
        .send()
        .await;
    assert_eq!(hello.status, 404, "{hello:?}");
    check_unknown(&hello.json(), "protocol 2026-07-28 has no `initialize`");
    let ping = Draft::message(&world.url, "ping", json!({})).send().await;
    check_unknown(&ping.json(), "protocol 2026-07-28 has no `ping`");
}

#[tokio::test]
async fn where_there_are_no_prompts_their_list_is_empty_and_no_error() {
    let only = [("SEVENDIGITAL_MCP_TOOLS", "create-user")];
    let world = World::with(&only).await;
    let session = Client::of(&world).in_session(LEGACY[1]).await;
    let mut server = Server::spawn(program(
        &["--sandbox", "stdio"],
        &only.map(|(name, value)| (name.to_owned(), value.to_owned())),
    ));
    server.hello().await;
    let method = "prompts/list";
    let modern = world.modern(method, json!({})).await.result();
    assert!(modern["ttlMs"].as_u64().unwrap() > 0, "{modern}");
    let name = &modern["_meta"]["io.modelcontextprotocol/serverInfo"]["name"];
    assert_eq!(name, "sevendigital-mcp", "{modern}");
    let legacy = session.ask_in_session(json!(1), method, &json!({})).await;
    let bare = json!({"jsonrpc": "2.0", "id": method, "method": method});
    server.say(&bare.to_string()).await;
    let piped = server.answer(method).await["result"].take();
    for result in [modern, legacy.result(), piped] {
        assert_eq!(result["prompts"], json!([]), "{result}");
    }
    let discovered = world.modern("server/discover", json!({})).await.result();
    let capabilities = discovered["capabilities"].as_object().unwrap();
    let names: Vec<&String> = capabilities.keys().collect();
    assert_eq!(names, ["completions", "resources", "tools"]);
}

#[tokio::test]
async fn a_post_that_lacks_headers_is_told_which_to_send() {
    let world = World::start().await;
    let list = json!({"jsonrpc": "2.0", "id": 5, "method": "tools/list"});
    let bare = Draft::mcp(&world.url).saying(&list);
    let modern = Draft::call(&world.url, "get-user-locker", &json!({}));
    let session = Client::of(&world).in_session(LEGACY[0]).await;
    let notice = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let post = |draft: &Draft, name: &str, value: &str| draft.clone().with(name, value);
    #[rustfmt::skip]
    let rows = [
        ("nothing", bare.clone(), -32600, "Mcp-Session-Id"),
        ("nothing, as other eras see it", bare.clone(), -32600, "MCP-Protocol-Version: 2026-07-28"),
        ("the session", post(&bare, "mcp-protocol-version", LEGACY[0]), -32600, "Mcp-Session-Id"),
        ("of a notification", bare.clone().saying(&notice), -32600, "Mcp-Session-Id"),
        ("of a stream", bare.clone().to("GET", "/mcp").holding(""), -32600, "Mcp-Session-Id"),
        ("the version", modern.clone().without("mcp-protocol-version"), -32020, "MCP-Protocol-Version"),
        ("the method", modern.clone().without("mcp-method"), -32020, "Mcp-Method"),
        ("the name", modern.clone().without("mcp-name"), -32020, "Mcp-Name"),
        ("the type", modern.clone().without("content-type"), -32600, "Content-Type: application/json"),
        ("a version that is spoken", session.saying(&list).with("mcp-protocol-version", "1999-01-01"), -32600, MODERN),
    ];
    for (what, draft, code, expected) in rows {
        let answer = draft.send().await;
        println!("{what}: {answer:?}");
        assert!([400, 415].contains(&answer.status), "{what}: {answer:?}");
        assert_eq!(answer.code(), code, "{what}: {answer:?}");
        let error = answer.json();
        let told = error["error"]["message"].as_str().unwrap();
        assert!(told.contains(expected), "{what}: {told}");
    }
}
