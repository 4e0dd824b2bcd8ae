//! Lines on stdin: what is no good message is answered as over HTTP, and what is one is served wherever it stands.

use serde_json::{Value, json};

use crate::support::messages::{hello, message};
use crate::support::{Client, LEGACY, Server, World, program, until};

fn stdio() -> Server {
    Server::spawn(program(&["--sandbox", "stdio"], &[]))
}

const LIST: &str = r#"{"jsonrpc":"2.0","id":"last","method":"tools/list"}"#;

/// Lines that are no good messages, the code of the answer and its id.
#[rustfmt::skip]
fn bad_lines() -> Vec<(Vec<u8>, i64, Value)> {
    let no = Value::Null;
    let deep = format!(r#"{{"jsonrpc":"2.0","id":14,"method":"tools/list","params":{}1{}}}"#, "[".repeat(100), "]".repeat(100));
    let large = format!(r#"{{"jsonrpc":"2.0","id":15,"method":"{}"}}"#, "x".repeat(300_000));
    let row = |line: &str, code: i64, id: Value| (line.as_bytes().to_vec(), code, id);
    vec![
        row("garbage", -32700, no.clone()),
        row("{", -32700, no.clone()),
        row("\u{0}", -32700, no.clone()),
        row(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list""#, -32700, no.clone()),
        (b"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\",\"params\":{\"a\":\"\xff\"}}".to_vec(), -32700, json!(2)),
        (b"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/\xc3\x28\"}".to_vec(), -32700, json!(3)),
        row(r#"{"jsonrpc":"2.0","id":"4","method":"tools/call","params":{"name":"get-user-locker","arguments":{"country":"\ud800"}}}"#, -32700, json!("4")),
        row(r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"get-user-locker","name":"create-user"}}"#, -32700, json!(5)),
        row(r#"{"jsonrpc":"2.0","id":6,"method":"ping","method":"ping"}"#, -32700, json!(6)),
        row(r#"{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}"#, -32700, no.clone()),
        row(r#"{"jsonrpc":"2.0","id":9,"method":"ping"} {}"#, -32700, no.clone()),
        row(&deep, -32700, json!(14)),
        row(&large, -32600, no.clone()),
        row("[]", -32600, no.clone()),
        row(r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600, no.clone()),
        row("\"ping\"", -32600, no.clone()),
        row("null", -32600, no.clone()),
        row("{}", -32600, no.clone()),
        row(r#"{"jsonrpc":"2.0"}"#, -32600, no.clone()),
        row(r#"{"jsonrpc":"1.0","id":16,"method":"ping"}"#, -32600, json!(16)),
        row(r#"{"id":17,"method":"ping"}"#, -32600, json!(17)),
        row(r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32600, no.clone()),
        row(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600, no.clone()),
        row(r#"{"jsonrpc":"2.0","id":18,"METHOD":"ping"}"#, -32600, json!(18)),
        row(r#"{"jsonrpc":"2.0","id":19,"method":7}"#, -32600, json!(19)),
        row(r#"{"jsonrpc":"2.0","id":20,"method":"ping","result":{}}"#, -32600, json!(20)),
        row(r#"{"jsonrpc":"2.0","id":21,"method":"tools/call"}"#, -32602, json!(21)),
        row(r#"{"jsonrpc":"2.0","id":22,"method":"tools/call","params":[1]}"#, -32602, json!(22)),
        row(r#"{"jsonrpc":"2.0","id":23,"method":"tools/call","params":{"name":1}}"#, -32602, json!(23)),
        row(r#"{"jsonrpc":"2.0","id":24,"method":"tools/call","params":{"name":"x","arguments":[]}}"#, -32602, json!(24)),
        row(r#"{"jsonrpc":"2.0","id":25,"method":"initialize"}"#, -32602, json!(25)),
    ]
}

/// The same, of what is only read in a session.
#[rustfmt::skip]
fn bad_in_session() -> Vec<(Vec<u8>, i64, Value)> {
    let row = |line: &str, code: i64, id: Value| (line.as_bytes().to_vec(), code, id);
    vec![
        row(r#"{"jsonrpc":"2.0","id":26,"method":"tools/list","params":[1]}"#, -32602, json!(26)),
        row(r#"{"jsonrpc":"2.0","id":27,"method":"tools/list","params":{"cursor":{}}}"#, -32602, json!(27)),
        row(r#"{"jsonrpc":"2.0","id":28,"method":"tools/call","params":{"name":"get-user-locker","_meta":5}}"#, -32602, json!(28)),
        row(r#"{"jsonrpc":"2.0","id":29,"method":"no/such"}"#, -32601, json!(29)),
    ]
}

#[track_caller]
fn check(answer: &Value, line: &[u8], code: i64, id: &Value) {
    let start = String::from_utf8_lossy(&line[..line.len().min(120)]).into_owned();
    let told = (answer["error"]["code"].as_i64(), &answer["id"]);
    assert_eq!(told, (Some(code), id), "{start}: {answer}");
    let words = answer["error"]["message"].as_str().unwrap();
    assert!(words.starts_with("Nothing was done: "), "{start}: {words}");
}

#[tokio::test]
async fn a_bad_line_is_answered_as_a_bad_body_is() {
    let world = World::start().await;
    let session = Client::of(&world).in_session(LEGACY[0]).await;
    // Before the handshake and after it.
    let mut server = stdio();
    for with_hello in [false, true] {
        let mut rows = bad_lines();
        if with_hello {
            server.hello().await;
            rows.extend(bad_in_session());
        }
        for (line, code, id) in rows {
            let answer = server.reply(&[&line[..], b"\n"].concat()).await;
            check(&answer, &line, code, &id);
            let body = session.saying(&json!(0)).holding(line.clone());
            let reply = session.transmit(body).await.unwrap();
            let reply = crate::support::Reply::of(reply).await;
            check(&reply.message(), &line, code, &id);
        }
    }
    server.call(99, "get-user-locker", &json!({})).await;
    let result = &server.answer(99).await["result"];
    assert!(result["structuredContent"].is_object(), "{result}");
    assert_eq!(server.ended().await.code(), Some(0), "{}", server.log());
}

#[tokio::test]
async fn what_comes_before_the_first_request_ends_nothing() {
    for first in [
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        r#"{"jsonrpc":"2.0","method":"$/odd"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"no"}}"#,
        "",
        "\r",
    ] {
        let mut server = stdio();
        server.say(first).await;
        let pong = message(json!("a"), "ping", &json!({})).to_string();
        server.say(&pong).await;
        server.answer("a").await;
        server.say(first).await;
        server.hello().await;
        server.say(first).await;
        let tools = server.ask("b", "tools/list", &json!({})).await;
        assert!(tools["result"]["tools"].is_array(), "{first}: {tools}");
        // Nothing but what was asked for: an answer is not answered.
        assert_eq!(server.messages().len(), 3, "{first}");
        assert_eq!(server.ended().await.code(), Some(0), "{first}");
    }
}

#[tokio::test]
async fn a_last_line_without_a_newline_is_answered() {
    let bad = br#"{"jsonrpc":"2.0","id":"last","method":"tools/list","params":"\ud800"}"#;
    for (last, key) in [(LIST.as_bytes(), "result"), (&bad[..], "error")] {
        let mut server = stdio();
        server.hello().await;
        server.write(last).await;
        assert_eq!(server.ended().await.code(), Some(0), "{}", server.log());
        let answer = server.messages().last().unwrap();
        assert_eq!(answer["id"], "last", "{answer}");
        assert!(answer[key].is_object(), "{answer}");
    }
}

#[tokio::test]
async fn lines_are_read_however_they_come_and_end() {
    let mut server = stdio();
    // A byte order mark, as some programs on Windows write it.
    let opening = message(json!("hello"), "initialize", &hello(LEGACY[0])).to_string();
    let opening = ["\u{feff}".as_bytes(), opening.as_bytes(), b"\r\n"].concat();
    let (start, end) = opening.split_at(40);
    server.write(start).await;
    assert_eq!(server.reply(end).await["id"], "hello");
    // Three in one write.
    let three = ["x", "y", "z"].map(|id| message(json!(id), "ping", &json!({})).to_string());
    server
        .write(format!("{}\r\n", three.join("\r\n")).as_bytes())
        .await;
    for id in ["x", "y", "z"] {
        assert!(server.answer(id).await["result"].is_object());
    }
}

#[tokio::test]
async fn without_a_reader_of_stdout_the_process_ends() {
    for (with_hello, line) in [
        (false, "garbage"),
        (false, "{}"),
        (true, "garbage"),
        (true, LIST),
    ] {
        let mut server = stdio();
        if with_hello {
            server.hello().await;
        } else {
            server.until_logged("sandbox").await;
        }
        server.close_stdout().await;
        server.say(line).await;
        let ended = server.ended_by_itself().await;
        assert_eq!(ended.code(), Some(0), "{line}: {}", server.log());
    }
}

#[tokio::test]
async fn a_purchase_ends_well_though_nobody_reads_stdout() {
    use crate::support::upstream::{Act, Upstream};
    use crate::support::{folder, states};
    const PATH: &str = "/user/purchase/item";
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(PATH, [Act::Held(Box::new(Act::Sell))]);
    let mut server = Server::stdio(folder.path(), &upstream.base_uri());
    server.hello().await;
    let item = json!({"releaseId": "11700062"});
    server.call(7, "purchase-user-item", &item).await;
    upstream.wait_for(PATH, 1).await;
    server.close_stdout().await;
    server.say(LIST).await;
    upstream.open_gate();
    assert_eq!(server.ended_by_itself().await.code(), Some(0));
    until("the purchase in the ledger", || {
        states(folder.path()) == ["done"]
    })
    .await;
}
