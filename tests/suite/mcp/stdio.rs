//! MCP over stdio: the real binary over pipes, started as mcp.json says.

use std::process::ExitStatus;
use std::time::Duration;

use serde_json::{Value, json};
use sevendigital_sandbox::{Fault, Sandbox};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::support::calls::make_all;
use crate::support::{
    MODERN, call_with, failure, lifecycles, program, root, sandbox_settings, stdio_client, until,
    within,
};

/// The entry of that name in mcp.json.
pub(crate) fn entry(name: &str) -> Value {
    let path = root().join("mcp.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("mcp.json: {error}"));
    let all: Value = serde_json::from_str(&text).unwrap();
    let entry = all["mcpServers"][name].clone();
    assert!(entry.is_object(), "mcp.json has no entry `{name}`");
    entry
}

/// The program as an entry of mcp.json starts it, but for the command, which is the binary of this build.
fn as_mcp_json_says(name: &str) -> Command {
    let entry = entry(name);
    assert_eq!(entry["type"], "stdio");
    let arguments: Vec<&str> = entry["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|argument| argument.as_str().unwrap())
        .collect();
    let own = match entry["command"].as_str().unwrap() {
        // What stands before `--` is for cargo.
        "cargo" => {
            assert_eq!(arguments[0], "run");
            let end = arguments.iter().position(|argument| *argument == "--");
            &arguments[end.expect("`--` before the program's own arguments") + 1..]
        }
        "sevendigital-mcp" => &arguments[..],
        other => panic!("mcp.json starts `{other}`"),
    };
    let variables: Vec<(String, String)> = entry["env"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    program(own, &variables)
}

/// The program over pipes, line by line.
struct Pipes {
    child: Child,
    /// Taken when it is to be closed.
    stdin: Option<ChildStdin>,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Pipes {
    fn open(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        // Read to the end in the background, so that the program never waits for us.
        let mut stderr = child.stderr.take().unwrap();
        tokio::spawn(async move {
            let mut text = Vec::new();
            stderr.read_to_end(&mut text).await
        });
        Self {
            stdin: child.stdin.take(),
            stdout: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
        }
    }

    async fn write(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(line.as_bytes()).await.unwrap();
        stdin.write_all(b"\n").await.unwrap();
        stdin.flush().await.unwrap();
    }

    async fn hello(&mut self) {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "suite", "version": "1"}});
        self.write(
            &json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
                .to_string(),
        )
        .await;
        assert_eq!(self.read().await["id"], 0);
        self.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string())
            .await;
    }

    async fn call(&mut self, id: u32, tool: &str, arguments: Value) {
        let params = json!({"name": tool, "arguments": arguments});
        let request = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
        self.write(&request.to_string()).await;
    }

    /// The next message; fails where the line is none.
    async fn read(&mut self) -> Value {
        self.maybe_read().await.expect("one more message")
    }

    async fn maybe_read(&mut self) -> Option<Value> {
        let line = within("a line", self.stdout.next_line()).await.unwrap()?;
        let message: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("not JSON-RPC on stdout: {error}: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        Some(message)
    }

    /// Closes stdin, and gives what came after it and how the program ended.
    async fn close(mut self) -> (Vec<Value>, ExitStatus) {
        drop(self.stdin.take());
        let mut rest = Vec::new();
        while let Some(message) = self.maybe_read().await {
            rest.push(message);
        }
        let status = within("the end of the program", self.child.wait()).await;
        (rest, status.unwrap())
    }
}

#[tokio::test]
async fn started_as_mcp_json_says_it_lists_its_tools_and_asks_for_the_key() {
    for mode in lifecycles() {
        let client = stdio_client(as_mcp_json_says("sevendigital"), mode).await;
        assert_eq!(client.list_all_tools().await.unwrap().len(), 17);
        // The entry's placeholders were filled in by nobody, and count as unset.
        let result = call_with(&client, "get-user-locker", json!({})).await;
        let told = failure(&result);
        assert!(told.contains("SEVENDIGITAL_CONSUMER_KEY"), "{told}");
        client.cancel().await.unwrap();
    }
}

/// All seventeen tools in both eras, through rmcp's client over the pipes of that program.
async fn check(start: impl Fn() -> Command) {
    for mode in lifecycles() {
        let client = stdio_client(start(), mode).await;
        let tools = client.list_all_tools().await.unwrap();
        assert_eq!(tools.len(), 17);
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
async fn each_tool_works_in_both_eras_started_as_mcp_json_says_for_the_sandbox() {
    check(|| as_mcp_json_says("sevendigital-sandbox")).await;
}

#[tokio::test]
async fn each_tool_works_in_both_eras_with_flags_before_the_command() {
    check(|| program(&["--sandbox", "stdio"], &[])).await;
}

#[tokio::test]
async fn nothing_but_json_rpc_is_on_stdout_however_much_is_logged() {
    for format in ["text", "json"] {
        let variables = [
            ("RUST_LOG", "trace,rmcp=trace"),
            ("SEVENDIGITAL_MCP_LOG_FORMAT", format),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut pipes = Pipes::open(program(&["--sandbox", "stdio"], &variables));
        pipes.hello().await;
        let rows = [
            ("get-user-locker", json!({})),
            ("purchase-user-item", json!({"releaseId": "11700062"})),
            ("purchase-user-item", json!({"releaseId": "nothing"})),
            ("get-user-locker", json!({"page": "x"})),
            ("no-such-tool", json!({})),
        ];
        for (id, (tool, arguments)) in (1..).zip(rows) {
            pipes.call(id, tool, arguments).await;
            assert_eq!(pipes.read().await["id"], id, "{tool}");
        }
        let (rest, status) = pipes.close().await;
        assert_eq!(rest, Vec::<Value>::new());
        assert_eq!(status.code(), Some(0));
    }
}

#[tokio::test]
async fn the_end_of_stdin_is_a_good_end() {
    let before_hello = Pipes::open(program(&["stdio"], &[]));
    let (rest, status) = before_hello.close().await;
    assert_eq!((rest.len(), status.code()), (0, Some(0)), "before hello");

    let mut after_hello = Pipes::open(program(&["stdio"], &[]));
    after_hello.hello().await;
    let (rest, status) = after_hello.close().await;
    assert_eq!((rest.len(), status.code()), (0, Some(0)), "after hello");
}

#[tokio::test]
async fn a_call_under_way_at_the_end_of_stdin_is_still_answered() {
    for (operation, tool, arguments) in [
        ("getUserLocker", "get-user-locker", json!({})),
        (
            "purchaseUserItem",
            "purchase-user-item",
            json!({"releaseId": "11700062"}),
        ),
    ] {
        let sandbox = Sandbox::start().await.unwrap();
        sandbox.script(operation, Fault::Delay(Duration::from_millis(400)), 1);
        let state = tempfile::tempdir().unwrap();
        let mut variables = sandbox_settings(&sandbox.base_uri());
        let folder = state.path().display().to_string();
        variables.push(("SEVENDIGITAL_MCP_STATE_DIR".to_owned(), folder));
        let mut pipes = Pipes::open(program(&["stdio"], &variables));
        pipes.hello().await;
        pipes.call(7, tool, arguments).await;
        until("the call to arrive", || sandbox.arrivals().len() == 1).await;
        let (rest, status) = pipes.close().await;
        assert_eq!(status.code(), Some(0), "{tool}");
        let answers: Vec<&Value> = rest.iter().filter(|message| message["id"] == 7).collect();
        assert_eq!(answers.len(), 1, "{tool}: {rest:?}");
        let document = &answers[0]["result"]["structuredContent"];
        assert!(document.is_object(), "{tool}: {rest:?}");
    }
}

#[tokio::test]
async fn a_line_of_garbage_does_not_end_the_session() {
    let mut pipes = Pipes::open(program(&["--sandbox", "stdio"], &[]));
    pipes.hello().await;
    for garbage in ["garbage", "{", "[]", "{\"jsonrpc\": \"2.0\"}", "\u{0}", ""] {
        pipes.write(garbage).await;
    }
    pipes.call(7, "get-user-locker", json!({})).await;
    let answer = loop {
        // What is said of the garbage, if anything, has no id of ours.
        let message = pipes.read().await;
        if message["id"] == 7 {
            break message;
        }
    };
    assert!(
        answer["result"]["structuredContent"].is_object(),
        "{answer}"
    );
    let (_, status) = pipes.close().await;
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn without_a_handshake_a_first_call_is_answered() {
    let mut pipes = Pipes::open(program(&["--sandbox", "stdio"], &[]));
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({"name": "get-user-locker", "arguments": {}, "_meta": meta});
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    pipes.write(&request.to_string()).await;
    let answer = pipes.read().await;
    assert!(
        answer["result"]["structuredContent"].is_object(),
        "{answer}"
    );
    let server = &answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(server["name"], "sevendigital-mcp");
    let (_, status) = pipes.close().await;
    assert_eq!(status.code(), Some(0));
}
