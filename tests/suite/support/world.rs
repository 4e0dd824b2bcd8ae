//! A world to test in: a sandbox in 7digital's place, the server before it, and clients of both protocol eras.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Once;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::service::RunningService;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ClientLifecycleMode, ClientServiceExt as _, RoleClient};
use serde_json::{Value, json};
use sevendigital_mcp::app::App;
use sevendigital_mcp::config::{Config, ConfigError, Layers};
use sevendigital_mcp::guard::Guard;
use sevendigital_sandbox::{Arrival, Sandbox, Signature, demo};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The era without a handshake.
pub(crate) const MODERN: &str = "2026-07-28";
/// The eras with one, newest first.
pub(crate) const LEGACY: [&str; 2] = ["2025-11-25", "2025-06-18"];

/// A setting: environment variable and value.
pub(crate) type Setting<'a> = (&'a str, &'a str);

/// A sandbox and a server before it, each on a free port; both end when it is dropped.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) url: String,
    /// Where REST is served; empty if it is not.
    pub(crate) rest: String,
    pub(crate) http: reqwest::Client,
    pub(crate) stop: CancellationToken,
    /// The server; taken by the test that waits for its end.
    pub(crate) server: Option<JoinHandle<std::io::Result<()>>>,
    /// Whether requests without a good signature are what the test is about.
    pub(crate) unsigned_is_fine: bool,
    /// The ledger's folder, which goes with the world.
    _state: TempDir,
}

/// The settings for a sandbox: its address, and the demo user's credentials.
pub(crate) fn sandbox_settings(base_uri: &str) -> Vec<(String, String)> {
    [
        ("SEVENDIGITAL_BASE_URI", base_uri),
        ("SEVENDIGITAL_CONSUMER_KEY", demo::CONSUMER_KEY),
        ("SEVENDIGITAL_CONSUMER_SECRET", demo::CONSUMER_SECRET),
        ("SEVENDIGITAL_ACCESS_TOKEN", demo::ACCESS_TOKEN),
        (
            "SEVENDIGITAL_ACCESS_TOKEN_SECRET",
            demo::ACCESS_TOKEN_SECRET,
        ),
        ("SEVENDIGITAL_COUNTRY", demo::COUNTRY),
        // Tests try the same password again and again, and let 7digital fail as often; those that are about these limits set them.
        ("SEVENDIGITAL_MCP_LIMIT_LOGINS_PER_MINUTE", "1000000"),
        ("SEVENDIGITAL_MCP_LIMIT_BREAKER_CALLS", "1000000"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// Settings from environment variables alone; later ones win.
pub(crate) fn load(variables: Vec<(String, String)>) -> Result<Config, ConfigError> {
    Config::load(&Layers {
        variables,
        ..Layers::default()
    })
}

impl World {
    /// The server as the demo user's.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// The same, but for these settings; an empty value takes one away.
    pub(crate) async fn with(settings: &[Setting<'_>]) -> Self {
        Self::with_file(settings, "").await
    }

    /// The same, with a configuration file of that text besides.
    pub(crate) async fn with_file(settings: &[Setting<'_>], text: &str) -> Self {
        log();
        let sandbox = Sandbox::start().await.unwrap();
        let mut variables = sandbox_settings(&sandbox.base_uri());
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().display().to_string();
        variables.push(("SEVENDIGITAL_MCP_STATE_DIR".into(), folder));
        variables.push(("SEVENDIGITAL_MCP_BIND".into(), "127.0.0.1:0".into()));
        variables.push(("SEVENDIGITAL_MCP_REST_BIND".into(), "127.0.0.1:0".into()));
        for (name, value) in settings {
            variables.retain(|(other, _)| other != name);
            variables.push(((*name).to_owned(), (*value).to_owned()));
        }
        let file = state.path().join("settings.toml");
        std::fs::write(&file, text).unwrap();
        let config = Config::load(&Layers {
            file: (!text.is_empty()).then_some(file),
            variables,
            ..Layers::default()
        })
        .unwrap();
        let app = App::bind(&config, Guard::new(&config).unwrap()).unwrap();
        let url = format!("http://{}/mcp", app.address().unwrap());
        let rest = app.rest_address().unwrap();
        let rest = rest.map_or_else(String::new, |address| format!("http://{address}"));
        let stop = CancellationToken::new();
        let server = tokio::spawn(app.serve(stop.clone().cancelled_owned()));
        Self {
            sandbox,
            url,
            rest,
            http: http(),
            stop,
            server: Some(server),
            unsigned_is_fine: false,
            _state: state,
        }
    }

    /// The same world, for a test of requests that carry no good signature.
    pub(crate) fn unsigned(mut self) -> Self {
        self.unsigned_is_fine = true;
        self
    }

    /// What arrived at the sandbox.
    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.sandbox.arrivals()
    }

    /// Any bytes to the server, with the headers that each client sends and these in addition.
    pub(crate) async fn post(&self, headers: &[(&str, &str)], body: String) -> Reply {
        let mut request = self
            .http
            .post(&self.url)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Reply::of(request.body(body).send().await.unwrap()).await
    }

    /// A request of the era without a handshake.
    pub(crate) async fn modern(&self, method: &str, params: Value) -> Reply {
        self.modern_as(&[], json!(1), method, params).await
    }

    /// The same with further headers and an id of one's own.
    pub(crate) async fn modern_as(
        &self,
        headers: &[(&str, &str)],
        id: Value,
        method: &str,
        mut params: Value,
    ) -> Reply {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "suite", "version": "1"},
        });
        let mut all = vec![("mcp-protocol-version", MODERN), ("mcp-method", method)];
        if let Some(name) = params["name"].as_str() {
            all.push(("mcp-name", name));
        }
        all.extend(headers);
        let body = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.post(&all, body.to_string()).await
    }

    /// A tool's result, in the era without a handshake.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Value {
        let reply = self
            .modern("tools/call", json!({"name": tool, "arguments": arguments}))
            .await;
        reply.result()
    }

    /// The tools as they are served.
    pub(crate) async fn tools(&self) -> Vec<Value> {
        let result = self.modern("tools/list", json!({})).await.result();
        result["tools"].as_array().unwrap().clone()
    }

    /// A session of an era with a handshake.
    pub(crate) async fn legacy_session(&self, version: &'static str) -> Session<'_> {
        let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "suite", "version": "1"}});
        let body = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let reply = self.post(&[], body.to_string()).await;
        let id = reply.headers["mcp-session-id"].to_str().unwrap().to_owned();
        let session = Session {
            world: self,
            id,
            version,
            initialized: reply.result(),
        };
        let done = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(session.post(done).await.status, 202);
        session
    }

    /// rmcp's own client, over HTTP.
    pub(crate) async fn client(&self, mode: ClientLifecycleMode) -> RunningService<RoleClient, ()> {
        let config = StreamableHttpClientTransportConfig::with_uri(self.url.as_str());
        let transport = StreamableHttpClientTransport::with_client(http(), config);
        ().serve_with_lifecycle(transport, mode).await.unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
        if std::thread::panicking() || self.unsigned_is_fine {
            return;
        }
        for arrival in self.sandbox.arrivals() {
            let signed = matches!(arrival.signature, Signature::Verified { .. });
            assert!(signed, "{}: {:?}", arrival.path, arrival.signature);
        }
    }
}

/// A session of an era with a handshake.
pub(crate) struct Session<'a> {
    world: &'a World,
    pub(crate) id: String,
    version: &'static str,
    /// What the server said of itself.
    pub(crate) initialized: Value,
}

impl Session<'_> {
    async fn post(&self, message: Value) -> Reply {
        let headers = [
            ("mcp-session-id", self.id.as_str()),
            ("mcp-protocol-version", self.version),
        ];
        self.world.post(&headers, message.to_string()).await
    }

    /// A request and its answer, whole.
    pub(crate) async fn ask(&self, id: Value, method: &str, params: Value) -> Reply {
        self.post(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
            .await
    }

    /// A tool's result.
    pub(crate) async fn call(&self, id: usize, tool: &str, arguments: Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        self.ask(json!(id), "tools/call", params).await.result()
    }

    /// Ends the session; gives the status.
    pub(crate) async fn end(&self) -> u16 {
        let request = self.world.http.delete(&self.world.url);
        let request = request
            .header("mcp-session-id", &self.id)
            .header("mcp-protocol-version", self.version);
        request.send().await.unwrap().status().as_u16()
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    /// The content type without its parameters.
    pub(crate) fn kind(&self) -> &str {
        let kind = self
            .headers
            .get(CONTENT_TYPE)
            .map_or("", |value| value.to_str().unwrap());
        kind.split(';').next().unwrap()
    }

    /// The JSON-RPC message, alone or as the last event of a stream.
    pub(crate) fn message(&self) -> Value {
        let text = match self.kind() {
            "text/event-stream" => self
                .text
                .lines()
                .filter_map(|line| line.strip_prefix("data:"))
                .rfind(|data| !data.trim().is_empty())
                .unwrap_or_else(|| panic!("no event in {self:?}")),
            _ => &self.text,
        };
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The result in it.
    pub(crate) fn result(&self) -> Value {
        let mut message = self.message();
        assert_eq!(self.status, 200, "{self:?}");
        assert!(message["error"].is_null(), "{message}");
        message["result"].take()
    }
}

/// The text of a result's first block. A second one may help a model to go on.
pub(crate) fn text(result: &Value) -> &str {
    let blocks = result["content"].as_array().unwrap();
    for block in blocks {
        assert_eq!(block["type"], "text", "{result}");
    }
    let told = blocks[0]["text"].as_str().unwrap();
    if result["isError"] != true {
        return told;
    }
    // Every failure ends with the name of its request, which is another each time.
    let (told, id) = told.split_once(" Request id: ").expect(told);
    let id = id.strip_suffix('.').expect(id);
    assert!(
        id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
    told
}

/// The text of a failed call; fails where the call did not.
pub(crate) fn failure(result: &Value) -> &str {
    assert_eq!(result["isError"], true, "{result}");
    assert!(result["structuredContent"].is_null(), "{result}");
    assert_eq!(result["content"].as_array().unwrap().len(), 1, "{result}");
    text(result)
}

/// An HTTP client that takes no proxy's way round.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// rmcp's client in each era.
pub(crate) fn lifecycles() -> [ClientLifecycleMode; 2] {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    [
        ClientLifecycleMode::Initialize,
        ClientLifecycleMode::Discover { preferred_versions },
    ]
}

/// A tool's result through rmcp's client.
pub(crate) async fn call_with(
    client: &RunningService<RoleClient, ()>,
    tool: &'static str,
    arguments: Value,
) -> Value {
    let arguments = arguments.as_object().unwrap().clone();
    let request = CallToolRequestParams::new(tool).with_arguments(arguments);
    serde_json::to_value(client.call_tool(request).await.unwrap()).unwrap()
}

/// The program, in an environment that holds nothing but these variables, in an empty folder.
pub(crate) fn program(
    arguments: &[&str],
    variables: &[(String, String)],
) -> tokio::process::Command {
    let nowhere = empty_folder();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_sevendigital-mcp"));
    command
        .args(arguments)
        .env_clear()
        .env("HOME", &nowhere)
        .envs(variables.iter().cloned())
        .current_dir(&nowhere)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// rmcp's client, over the pipes of the program.
pub(crate) async fn stdio_client(
    command: tokio::process::Command,
    mode: ClientLifecycleMode,
) -> RunningService<RoleClient, ()> {
    let (transport, _) = TokioChildProcess::builder(command)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    ().serve_with_lifecycle(transport, mode).await.unwrap()
}

/// A folder without a configuration file in it.
fn empty_folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("nowhere");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Waits until something is so; a test that waits for ever has failed.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let asking = async {
        let mut turn = tokio::time::interval(Duration::from_millis(5));
        while !is_so() {
            turn.tick().await;
        }
    };
    within(what, asking).await;
}

/// Waits for something to end; gives up after a while that no good test takes.
pub(crate) async fn within<T>(what: &str, done: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), done)
        .await
        .unwrap_or_else(|_| panic!("waited in vain: {what}"))
}

/// With `TEST_LOG=1` the server's logs are shown.
fn log() {
    static ONCE: Once = Once::new();
    if std::env::var("TEST_LOG").is_ok() {
        ONCE.call_once(|| {
            tracing_subscriber::fmt()
                .with_env_filter("debug,hyper=info,rmcp=info")
                .with_test_writer()
                .init();
        });
    }
}
