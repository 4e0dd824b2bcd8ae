//! The server as rmcp sees it.

use std::sync::Arc;

use http::request::Parts;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, DiscoverResult, Implementation,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
    MetaObject, PaginatedRequestParams, ProtocolVersion, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext as McpContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};
use sevendigital_tools::{AnyTool, Page};

use super::tool_list::{describe, instructions};
use super::{elicitation, pages, progress, result};
use crate::calls::{Asker, Call, CallOutcome, Calls, Held, RequestContext, UserAnswer};
use crate::config::Config;
use crate::http::json::shown;
use crate::http::stack;
use crate::identity::{Caller, User};
use crate::problem::Problem;
use crate::telemetry::request_id::RequestId;
use crate::telemetry::trace_context::{TRACEPARENT, TraceContext};

/// How long clients may keep the list of tools: it changes only when the server is started anew.
const LIST_TTL_MS: u64 = 3_600_000;

/// The server as rmcp sees it. Cheap to clone: HTTP without sessions makes one for each request.
#[derive(Debug, Clone)]
pub(super) struct Server {
    calls: Calls,
    tools: Arc<[Tool]>,
    instructions: Arc<str>,
    user_from_headers: bool,
}

impl Server {
    /// Serves the registry's tools as the settings say.
    pub(super) fn new(calls: Calls, config: &Config) -> Self {
        let tools = calls.registry().tools();
        let described = tools.iter().map(|tool| describe(tool, config.hints));
        Self {
            tools: described.collect(),
            instructions: instructions(tools).into(),
            user_from_headers: config.user_from_headers,
            calls,
        }
    }

    /// Makes a call. In a session the user is asked at once, where that is needed; else the client asks and calls again.
    async fn call(
        &self,
        tool: &AnyTool,
        request: CallToolRequestParams,
        context: &McpContext<RoleServer>,
        caller: Caller,
        request_context: RequestContext,
    ) -> Result<CallOutcome, Problem> {
        let token = request.request_state;
        let confirmation = elicitation::answer(context, token, request.input_responses.as_ref());
        // The user that the request's headers name, where the operator allows that.
        let parts = context.extensions.get::<Parts>();
        let user = parts.map(|parts| User::from_headers(&parts.headers, self.user_from_headers));
        let user = user.transpose()?.flatten();
        let arguments = request.arguments.unwrap_or_default();
        let call = |confirmation| Call {
            arguments: arguments.clone(),
            caller: caller.clone(),
            user: user.clone(),
            context: request_context.clone(),
            confirmation,
            idempotency_key: None,
        };
        match self.calls.call(tool, call(confirmation)).await? {
            CallOutcome::ConfirmationRequired(question) if !is_stateless(context) => {
                let confirmation = elicitation::ask(context, question).await?;
                // Everything is checked anew: time has passed.
                self.calls.call(tool, call(confirmation)).await
            }
            CallOutcome::Completed(mut completed) if pages::can_open(context) => {
                if let Some(page) = completed.reply.page.take() {
                    // Boxed, since few calls lead to a page and it is large.
                    let call = call(UserAnswer::NotAsked(Asker::Nothing));
                    Box::pin(self.open(context, page, call)).await;
                }
                Ok(CallOutcome::Completed(completed))
            }
            outcome => Ok(outcome),
        }
    }

    /// Leads the user to a page that a call like this one has opened, and looks how far they are.
    async fn open(&self, context: &McpContext<RoleServer>, page: Page, like: Call) {
        let (calls, name) = (self.calls.clone(), page.look);
        let arguments = page.arguments.clone();
        let look = move || {
            let call = Call {
                arguments: arguments.clone(),
                caller: like.caller.clone(),
                user: like.user.clone(),
                context: like.context.clone(),
                confirmation: UserAnswer::NotAsked(Asker::Nothing),
                idempotency_key: None,
            };
            let calls = calls.clone();
            async move {
                // An operator may serve the one tool and not the other.
                let look = calls.registry().find(name).ok_or_else(Problem::internal)?;
                calls.call(look, call).await
            }
        };
        pages::open(context, page, look).await;
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(implementation().with_description(env!("CARGO_PKG_DESCRIPTION")))
            .with_instructions(&*self.instructions)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.tools.iter().find(|tool| tool.name == name).cloned()
    }

    async fn discover(&self, _: McpContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        Ok(DiscoverResult::from_server_info(versions, self.get_info())
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Public))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: McpContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let caller = caller(&context)?;
        let all = self.calls.registry().tools().iter().zip(&*self.tools);
        let shown = all.filter(|(tool, _)| caller.may(&tool.contract));
        let tools = shown.map(|(_, described)| described.clone()).collect();
        // Another caller may be shown other tools.
        let mut result = ListToolsResult::with_all_items(tools)
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Private);
        result.meta = server_info(&context);
        Ok(result)
    }

    // Empty lists without the capability: some hosts ask all the same, and drop a server that has no answer.
    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        context: McpContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let mut result = ListResourcesResult::with_all_items(Vec::new())
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Public);
        result.meta = server_info(&context);
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        context: McpContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let mut result = ListResourceTemplatesResult::with_all_items(Vec::new())
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Public);
        result.meta = server_info(&context);
        Ok(result)
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        context: McpContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let mut result = ListPromptsResult::with_all_items(Vec::new())
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Public);
        result.meta = server_info(&context);
        Ok(result)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: McpContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let request_context = request_context(&context);
        let id = request_context.id.clone();
        let data = || Some(json!({"requestId": id.as_str()}));
        let caller = caller(&context)?;
        let tool = self.calls.registry().find(&request.name);
        let Some(tool) = tool.filter(|tool| caller.may(&tool.contract)) else {
            let why = format!("there is no tool {} for this caller", shown(&request.name));
            return Err(ErrorData::invalid_params(why, data()));
        };
        // Boxed: rmcp moves the future of this function about, and a call is large.
        let call = Box::pin(self.call(tool, request, &context, caller, request_context));
        let call = progress::beside(&context, call);
        let outcome = tokio::select! {
            // First, so that a yes that comes after it buys nothing.
            biased;
            // No client waits for this answer any more; the executor decides what is ended.
            () = context.ct.cancelled() => {
                return Err(ErrorData::internal_error("the call was cancelled", data()));
            }
            outcome = call => outcome,
        };
        let meta = server_info(&context);
        match outcome {
            Ok(CallOutcome::Completed(mut completed)) => {
                if let Some(held) = held(&context) {
                    held.keep(completed.hold.take());
                }
                Ok(result::completed(completed, meta).into())
            }
            Ok(CallOutcome::ConfirmationRequired(question)) => {
                Ok(elicitation::input_required(question, meta).into())
            }
            Err(problem) => {
                // `Calls` has logged what failed there.
                if problem.effect.is_none() {
                    let name = tool.contract.name;
                    tracing::warn!(request_id = %id, "tool `{name}` failed: {}", problem.what);
                }
                let problem = problem.of_call(tool.contract.upstream.effect);
                result::failed(&problem, &id, meta).map(Into::into)
            }
        }
    }
}

fn implementation() -> Implementation {
    Implementation::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")).with_title("7digital")
}

/// Whether the request is of a protocol revision without handshake and sessions.
fn is_stateless(context: &McpContext<RoleServer>) -> bool {
    let version = context.protocol_version();
    version.is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

/// Results of the revisions without a handshake name the server that they are from.
fn server_info(context: &McpContext<RoleServer>) -> Option<MetaObject> {
    let mut meta = MetaObject::default();
    let key = "io.modelcontextprotocol/serverInfo".to_owned();
    meta.insert(key, json!(implementation()));
    is_stateless(context).then_some(meta)
}

/// Where the request's transport looks for what its call holds.
fn held(context: &McpContext<RoleServer>) -> Option<&Held> {
    match context.extensions.get::<Parts>() {
        Some(parts) => parts.extensions.get(),
        None => context.extensions.get(),
    }
}

/// Over HTTP the caller that was authenticated, on stdio the operator.
fn caller(context: &McpContext<RoleServer>) -> Result<Caller, ErrorData> {
    match context.extensions.get::<Parts>() {
        None => Ok(Caller::operator()),
        Some(parts) => stack::caller(&parts.extensions)
            .map_err(|problem| result::error_data(&problem, &request_context(context).id)),
    }
}

/// The id of the HTTP request, or a new one; and the trace, by MCP's own field first and then by the HTTP header.
fn request_context(context: &McpContext<RoleServer>) -> RequestContext {
    let parts = context.extensions.get::<Parts>();
    let id = parts.and_then(|parts| parts.extensions.get::<RequestId>());
    let from_meta = context.meta.get(TRACEPARENT).and_then(Value::as_str);
    let from_headers = || TraceContext::from_headers(&parts?.headers);
    let trace = from_meta.and_then(TraceContext::parse);
    let (id, trace) = (id.cloned().unwrap_or_default(), trace.or_else(from_headers));
    RequestContext { id, trace }
}
