//! A stateful 7digital in memory, on loopback, that checks signatures: for trying and for tests.
//!
//! Nothing here talks to 7digital, and nothing outlives the [`Sandbox`].

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::{fmt, io};

use chrono::Utc;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::world::World;

mod call;
mod card_page;
mod document;
mod faults;
mod login_page;
mod oauth;
mod operations;
mod pages;
mod request;
mod server;
mod state;
mod tokens;
mod world;

pub mod demo;

#[cfg(test)]
mod tests;

pub use faults::Fault;
pub use oauth::Signature;
pub use state::Sale;

/// A running sandbox; it ends when dropped.
pub struct Sandbox {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    task: AbortHandle,
}

/// One request that arrived, and what became of it.
///
/// What browsers send to the sandbox's own web pages is recorded without form and body,
/// and a body that is too long or breaks off is not recorded at all.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The HTTP method.
    pub method: String,
    /// The request target exactly as sent.
    pub target: String,
    /// The path of the target, still encoded.
    pub path: String,
    /// The query, decoded, in the order it came.
    pub query: Vec<(String, String)>,
    /// The form fields of the body, decoded, in the order they came.
    pub form: Vec<(String, String)>,
    /// The body as sent.
    pub body: String,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The operation as the capability spec names it, such as `getUserLocker`; for the OAuth
    /// endpoints `requestToken`, `authoriseRequestToken` and `accessToken`.
    pub operation: Option<&'static str>,
    /// What the check of the signature gave.
    pub signature: Signature,
    /// The HTTP status of the answer; 0 where a fault kept the answer back.
    pub status: u16,
}

impl Sandbox {
    /// Starts a sandbox on a free port of 127.0.0.1.
    pub async fn start() -> io::Result<Self> {
        Self::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts a sandbox at that address, which must be a loopback address.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            let message = format!("the sandbox listens on loopback alone, not on `{address}`");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let world = Arc::new(Mutex::new(World::new(
            format!("http://{address}"),
            Utc::now(),
        )));
        let task = tokio::spawn(server::serve(listener, Arc::clone(&world))).abort_handle();
        Ok(Self {
            address,
            world,
            task,
        })
    }

    /// Where the sandbox listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base of every operation: `http://127.0.0.1:PORT/1.2`.
    pub fn base_uri(&self) -> String {
        format!("http://{}/1.2", self.address)
    }

    /// Every request that arrived, in order (the first hundred thousand are kept).
    pub fn arrivals(&self) -> Vec<Arrival> {
        server::lock(&self.world).arrivals.clone()
    }

    /// Every sale that was made, in order.
    pub fn sales(&self) -> Vec<Sale> {
        server::lock(&self.world).state.sales.clone()
    }

    /// Makes the next calls of an operation suffer a fault, after those scripted before.
    pub fn script(&self, operation: &str, fault: Fault, times: usize) {
        server::lock(&self.world)
            .script
            .add(operation, fault, times);
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Sandbox");
        debug
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Arrival {
    /// A parameter from the query or the form, by its exact name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self
            .query
            .iter()
            .chain(&self.form)
            .find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Every `oauth_` parameter of header, query and form, in that order, duplicates included.
    pub fn oauth(&self) -> Vec<(String, String)> {
        oauth::oauth_parameters(&self.headers, &self.query, &self.form)
    }
}
