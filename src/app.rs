//! The server as a whole: what it listens on, what it serves there, and how it ends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
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
use sevendigital::Secret;
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Config;
use crate::guard::Guard;
use crate::mcp::Mcp;

/// Bytes of a request at most: the largest arguments are far below.
const MAX_REQUEST: usize = 256 << 10;
/// How long a session of the older protocol may be idle.
const SESSION_IDLE: Duration = Duration::from_secs(30 * 60);
/// Time that clients have to take the last answers before open streams are cut.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// MCP over HTTP, bound to its address and not yet serving.
#[derive(Debug)]
pub struct App {
    listener: TcpListener,
    router: Router,
    guard: Guard,
    /// Requests whose answers have not been written whole.
    unanswered: TaskTracker,
    /// Ends open streams and sessions, once calls have been answered.
    end: CancellationToken,
}

impl App {
    /// Binds the address that the settings name.
    pub async fn bind(config: &Config, guard: Guard) -> io::Result<Self> {
        let listener = TcpListener::bind(config.bind).await?;
        let end = CancellationToken::new();
        let unanswered = TaskTracker::new();
        let router = router(
            config,
            own_origins(listener.local_addr()?),
            guard.clone(),
            end.clone(),
        )
        .layer(middleware::from_fn_with_state(
            unanswered.clone(),
            until_written,
        ));
        Ok(Self {
            listener,
            router,
            guard,
            unanswered,
            end,
        })
    }

    /// The address that was bound.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is ready; then accepts nothing more, answers what is under way, and returns.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let Self {
            listener,
            router,
            guard,
            unanswered,
            end,
        } = self;
        // Without this an answer in two parts waits 44 ms for the client's delayed acknowledgement.
        let listener = listener.tap_io(|socket| {
            if let Err(error) = socket.set_nodelay(true) {
                tracing::debug!("TCP_NODELAY could not be set: {error}");
            }
        });
        let drained = end.clone();
        let stopping = async move {
            stop.await;
            tracing::info!("stopping; calls under way are answered first");
            tokio::spawn(async move {
                guard.drain().await;
                unanswered.close();
                let _ = tokio::time::timeout(LAST_WORDS, unanswered.wait()).await;
                drained.cancel();
            });
        };
        axum::serve(listener, router)
            .with_graceful_shutdown(stopping)
            .await?;
        end.cancelled().await;
        Ok(())
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
        Some(token) => router.layer(middleware::from_fn_with_state(token, authorise)),
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
    let held = unanswered.token();
    let response = next.run(request).await;
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _ = &held;
            frame
        }))
    })
}

/// Lets a request pass that shows the bearer token.
async fn authorise(State(token): State<Secret>, request: Request, next: Next) -> Response {
    let shown = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
        .unwrap_or_default();
    if bool::from(shown.ct_eq(token.expose().as_bytes())) {
        next.run(request).await
    } else {
        let challenge = [(
            header::WWW_AUTHENTICATE,
            "Bearer realm=\"sevendigital-mcp\"",
        )];
        (
            StatusCode::UNAUTHORIZED,
            challenge,
            "a bearer token is needed: `Authorization: Bearer …`",
        )
            .into_response()
    }
}

/// Serves MCP over stdin and stdout until stdin ends or `stop` is ready; calls under way are answered first.
pub async fn serve_stdio(
    config: &Config,
    guard: Guard,
    stop: impl Future<Output = ()>,
) -> Result<(), ServerInitializeError> {
    let mcp = Mcp::new(guard.clone(), config);
    let running = match mcp.serve(rmcp::transport::stdio()).await {
        Ok(running) => running,
        // A client that leaves before it says hello is no fault.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    let end = running.cancellation_token();
    tokio::select! {
        _ = running.waiting() => {}
        () = stop => end.cancel(),
    }
    guard.drain().await;
    Ok(())
}
