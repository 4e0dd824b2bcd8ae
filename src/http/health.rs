//! Whether the process lives, and whether it accepts calls. Neither asks 7digital anything.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use http::header::CONNECTION;
use http::request::Parts;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::errors::Check;
use crate::problem::{Kind, Problem};

/// The path that says whether the process lives.
pub const LIVENESS: &str = "/healthz";
const READINESS: &str = "/readyz";

/// The paths that probes ask.
pub(super) const PROBES: [&str; 2] = [LIVENESS, READINESS];

/// `/healthz` and `/readyz`; the latter says 503 once `shutting_down`.
pub(super) fn router(shutting_down: CancellationToken) -> Router {
    let ready = async move || {
        if shutting_down.is_cancelled() {
            (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
        } else {
            (StatusCode::OK, "ready\n")
        }
    };
    Router::new()
        .route(LIVENESS, get(async || ALIVE))
        .route(READINESS, get(ready))
}

/// What `/healthz` says.
const ALIVE: &str = "alive\n";
/// How long another process may take to say that it lives.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether a server of this kind lives at an address of this machine.
pub async fn answers_at(address: SocketAddr) -> bool {
    let asked = tokio::time::timeout(PATIENCE, ask(reachable(address))).await;
    asked.is_ok_and(|answer| {
        answer.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200") && answer.ends_with(ALIVE))
    })
}

async fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request =
        format!("GET {LIVENESS} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(4_096).read_to_string(&mut answer).await?;
    Ok(answer)
}

/// What listens on all addresses is reached by the one of this machine.
pub fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// Rejects new calls once the token is cancelled, as the server is asked to stop, so that those in flight end.
#[derive(Debug, Clone)]
pub(super) struct AcceptCalls(pub(super) CancellationToken);

impl Check for AcceptCalls {
    async fn check(&self, request: &mut Parts) -> Result<(), Problem> {
        let about_health = PROBES.contains(&request.uri.path());
        if about_health || !self.0.is_cancelled() {
            return Ok(());
        }
        let why = "this server is shutting down; call again once it has been started anew";
        Err(Problem::rejected(Kind::ShuttingDown, why)
            .header(CONNECTION, "close")
            .after(Duration::from_secs(1)))
    }
}
