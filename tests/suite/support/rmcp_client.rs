//! rmcp's own client, over HTTP and over pipes, with a person before it who can be asked.

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use rmcp::model::{
    CallToolRequestParams, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationCapability,
    ProtocolVersion,
};
use rmcp::service::{RequestContext, RunningService};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt as _, ErrorData, RoleClient};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::world::World;

/// rmcp's client.
pub(crate) type Rmcp<H> = RunningService<RoleClient, H>;

/// rmcp's client of a world.
pub(crate) async fn connect<H: ClientHandler>(
    handler: H,
    world: &World,
    mode: ClientLifecycleMode,
) -> Rmcp<H> {
    let config = StreamableHttpClientTransportConfig::with_uri(world.url.as_str());
    let transport = StreamableHttpClientTransport::with_client(world.http.clone(), config);
    handler.serve_with_lifecycle(transport, mode).await.unwrap()
}

/// rmcp's client, over the pipes of the program.
pub(crate) async fn stdio_client(
    command: tokio::process::Command,
    mode: ClientLifecycleMode,
) -> Rmcp<()> {
    let (transport, _) = TokioChildProcess::builder(command)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    ().serve_with_lifecycle(transport, mode).await.unwrap()
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
    client: &Rmcp<impl ClientHandler>,
    tool: &'static str,
    arguments: Value,
) -> Value {
    let arguments = arguments.as_object().unwrap().clone();
    let request = CallToolRequestParams::new(tool).with_arguments(arguments);
    serde_json::to_value(client.call_tool(request).await.unwrap()).unwrap()
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
    pub(crate) async fn before(&self, world: &World, mode: ClientLifecycleMode) -> Rmcp<Self> {
        connect(self.clone(), world, mode).await
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
