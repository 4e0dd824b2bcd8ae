//! What rmcp and reqwest cost without us: one tool, unsigned and unchecked. The row that `load` and `instructions` compare with.
//!
//! `bare http UPSTREAM` listens on a free port of loopback, `bare stdio UPSTREAM` speaks MCP over its pipes.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt as _;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService, stdio};
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};
use tokio::net::TcpListener;

#[derive(Clone)]
struct Bare {
    http: reqwest::Client,
    locker: String,
}

impl ServerHandler for Bare {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let schema = Arc::new(serde_json::from_str(r#"{"type": "object"}"#).unwrap_or_default());
        let tool = Tool::new("get-user-locker", "Reads the user's locker.", schema);
        Ok(ListToolsResult::with_all_items(vec![tool]))
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let text = async { self.http.get(&self.locker).send().await?.text().await };
        let failed = |error: reqwest::Error| ErrorData::internal_error(error.to_string(), None);
        let content = ContentBlock::text(text.await.map_err(failed)?);
        Ok(CallToolResult::success(vec![content]).into())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [transport, upstream] = &arguments[..] else {
        return Err("expected `http` or `stdio`, and the root of an upstream".into());
    };
    #[expect(clippy::disallowed_methods, reason = "it asks no 7digital")]
    let http = reqwest::Client::new();
    let locker = format!("{upstream}/user/locker?page=1");
    let bare = Bare { http, locker };
    if transport == "stdio" {
        bare.serve(stdio()).await?.waiting().await?;
        return Ok(());
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let config = StreamableHttpServerConfig::default().with_json_response(true);
    let sessions = Arc::new(LocalSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(bare.clone()), sessions, config);
    writeln!(std::io::stderr(), "listening on http://{address}/mcp")?;
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    Ok(axum::serve(listener, Router::new().route_service("/mcp", service)).await?)
}
