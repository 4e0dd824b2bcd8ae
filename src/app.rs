//! The server as a whole: what it listens on, what it serves there, and how it ends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::serve::ListenerExt as _;
use http_body_util::BodyExt as _;
use rmcp::ServiceExt as _;
use rmcp::service::ServerInitializeError;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Config, ConfigError};
use crate::front::{self, Door};
use crate::guard::Guard;
use crate::mcp::Mcp;
use crate::rest;

/// Bytes of a request at most: the largest arguments are far below.
const MAX_REQUEST: usize = 256 << 10;
/// How long a session of the older protocol may be idle.
const SESSION_IDLE: Duration = Duration::from_secs(30 * 60);
/// Time that clients have to take the last answers before open streams are cut.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// MCP over HTTP, and REST where the settings say so, bound to their addresses and not yet serving.
#[derive(Debug)]
pub struct App {
    listener: TcpListener,
    router: Router,
    rest: Option<(TcpListener, Router)>,
    guard: Guard,
    /// Requests whose answers have not been written whole.
    unanswered: TaskTracker,
    /// Ends open streams and sessions, once calls have been answered.
    end: CancellationToken,
}

impl App {
    /// Binds the addresses that the settings name.
    pub async fn bind(config: &Config, guard: Guard) -> Result<Self, ConfigError> {
        let listener = listen("bind", config.bind).await?;
        let address = listener
            .local_addr()
            .map_err(|error| ConfigError(format!("`bind`: {error}")))?;
        let end = CancellationToken::new();
        let unanswered = TaskTracker::new();
        let router = router(config, own_origins(address), guard.clone(), end.clone()).layer(
            middleware::from_fn_with_state(unanswered.clone(), until_written),
        );
        let rest = match config.rest_bind {
            None => None,
            Some(address) => {
                let held = middleware::from_fn_with_state(unanswered.clone(), until_all_written);
                let router = rest::router(config, &guard).layer(held);
                Some((listen("rest_bind", address).await?, router))
            }
        };
        Ok(Self {
            listener,
            router,
            rest,
            guard,
            unanswered,
            end,
        })
    }

    /// The address that was bound for MCP.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The address that was bound for REST, where it is served.
    pub fn rest_address(&self) -> io::Result<Option<SocketAddr>> {
        let rest = self.rest.as_ref();
        rest.map(|(listener, _)| listener.local_addr()).transpose()
    }

    /// Serves until `stop` is ready; then accepts nothing more, answers what is under way, and returns.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let Self {
            listener,
            router,
            rest,
            guard,
            unanswered,
            end,
        } = self;
        let drained = end.clone();
        let stopped = CancellationToken::new();
        let rest = rest.map(|(listener, router)| {
            let (stopped, end) = (stopped.clone(), end.clone());
            tokio::spawn(async move {
                let serving = axum::serve(listener.tap_io(at_once), router)
                    .with_graceful_shutdown(stopped.cancelled_owned());
                // A client that never takes its answer is not waited for.
                tokio::select! {
                    ended = serving => ended,
                    () = end.cancelled() => Ok(()),
                }
            })
        });
        let stopping = async move {
            stop.await;
            stopped.cancel();
            tracing::info!("stopping; calls under way are answered first");
            tokio::spawn(async move {
                guard.drain().await;
                unanswered.close();
                let _ = tokio::time::timeout(LAST_WORDS, unanswered.wait()).await;
                drained.cancel();
            });
        };
        axum::serve(listener.tap_io(at_once), router)
            .with_graceful_shutdown(stopping)
            .await?;
        end.cancelled().await;
        match rest {
            Some(rest) => rest.await?,
            None => Ok(()),
        }
    }
}

async fn listen(key: &str, address: SocketAddr) -> Result<TcpListener, ConfigError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| ConfigError(format!("`{key}`: {address} can't be listened on: {error}")))
}

/// Without this an answer in two parts waits 44 ms for the client's delayed acknowledgement.
fn at_once(socket: &mut TcpStream) {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!("TCP_NODELAY could not be set: {error}");
    }
}

/// The origins of pages that this server itself would serve: no other site has them.
fn own_origins(address: SocketAddr) -> Vec<String> {
    let names: &[&str] = if address.ip().is_loopback() {
        &["localhost", "127.0.0.1", "[::1]"]
    } else {
        &[]
    };
    names
        .iter()
        .map(|name| format!("http://{name}:{}", address.port()))
        .collect()
}

fn router(
    config: &Config,
    own_origins: Vec<String>,
    guard: Guard,
    end: CancellationToken,
) -> Router {
    let mcp = Mcp::new(guard, config);
    let mut sessions = LocalSessionManager::default();
    sessions.session_config.keep_alive = Some(SESSION_IDLE);
    let transport = StreamableHttpServerConfig::default()
        .with_json_response(true)
        .with_allowed_hosts(config.allowed_hosts())
        .with_allowed_origins(
            own_origins
                .into_iter()
                .chain(config.allowed_origins.iter().cloned()),
        )
        .enforce_origin_validation()
        .with_max_request_body_bytes(MAX_REQUEST)
        .with_cancellation_token(end);
    let service =
        StreamableHttpService::new(move || Ok(mcp.clone()), Arc::new(sessions), transport);
    let router = Router::new().nest_service("/mcp", service);
    match config.token.clone() {
        Some(token) => {
            let refusal = unauthorised;
            let door = Door { token, refusal };
            router.layer(middleware::from_fn_with_state(door, front::authorised))
        }
        None => router,
    }
}

/// Counts a POST as unanswered until the last of its answer was handed to the socket. Other requests may stay open for ever.
async fn until_written(
    State(unanswered): State<TaskTracker>,
    request: Request,
    next: Next,
) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    until_all_written(State(unanswered), request, next).await
}

/// Counts any request as unanswered until the last of its answer was handed to the socket.
async fn until_all_written(
    State(unanswered): State<TaskTracker>,
    request: Request,
    next: Next,
) -> Response {
    let held = unanswered.token();
    let mut response = next.run(request).await;
    // What wraps the body forgets how long it is.
    if let Some(length) = response.body().size_hint().exact() {
        response
            .headers_mut()
            .entry(header::CONTENT_LENGTH)
            .or_insert(length.into());
    }
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _ = &held;
            frame
        }))
    })
}

fn unauthorised(status: StatusCode, why: &str) -> Response {
    (status, why.to_owned()).into_response()
}

/// Serves MCP over stdin and stdout until stdin ends or `stop` is ready; calls under way are answered first.
pub async fn serve_stdio(
    config: &Config,
    guard: Guard,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServerInitializeError> {
    let mcp = Mcp::new(guard.clone(), config);
    // To be asked to stop is to see the end of stdin: what was read before it is still answered.
    let (mut unread, requests) = tokio::io::duplex(MAX_REQUEST);
    tokio::spawn(async move {
        let mut stdin = tokio::io::stdin();
        tokio::select! {
            _ = tokio::io::copy(&mut stdin, &mut unread) => {}
            () = stop => {}
        }
    });
    let running = match mcp.serve((requests, tokio::io::stdout())).await {
        Ok(running) => running,
        // A client that leaves before it says hello is no fault.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    // It ends with stdin; an error of its task would be a fault that it has logged itself.
    let _ = running.waiting().await;
    guard.drain().await;
    Ok(())
}
