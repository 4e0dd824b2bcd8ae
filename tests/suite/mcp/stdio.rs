//! MCP over stdio: the real binary over pipes, started as mcp.json says.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use sevendigital_tools::TOOLS;
use tokio::process::Command;

use crate::support::calls::make_all;
use crate::support::messages::{message, meta};
use crate::support::upstream::{Act, Upstream};
use crate::support::{
    Server, call_with, entry_in, fails_with, folder, install, lifecycles, program, root,
    stdio_client,
};

/// The one entry of mcp.json, for a client that has those programs in its path.
fn as_mcp_json_says(folder: &Path) -> Command {
    let text = std::fs::read_to_string(root().join("mcp.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let entries = all["mcpServers"].as_object().unwrap();
    assert_eq!(entries.len(), 1, "a live entry is what `config` writes");
    let entry = &entries["sevendigital-sandbox"];
    assert_eq!(entry["type"], "stdio");
    entry_in(entry, folder)
}

#[tokio::test]
async fn without_a_key_it_lists_its_tools_and_asks_for_the_key() {
    // What a client passes on that knows nothing of such references: they count as unset.
    let reference = |name: &str| (name.to_owned(), format!("${{{name}:-}}"));
    let variables = [
        reference("SEVENDIGITAL_CONSUMER_KEY"),
        reference("SEVENDIGITAL_CONSUMER_SECRET"),
    ];
    for mode in lifecycles() {
        let client = stdio_client(program(&["stdio"], &variables), mode).await;
        assert_eq!(client.list_all_tools().await.unwrap().len(), TOOLS.len());
        let result = call_with(&client, "get-user-locker", json!({})).await;
        fails_with(&result, &["SEVENDIGITAL_CONSUMER_KEY"]);
        client.cancel().await.unwrap();
    }
}

/// Every tool in both eras, through rmcp's client over the pipes of that program.
async fn check(start: impl Fn() -> Command) {
    for mode in lifecycles() {
        let client = stdio_client(start(), mode).await;
        let tools = client.list_all_tools().await.unwrap();
        assert_eq!(tools.len(), TOOLS.len());
        let results =
            make_all(async |tool, arguments| call_with(&client, tool, arguments).await).await;
        for ((tool, result), contract) in results.iter().zip(tools) {
            assert_ne!(result["isError"], true, "{tool}: {result}");
            let contract = serde_json::to_value(contract).unwrap();
            let schema = jsonschema::validator_for(&contract["outputSchema"]).unwrap();
            assert!(
                schema.is_valid(&result["structuredContent"]),
                "{tool}: {result}"
            );
        }
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn each_tool_works_started_as_mcp_json_says() {
    let installed = folder();
    install(installed.path(), "sevendigital-mcp");
    check(|| as_mcp_json_says(installed.path())).await;
}

#[tokio::test]
async fn mcp_json_builds_the_program_where_it_is_not_installed() {
    let clone = folder();
    install(clone.path(), "built");
    // Stands in for cargo: what it is asked for, then what it would build.
    let cargo = clone.path().join("cargo");
    let script = "#!/bin/sh\necho \"$@\" >&2\nshift 5\nexec built \"$@\"\n";
    std::fs::write(&cargo, script).unwrap();
    std::fs::set_permissions(&cargo, Permissions::from_mode(0o755)).unwrap();
    let mut server = Server::spawn(as_mcp_json_says(clone.path()));
    server.hello().await;
    server.call(1, "get-user-locker", &json!({})).await;
    assert_ne!(server.answer(1).await["result"]["isError"], true);
    let asked = "run --quiet --release --locked -- stdio --sandbox";
    assert_eq!(server.log().lines().next(), Some(asked));
}

#[tokio::test]
async fn each_tool_works_with_flags_before_the_command() {
    check(|| program(&["--sandbox", "stdio"], &[])).await;
}

fn pipes(arguments: &[&str]) -> Server {
    Server::spawn(program(arguments, &[]))
}

/// Closes stdin, which is a good end; gives what was written after that.
async fn close(mut server: Server) -> Vec<Value> {
    let before = server.messages().len();
    assert_eq!(server.ended().await.code(), Some(0), "{}", server.log());
    server.messages()[before..].to_vec()
}

#[tokio::test]
async fn nothing_but_json_rpc_is_on_stdout_however_much_is_logged() {
    for format in ["text", "json"] {
        let variables = [
            ("RUST_LOG", "trace,rmcp=trace"),
            ("SEVENDIGITAL_MCP_LOG_FORMAT", format),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut server = Server::spawn(program(&["--sandbox", "stdio"], &variables));
        server.hello().await;
        let rows = [
            ("get-user-locker", json!({})),
            ("purchase-user-item", json!({"releaseId": "11700062"})),
            ("purchase-user-item", json!({"releaseId": "nothing"})),
            ("get-user-locker", json!({"page": "x"})),
            ("no-such-tool", json!({})),
        ];
        for (id, (tool, arguments)) in (1..).zip(rows) {
            server.call(id, tool, &arguments).await;
            server.answer(id).await;
        }
        // The handshake and these, each once.
        assert_eq!(server.messages().len(), 6);
        assert_eq!(close(server).await, Vec::<Value>::new());
    }
}

#[tokio::test]
async fn the_end_of_stdin_is_a_good_end() {
    assert!(close(pipes(&["stdio"])).await.is_empty(), "before hello");
    let mut after_hello = pipes(&["stdio"]);
    after_hello.hello().await;
    assert!(close(after_hello).await.is_empty(), "after hello");
}

#[tokio::test]
async fn a_call_in_flight_at_the_end_of_stdin_is_still_answered() {
    for (path, tool, arguments) in [
        ("/user/locker", "get-user-locker", json!({})),
        (
            "/user/purchase/item",
            "purchase-user-item",
            json!({"releaseId": "11700062"}),
        ),
    ] {
        let (folder, upstream) = (folder(), Upstream::start().await);
        upstream.script(path, [Act::Held(Box::new(Act::Sell))]);
        let mut server = Server::stdio(folder.path(), &upstream.base_uri());
        server.hello().await;
        server.call(7, tool, &arguments).await;
        upstream.wait_for(path, 1).await;
        server.close_stdin();
        upstream.open_gate();
        let rest = close(server).await;
        let answers: Vec<&Value> = rest.iter().filter(|message| message["id"] == 7).collect();
        assert_eq!(answers.len(), 1, "{tool}: {rest:?}");
        let document = &answers[0]["result"]["structuredContent"];
        assert!(document.is_object(), "{tool}: {rest:?}");
    }
}

#[tokio::test]
async fn a_line_of_garbage_does_not_end_the_session() {
    let mut server = pipes(&["--sandbox", "stdio"]);
    server.hello().await;
    for garbage in ["garbage", "{", "[]", "{\"jsonrpc\": \"2.0\"}", "\u{0}", ""] {
        server.say(garbage).await;
    }
    server.call(7, "get-user-locker", &json!({})).await;
    let result = &server.answer(7).await["result"];
    assert!(result["structuredContent"].is_object(), "{result}");
    close(server).await;
}

#[tokio::test]
async fn without_a_handshake_a_first_call_is_answered() {
    let mut server = pipes(&["--sandbox", "stdio"]);
    let params = json!({"name": "get-user-locker", "arguments": {}, "_meta": meta(&json!({}))});
    server
        .say(&message(json!(1), "tools/call", &params).to_string())
        .await;
    let result = &server.answer(1).await["result"];
    assert!(result["structuredContent"].is_object(), "{result}");
    let info = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(info["name"], "sevendigital-mcp");
    close(server).await;
}
