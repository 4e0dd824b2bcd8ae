//! The server as rmcp sees it.

use std::sync::Arc;

use http::request::Parts;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
    DiscoverResult, GetPromptRequestParams, GetPromptResponse, InitializeRequestParams,
    InitializeResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, MetaObject, PaginatedRequestParams, ProtocolVersion,
    ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext as McpContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};
use sevendigital_tools::{AnyTool, Page};

use super::introduction::{capabilities, identity, implementation, instructions};
use super::tool_list::describe;
use super::{completions, elicitation, pages, progress, prompts, resources, result};
use crate::calls::{Asker, Call, CallOutcome, Calls, Held, RequestContext, UserAnswer, Viewer};
use crate::config::Config;
use crate::http::json::shown;
use crate::http::stack;
use crate::identity::{Caller, User};
use crate::problem::Problem;
use crate::telemetry::request_id::RequestId;
use crate::telemetry::trace_context::{TRACEPARENT, TraceContext};

/// How long clients may keep lists: they change only when the server is started anew. Another caller may be shown other ones.
const LIST_TTL_MS: u64 = 3_600_000;

/// The server as rmcp sees it. Cheap to clone: HTTP without sessions makes one for each request.
#[derive(Debug, Clone)]
pub(super) struct Server {
    calls: Calls,
    tools: Arc<[Tool]>,
    capabilities: ServerCapabilities,
    user_from_headers: bool,
}

impl Server {
    /// Serves the registry's tools as the settings say.
    pub(super) fn new(calls: Calls, config: &Config) -> Self {
        let tools = calls.registry().tools();
        let described = tools.iter().map(|tool| describe(tool, config.hints));
        Self {
            tools: described.collect(),
            capabilities: capabilities(calls.registry()),
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
        let user = self.user(context)?;
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

    /// The user that the request's headers name, where the operator allows that.
    fn user(&self, context: &McpContext<RoleServer>) -> Result<Option<User>, Problem> {
        let parts = context.extensions.get::<Parts>();
        let user = parts.map(|parts| User::from_headers(&parts.headers, self.user_from_headers));
        Ok(user.transpose()?.flatten())
    }

    /// Who asks for a resource or a prompt.
    fn viewer(&self, context: &McpContext<RoleServer>) -> Result<Viewer, ErrorData> {
        let (caller, context_of) = (caller(context)?, request_context(context));
        let user = self.user(context);
        let user = user.map_err(|problem| result::error_data(&problem, &context_of.id))?;
        Ok(Viewer {
            caller,
            user,
            context: context_of,
        })
    }

    /// What the caller is told of the server before it uses it.
    fn introduced(&self, info: &mut ServerConfig, caller: &Caller) {
        let tools = self.calls.registry().tools().iter();
        let tools: Vec<&AnyTool> = tools.filter(|tool| caller.may(&tool.contract)).collect();
        info.server_info = implementation();
        info.instructions = Some(instructions(&tools, caller.may_look()));
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
    /// What every request needs of it; [`introduced`](Server::introduced) adds the rest.
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(self.capabilities.clone()).with_server_info(identity())
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: McpContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let mut info = self.negotiate_initialize(&request)?;
        context.peer.set_peer_info(request);
        self.introduced(&mut info, &caller(&context)?);
        Ok(info)
    }

    async fn discover(&self, context: McpContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        let mut info = self.get_info();
        self.introduced(&mut info, &caller(&context)?);
        Ok(DiscoverResult::from_server_info(versions, info)
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Private))
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
        let mut result = ListToolsResult::with_all_items(tools)
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Private);
        result.meta = server_info(&context);
        Ok(result)
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        context: McpContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let all = resources::list(&caller(&context)?);
        let mut result = ListResourcesResult::with_all_items(all)
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Private);
        result.meta = server_info(&context);
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        context: McpContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let all = resources::templates(&caller(&context)?);
        let mut result = ListResourceTemplatesResult::with_all_items(all)
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Private);
        result.meta = server_info(&context);
        Ok(result)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: McpContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let viewer = self.viewer(&context)?;
        // Boxed: rmcp moves the future of this function about.
        let read = Box::pin(resources::read(&self.calls, viewer, &request.uri));
        let mut result = until_cancelled(&context, read).await?;
        result.meta = server_info(&context);
        Ok(result.into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        context: McpContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        // An empty list where there is none: some hosts ask all the same, and drop a server that has no answer.
        let all = prompts::list(self.calls.registry(), &caller(&context)?);
        let mut result = ListPromptsResult::with_all_items(all)
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Private);
        result.meta = server_info(&context);
        Ok(result)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: McpContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let viewer = self.viewer(&context)?;
        let GetPromptRequestParams {
            name, arguments, ..
        } = request;
        let got = Box::pin(prompts::get(&self.calls, viewer, &name, arguments));
        let mut result = until_cancelled(&context, got).await?;
        result.meta = server_info(&context);
        Ok(result.into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: McpContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let (registry, caller) = (self.calls.registry(), caller(&context)?);
        let found = completions::complete(registry, &caller, &request.r#ref, &request.argument);
        let data = || Some(result::request_data(&request_context(&context).id));
        let found = found.map_err(|why| ErrorData::invalid_params(why, data()))?;
        let mut result = CompleteResult::new(found);
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
        let data = || Some(result::request_data(&id));
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

/// Ends work that nobody waits for any more.
async fn until_cancelled<T>(
    context: &McpContext<RoleServer>,
    work: impl Future<Output = Result<T, ErrorData>>,
) -> Result<T, ErrorData> {
    tokio::select! {
        biased;
        () = context.ct.cancelled() => {
            let data = result::request_data(&request_context(context).id);
            Err(ErrorData::internal_error("the request was cancelled", Some(data)))
        }
        done = work => done,
    }
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
    meta.insert(key, json!(identity()));
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
