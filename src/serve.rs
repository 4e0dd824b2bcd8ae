//! The server as a whole: what it listens on, what it serves there, and how it ends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use http::{HeaderName, HeaderValue, Method, header};
use rmcp::ServiceExt as _;
use rmcp::service::ServerInitializeError;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::calls::admission::Load;
use crate::calls::call::Guard;
use crate::config::{Config, ConfigError};
use crate::http::body::Bounds;
use crate::http::cross_origin::{self, Front};
use crate::http::errors::{self, REQUEST_ID, Refused, Words};
use crate::http::health;
use crate::http::listener::{LAST_WORDS, Listener};
use crate::identity::{self, Door};
use crate::mcp::server::Mcp;
use crate::mcp::sessions::Sessions;
use crate::mcp::validation::{self, Gate};
use crate::problem::Kind;
use crate::rest::routes as rest;

/// Bytes read from stdin that no message was made of yet.
const STDIN_BUFFER: usize = 256 << 10;

/// MCP over HTTP, and REST where the settings say so, bound to their addresses and not yet serving.
#[derive(Debug)]
pub struct App {
    mcp: (Listener, Router),
    rest: Option<(Listener, Router)>,
    guard: Guard,
    /// From then on no call is taken.
    stopping: CancellationToken,
    /// Ends open streams, sessions and connections, once calls have been answered.
    end: CancellationToken,
}

impl App {
    /// Binds the addresses that the settings name.
    pub fn bind(config: &Config, guard: Guard) -> Result<Self, ConfigError> {
        let (stopping, end) = (CancellationToken::new(), CancellationToken::new());
        let door = Door::new(config)?;
        let load = Load::new(&config.limits);
        let bounds = Bounds::of(&config.limits);
        let front = Front::new(config);
        let around = |router, words| around(router, config, &front, &stopping, words);
        let listener = Listener::bind("bind", config.bind, &config.limits)?;
        let router = mcp(config, &guard, &door, &load, bounds.clone(), end.clone());
        let mcp = (listener, around(router, Refused::as_message));
        let rest = match config.rest_bind {
            None => None,
            Some(address) => {
                let listener = Listener::bind("rest_bind", address, &config.limits)?;
                let router = rest::router(config, &guard, &door, &load, &bounds);
                Some((listener, around(router, Refused::as_problem)))
            }
        };
        Ok(Self {
            mcp,
            rest,
            guard,
            stopping,
            end,
        })
    }

    /// The address that was bound for MCP.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.mcp.0.address()
    }

    /// The address that was bound for REST, where it is served.
    pub fn rest_address(&self) -> io::Result<Option<SocketAddr>> {
        let rest = self.rest.as_ref();
        rest.map(|(listener, _)| listener.address()).transpose()
    }

    /// Serves until `stop` is ready; then takes no call more, answers what is under way, and returns.
    ///
    /// While calls are being answered the addresses stay bound: whoever calls is told that the server is stopping, and `/readyz` says so.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let (mut serving, mut unanswered) = (JoinSet::new(), Vec::new());
        for (listener, router) in [Some(self.mcp), self.rest].into_iter().flatten() {
            unanswered.push(listener.unanswered());
            serving.spawn(listener.serve(router, self.end.clone()));
        }
        stop.await;
        self.stopping.cancel();
        tracing::info!("stopping; calls under way are answered first");
        self.guard.drain().await;
        let answered = async {
            for unanswered in unanswered {
                unanswered.close();
                unanswered.wait().await;
            }
        };
        // A client that never takes its answer is not waited for.
        let _ = tokio::time::timeout(LAST_WORDS, answered).await;
        self.end.cancel();
        while let Some(served) = serving.join_next().await {
            served?;
        }
        Ok(())
    }
}

/// What stands before everything that is served over HTTP, outermost last.
fn around(
    router: Router,
    config: &Config,
    front: &Front,
    stopping: &CancellationToken,
    words: Words,
) -> Router {
    let router = router
        .merge(health::router(stopping.clone()))
        .layer(from_fn_with_state(
            stopping.clone(),
            health::none_while_stopping,
        ));
    cors(router, config)
        .layer(from_fn_with_state(
            front.clone(),
            cross_origin::no_foreign_page,
        ))
        .layer(from_fn_with_state(words, errors::tell))
        .layer(map_response(async |response: Response| (PRIVATE, response)))
}

/// No cache keeps an answer, and no other page reads one.
const PRIVATE: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// Lets the pages that the operator allows read answers. Browsers ask for that before they send anything but a simple request.
fn cors(router: Router, config: &Config) -> Router {
    let origins = config.allowed_origins.iter();
    let origins: Vec<_> = origins.filter_map(|origin| origin.parse().ok()).collect();
    if origins.is_empty() {
        return router;
    }
    let sent = [
        "mcp-protocol-version",
        "mcp-method",
        "mcp-name",
        "mcp-session-id",
        "last-event-id",
        "traceparent",
        "idempotency-key",
        "x-confirmation",
        "x-mcp-readonly",
        "x-mcp-tools",
        "x-mcp-exclude-tools",
    ];
    let sent = sent.into_iter().map(HeaderName::from_static);
    let read = [
        HeaderName::from_static("mcp-session-id"),
        header::WWW_AUTHENTICATE,
        header::RETRY_AFTER,
        REQUEST_ID,
    ];
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(
            sent.chain([header::CONTENT_TYPE, header::AUTHORIZATION])
                .collect::<Vec<_>>(),
        )
        .expose_headers(read);
    router.layer(cors)
}

fn mcp(
    config: &Config,
    guard: &Guard,
    door: &Door,
    load: &Load,
    bounds: Bounds,
    end: CancellationToken,
) -> Router {
    let mcp = Mcp::new(guard.clone(), config);
    let sessions = Arc::new(Sessions::new(&config.limits));
    let gate = Gate {
        guard: guard.clone(),
        door: door.clone(),
        load: load.clone(),
        sessions: Arc::clone(&sessions),
        bounds,
    };
    let transport = StreamableHttpServerConfig::default()
        .with_json_response(true)
        // `front` has looked at Host and Origin before.
        .disable_allowed_hosts()
        .with_max_request_body_bytes(config.limits.body_bytes.count())
        .with_cancellation_token(end);
    let service = StreamableHttpService::new(move || Ok(mcp.clone()), sessions, transport);
    let router = Router::new()
        .route_service("/mcp", service)
        .layer(from_fn_with_state(gate, validation::pass))
        .layer(from_fn_with_state(door.clone(), identity::enter))
        .fallback(async || {
            let detail = "There is nothing at this path; MCP is served at `/mcp`.";
            Refused::saying(Kind::NoSuchPath, detail)
        });
    match door.resource() {
        Some(resource) => router.merge(resource.router()),
        None => router,
    }
}

/// Serves MCP over stdin and stdout until stdin ends or `stop` is ready; calls under way are answered first.
pub async fn serve_stdio(
    config: &Config,
    guard: Guard,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServerInitializeError> {
    let mcp = Mcp::new(guard.clone(), config);
    // To be asked to stop is to see the end of stdin: what was read before it is still answered.
    let (mut unread, requests) = tokio::io::duplex(STDIN_BUFFER);
    tokio::spawn(async move {
        let mut stdin = tokio::io::stdin();
        tokio::select! {
            _ = tokio::io::copy(&mut stdin, &mut unread) => {}
            () = stop => {}
        }
    });
    let running = match Box::pin(mcp.serve((requests, tokio::io::stdout()))).await {
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
