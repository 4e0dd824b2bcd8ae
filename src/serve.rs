//! The server as a whole: assembles what it serves, binds its addresses, and drains when it is asked to stop.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::calls::Calls;
use crate::config::{Config, ConfigError};
use crate::http::answers::AnswerRoom;
use crate::http::body::BodyReader;
use crate::http::errors::problem_json;
use crate::http::listener::{Listener, SHUTDOWN_GRACE};
use crate::http::stack;
use crate::identity::Authenticator;
use crate::{mcp, rest};

/// MCP over HTTP, and REST where the settings say so, bound to their addresses and not yet serving.
#[derive(Debug)]
pub struct App {
    mcp: (Listener, Router),
    rest: Option<(Listener, Router)>,
    calls: Calls,
    /// Once cancelled, no call is accepted.
    shutting_down: CancellationToken,
    /// Ends open streams, sessions and connections, once calls have been answered.
    end: CancellationToken,
}

impl App {
    /// Binds the addresses that the settings name.
    pub fn bind(config: &Config, calls: Calls) -> Result<Self, ConfigError> {
        let (shutting_down, end) = (CancellationToken::new(), CancellationToken::new());
        let authenticator = Authenticator::new(config)?;
        let body = BodyReader::new(&config.limits);
        let around = |router, render| stack::around(router, config, &shutting_down, render);
        let room = AnswerRoom::new(&config.limits);
        let bind = |key, address| Listener::bind(key, address, &config.limits, room.clone());

        let listener = bind("bind", config.bind)?;
        let router = mcp::router::router(config, &calls, &authenticator, body.clone(), end.clone());
        let mcp = (listener, around(router, mcp::router::render));
        let rest = config.rest_bind.map(|address| {
            let router = rest::routes::router(config, &calls, &authenticator, &body);
            Ok((bind("rest_bind", address)?, around(router, problem_json)))
        });
        Ok(Self {
            mcp,
            rest: rest.transpose()?,
            calls,
            shutting_down,
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

    /// Serves until `stop` is ready; then accepts no more calls, answers those in flight, and returns.
    ///
    /// Meanwhile the addresses stay bound: new requests are answered with 503, and so is `/readyz`.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let (mut serving, in_flight) = (JoinSet::new(), TaskTracker::new());
        for (listener, router) in [Some(self.mcp), self.rest].into_iter().flatten() {
            serving.spawn(listener.serve(router, self.end.clone(), in_flight.clone()));
        }
        stop.await;
        self.shutting_down.cancel();
        tracing::info!("shutting down; calls in flight are answered first");
        self.calls.drain().await;
        in_flight.close();
        // A client that never reads its response is not waited for.
        let _ = tokio::time::timeout(SHUTDOWN_GRACE, in_flight.wait()).await;
        self.end.cancel();
        while let Some(served) = serving.join_next().await {
            served?;
        }
        Ok(())
    }
}
