//! A stateful stand-in for 7digital's user API, in memory and on loopback, that checks signatures.
//!
//! It is for trying things out and for tests. Nothing here connects to 7digital, and no state outlives the [`Sandbox`].

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;
use std::{fmt, io};

use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::world::World;

mod arrival;
mod call;
mod card_page;
mod document;
mod faults;
mod login_page;
mod oauth;
mod operations;
mod pages;
mod prices;
mod refusal;
mod request;
mod route;
mod seed;
mod server;
mod state;
mod token_endpoints;
mod tokens;
mod world;

pub mod demo;

#[cfg(test)]
mod tests;

pub use arrival::Arrival;
pub use faults::Fault;
pub use oauth::Signature;
pub use prices::Price;
pub use state::Sale;

/// A running sandbox; it ends when dropped.
pub struct Sandbox {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    task: AbortHandle,
}

impl Sandbox {
    /// Starts a sandbox on a free port of 127.0.0.1.
    pub async fn start() -> io::Result<Self> {
        Self::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts a sandbox at that address, which must be a loopback address.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            let message = format!("the sandbox listens on loopback only, not on `{address}`");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let world = World::new(format!("http://{address}"), SystemTime::now().into());
        let world = Arc::new(Mutex::new(world));
        let task = tokio::spawn(server::serve(listener, Arc::clone(&world))).abort_handle();
        Ok(Self {
            address,
            world,
            task,
        })
    }

    /// The address that the sandbox listens at.
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

    /// Every sale, in order.
    pub fn sales(&self) -> Vec<Sale> {
        server::lock(&self.world).state.sales.clone()
    }

    /// Sets what a release or a track costs from now on, in every country.
    pub fn set_price(&self, id: u64, price: Price) {
        server::lock(&self.world).state.prices.insert(id, price);
    }

    /// Makes the next calls of an operation fail in that way, after the faults scripted before.
    pub fn script(&self, operation: &str, fault: Fault, times: usize) {
        let mut world = server::lock(&self.world);
        world.script.add(operation, fault, times);
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Sandbox");
        debug.field("address", &self.address);
        debug.finish_non_exhaustive()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}
