//! A world to test in: a sandbox instead of 7digital, and the server before it in this process. All use of the library's own types for that is here.

use std::path::{Path, PathBuf};
use std::sync::Once;

use rmcp::ClientLifecycleMode;
use serde_json::{Value, json};

use sevendigital_mcp::calls::Calls;
use sevendigital_mcp::config::{Config, ConfigError, Layers};
use sevendigital_mcp::serve::App;
use sevendigital_sandbox::{Arrival, Sandbox, Signature, demo};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::client::{Client, Header, http};
use super::reply::Reply;
use super::rmcp_client::{Rmcp, connect};

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
    unsigned_is_fine: bool,
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
        ("SEVENDIGITAL_MCP_LIMIT_BREAKER_MIN_CALLS", "1000000"),
        // On a loaded machine calls wait for longer than a second.
        ("SEVENDIGITAL_MCP_LIMIT_QUEUE_TIMEOUT", "60000ms"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// The same and these; later ones win.
pub(crate) fn variables(base_uri: &str, settings: &[Setting<'_>]) -> Vec<(String, String)> {
    let mut variables = sandbox_settings(base_uri);
    for (name, value) in settings {
        variables.retain(|(other, _)| other != name);
        variables.push(((*name).to_owned(), (*value).to_owned()));
    }
    variables
}

/// Settings from environment variables alone; later ones win.
pub(crate) fn load(variables: Vec<(String, String)>) -> Result<Config, ConfigError> {
    Config::load(&Layers {
        variables,
        ..Layers::default()
    })
}

/// A server in this process that keeps its ledger in that folder, before an upstream that is not the world's own sandbox.
pub(crate) async fn world_on(folder: &Path, base_uri: &str, settings: &[Setting<'_>]) -> World {
    let own = [
        ("SEVENDIGITAL_BASE_URI", base_uri),
        ("SEVENDIGITAL_MCP_STATE_DIR", folder.to_str().unwrap()),
    ];
    World::with(&[&own, settings].concat()).await
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
        let state = tempfile::tempdir().unwrap();
        let own = [
            ("SEVENDIGITAL_MCP_STATE_DIR", state.path().to_str().unwrap()),
            ("SEVENDIGITAL_MCP_BIND", "127.0.0.1:0"),
            ("SEVENDIGITAL_MCP_REST_BIND", "127.0.0.1:0"),
        ];
        let variables = variables(&sandbox.base_uri(), &[&own, settings].concat());
        let file = state.path().join("settings.toml");
        std::fs::write(&file, text).unwrap();
        let config = Config::load(&Layers {
            file: (!text.is_empty()).then_some(file),
            variables,
            ..Layers::default()
        })
        .unwrap();
        let app = App::bind(&config, Calls::new(&config).unwrap()).unwrap();
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

    /// How often an operation of 7digital's was asked for.
    pub(crate) fn arrived(&self, operation: &str) -> usize {
        let arrivals = self.arrivals().into_iter();
        arrivals
            .filter(|arrival| arrival.operation == Some(operation))
            .count()
    }

    /// A request of the era without a handshake.
    pub(crate) async fn modern(&self, method: &str, params: Value) -> Reply {
        Client::of(self).ask(method, params).await
    }

    /// The same with further headers and an id of one's own.
    pub(crate) async fn modern_as(
        &self,
        headers: &[Header<'_>],
        id: Value,
        method: &str,
        params: Value,
    ) -> Reply {
        let client = Client::of(self).with_all(headers);
        client.ask_as(id, method, params).await.unwrap()
    }

    /// A tool's result, in the era without a handshake.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Value {
        Client::of(self).call(tool, &arguments).await
    }

    /// The tools as they are served.
    pub(crate) async fn tools(&self) -> Vec<Value> {
        Client::of(self).tools().await
    }

    /// A session of an era with a handshake.
    pub(crate) async fn legacy_session(&self, version: &'static str) -> Session {
        let reply = Client::of(self).initialize(version).await;
        let client = Client::of(self).opened(&reply, version).await;
        Session {
            id: reply.session(),
            client,
            initialized: reply.result(),
        }
    }

    /// rmcp's own client, over HTTP.
    pub(crate) async fn client(&self, mode: ClientLifecycleMode) -> Rmcp<()> {
        connect((), self, mode).await
    }

    /// Asks the server to stop, and waits for its end.
    pub(crate) async fn end(mut self) {
        self.stop.cancel();
        let server = self.server.take().unwrap();
        super::within("the end of the server", server)
            .await
            .unwrap()
            .unwrap();
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
pub(crate) struct Session {
    client: Client,
    pub(crate) id: String,
    /// What the server said of itself.
    pub(crate) initialized: Value,
}

impl Session {
    /// A request and its answer, whole.
    pub(crate) async fn ask(&self, id: Value, method: &str, params: Value) -> Reply {
        self.client.ask_in_session(id, method, &params).await
    }

    /// A tool's result.
    pub(crate) async fn call(&self, id: usize, tool: &str, arguments: Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        self.ask(json!(id), "tools/call", params).await.result()
    }

    /// Ends the session; gives the status.
    pub(crate) async fn end(&self) -> u16 {
        self.client.bare("DELETE").await.status
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
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
