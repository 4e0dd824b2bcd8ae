//! What tests about money need beside a world: a caller that can be asked, the real server, and a look into its ledger.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use rmcp::model::{ClientConfig, ElicitRequestParams, ElicitResult, ElicitationCapability};
use rmcp::service::{RequestContext, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt as _, ErrorData, RoleClient};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use crate::support::{MODERN, Reply, Setting, World, http, program, sandbox_settings, within};

/// A state folder that is gone after the test.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A server in this process that keeps its ledger in that folder, before an upstream that is not the world's own sandbox.
pub(crate) async fn world_on(folder: &Path, base_uri: &str, settings: &[Setting<'_>]) -> World {
    let mut all = vec![
        ("SEVENDIGITAL_BASE_URI", base_uri),
        ("SEVENDIGITAL_MCP_STATE_DIR", folder.to_str().unwrap()),
    ];
    all.extend(settings);
    World::with(&all).await
}

/// A client of the era without a handshake, to any server.
#[derive(Clone)]
pub(crate) struct Caller {
    http: reqwest::Client,
    url: String,
    capabilities: Value,
    headers: Vec<(&'static str, String)>,
}

impl Caller {
    /// A client of that server.
    pub(crate) fn of(world: &World) -> Self {
        Self::to(&world.url, &world.http)
    }

    fn to(url: &str, http: &reqwest::Client) -> Self {
        Self {
            http: http.clone(),
            url: url.to_owned(),
            capabilities: json!({}),
            headers: Vec::new(),
        }
    }

    /// The same, for a client that can ask its user.
    pub(crate) fn that_can_ask(mut self) -> Self {
        self.capabilities = json!({"elicitation": {}});
        self
    }

    /// The same, with a further header on each request.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// A tool's result.
    pub(crate) async fn call(&self, tool: &str, arguments: &Value) -> Value {
        self.ask(tool, json!({"arguments": arguments})).await
    }

    /// A tool's result, where a question was answered: its seal, and what the user said.
    pub(crate) async fn answer(
        &self,
        tool: &str,
        arguments: &Value,
        sealed: &str,
        said: Value,
    ) -> Value {
        let params =
            json!({"arguments": arguments, "requestState": sealed, "inputResponses": said});
        self.ask(tool, params).await
    }

    /// The same with a plain yes.
    pub(crate) async fn agree(&self, tool: &str, arguments: &Value, sealed: &str) -> Value {
        self.answer(tool, arguments, sealed, yes()).await
    }

    async fn ask(&self, tool: &str, params: Value) -> Value {
        self.reply(tool, params).await.unwrap().result()
    }

    /// The answer of the server, if there is one.
    pub(crate) async fn reply(&self, tool: &str, params: Value) -> reqwest::Result<Reply> {
        let mut request = self.http.post(&self.url).body(self.body(tool, params));
        for (name, value) in self.head(tool) {
            request = request.header(name, value);
        }
        Ok(Reply::of(request.send().await?).await)
    }

    fn head(&self, tool: &str) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("accept", "application/json, text/event-stream".to_owned()),
            ("mcp-protocol-version", MODERN.to_owned()),
            ("mcp-method", "tools/call".to_owned()),
            ("mcp-name", tool.to_owned()),
        ];
        headers.extend(self.headers.iter().cloned());
        headers
    }

    fn body(&self, tool: &str, mut params: Value) -> String {
        params["name"] = json!(tool);
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": self.capabilities,
            "io.modelcontextprotocol/clientInfo": {"name": "suite", "version": "1"},
        });
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string()
    }

    /// Sends a call over a connection of its own, which breaks when it is dropped.
    pub(crate) async fn send(&self, tool: &str, arguments: &Value) -> TcpStream {
        let headers = self.head(tool);
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let body = self.body(tool, json!({"arguments": arguments}));
        send(&self.url, &headers, &body).await
    }
}

/// Sends a POST over a connection of its own, and reads nothing.
pub(crate) async fn send(url: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
    let address = url.strip_prefix("http://").unwrap();
    let (address, _) = address.split_once('/').unwrap();
    let mut socket = TcpStream::connect(address).await.unwrap();
    let headers = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect::<Vec<_>>()
        .concat();
    let length = body.len();
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    socket
}

/// A person behind rmcp's client, who is asked by it in either era.
#[derive(Clone)]
pub(crate) struct Person {
    says: Value,
    /// The answer comes once this is cancelled.
    pub(crate) speaks: CancellationToken,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Person {
    /// One who says this, an `ElicitResult`, at once; anything else is a fault of the client's.
    pub(crate) fn who_says(says: Value) -> Self {
        let person = Self::who_waits_and_says(says);
        person.speaks.cancel();
        person
    }

    pub(crate) fn who_waits_and_says(says: Value) -> Self {
        Self {
            says,
            speaks: CancellationToken::new(),
            asked: Arc::default(),
        }
    }

    /// The questions so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The client of a world before this person.
    pub(crate) async fn before(
        &self,
        world: &World,
        mode: ClientLifecycleMode,
    ) -> RunningService<RoleClient, Self> {
        let config = StreamableHttpClientTransportConfig::with_uri(world.url.as_str());
        let transport = StreamableHttpClientTransport::with_client(world.http.clone(), config);
        let person = self.clone();
        person.serve_with_lifecycle(transport, mode).await.unwrap()
    }
}

impl ClientHandler for Person {
    fn get_info(&self) -> ClientConfig {
        let mut config = ClientConfig::default();
        config.capabilities.elicitation = Some(ElicitationCapability::new());
        config
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let request = serde_json::to_value(request).unwrap();
        let message = request["message"].as_str().unwrap().to_owned();
        self.asked.lock().unwrap().push(message);
        self.speaks.cancelled().await;
        serde_json::from_value(self.says.clone())
            .map_err(|_| ErrorData::internal_error("the person left", None))
    }
}

/// What a client sends whose user says yes.
pub(crate) fn yes() -> Value {
    json!({"confirm": {"action": "accept", "content": {"confirm": true}}})
}

/// The question of a result, and the seal that an answer needs.
pub(crate) fn question(result: &Value) -> (String, String) {
    assert_eq!(result["resultType"], "input_required", "{result}");
    let asked = &result["inputRequests"]["confirm"];
    assert_eq!(asked["method"], "elicitation/create", "{result}");
    let message = asked["params"]["message"].as_str().unwrap().to_owned();
    let sealed = result["requestState"].as_str().unwrap().to_owned();
    (message, sealed)
}

/// 7digital's id of a purchase that was made.
pub(crate) fn purchase_id(result: &Value) -> &str {
    let id = &result["structuredContent"]["purchase"]["id"];
    id.as_str().unwrap_or_else(|| panic!("{result}"))
}

/// Whether the ledger answered in 7digital's place.
pub(crate) fn is_replayed(result: &Value) -> bool {
    result["_meta"]["replayed"] == true
}

/// All these calls were one purchase: one of them made it, and the ledger answered the others.
pub(crate) fn check_one(results: &[Value]) {
    let made = results.iter().filter(|result| !is_replayed(result)).count();
    assert_eq!(made, 1, "{results:?}");
    for result in results {
        assert_ne!(result["isError"], true, "{result}");
        assert_eq!(purchase_id(result), purchase_id(&results[0]));
        assert_eq!(
            result["_meta"]["firstMadeAt"].is_string(),
            is_replayed(result),
            "{result}"
        );
    }
}

/// The real server, `serve`, with its ledger in a folder.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    log: Arc<Mutex<String>>,
}

impl Server {
    pub(crate) async fn start(folder: &Path, base_uri: &str, settings: &[Setting<'_>]) -> Self {
        let state = folder.to_str().unwrap();
        let flags = ["--base-uri", base_uri, "--state-dir", state];
        let arguments = [&["serve", "--bind", "127.0.0.1:0"][..], &flags].concat();
        Self::spawn(program(&arguments, &variables(base_uri, settings))).await
    }

    /// The same, started by a line for `sh` that executes what it is given.
    pub(crate) async fn start_with(shell: &str, folder: &Path, base_uri: &str) -> Self {
        let state = folder.to_str().unwrap();
        let command = env!("CARGO_BIN_EXE_sevendigital-mcp");
        let mut shelled = Command::new("sh");
        shelled
            .args(["-c", shell, command, "serve", "--bind", "127.0.0.1:0"])
            .args(["--base-uri", base_uri, "--state-dir", state])
            .env_clear()
            .envs(variables(base_uri, &[]))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Self::spawn(shelled).await
    }

    async fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let url = loop {
            let line = within("the address", lines.next_line()).await.unwrap();
            let line = line.unwrap_or_else(|| panic!("no address: {}", log.lock().unwrap()));
            if let Some(url) = line.strip_prefix("listening on ") {
                break url.to_owned();
            }
            log.lock().unwrap().push_str(&(line + "\n"));
        };
        let kept = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        Self { child, url, log }
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller::to(&self.url, &http())
    }

    /// What it has written on stderr.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Sends a signal: `TERM`, `INT`, `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id().unwrap(), name);
    }

    /// How it ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        within("the end of the server", self.child.wait())
            .await
            .unwrap()
    }
}

/// Sends a signal to a process of ours.
pub(crate) fn signal(process: u32, name: &str) {
    let kill = format!("kill -{name} {process}");
    let status = std::process::Command::new("sh")
        .args(["-c", &kill])
        .status();
    assert!(status.unwrap().success(), "{kill}");
}

/// The environment of the real program: the demo user's credentials, and these settings.
pub(crate) fn variables(base_uri: &str, settings: &[Setting<'_>]) -> Vec<(String, String)> {
    let mut variables = sandbox_settings(base_uri);
    variables.extend(
        settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    variables
}

/// Runs `ledger` on a folder: exit code, stdout, stderr.
pub(crate) async fn ledger(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let state = folder.to_str().unwrap();
    let arguments = [&["ledger", "--state-dir", state], arguments].concat();
    let output = program(&arguments, &[]).output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

/// A charge as the ledger's file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: String,
    pub(crate) tool: String,
    pub(crate) item: String,
    pub(crate) state: String,
    pub(crate) purchase_id: Option<String>,
}

/// The charges in a folder's ledger, oldest first.
pub(crate) fn rows(folder: &Path) -> Vec<Row> {
    let ledger = open(folder);
    let mut statement = ledger
        .prepare("SELECT key, tool, item, state, purchase_id FROM charge ORDER BY id")
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok(Row {
            key: row.get(0)?,
            tool: row.get(1)?,
            item: row.get(2)?,
            state: row.get(3)?,
            purchase_id: row.get(4)?,
        })
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// The states in it, oldest first.
pub(crate) fn states(folder: &Path) -> Vec<String> {
    rows(folder).into_iter().map(|row| row.state).collect()
}

/// Makes everything in a folder's ledger older.
pub(crate) fn age(folder: &Path, milliseconds: i64) {
    let changed = open(folder).execute("UPDATE charge SET started = started - ?1", [milliseconds]);
    assert!(changed.unwrap() > 0);
}

/// Takes all charges out of it.
pub(crate) fn empty(folder: &Path) {
    if file(folder).exists() {
        open(folder).execute("DELETE FROM charge", []).unwrap();
    }
}

pub(crate) fn open(folder: &Path) -> rusqlite::Connection {
    let ledger = rusqlite::Connection::open(file(folder)).unwrap();
    ledger
        .busy_timeout(std::time::Duration::from_secs(5))
        .unwrap();
    ledger
}

pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join("ledger.sqlite")
}
