//! What a server that was started for the first time says to the person who started it.

use std::net::SocketAddr;

use sevendigital_sandbox::demo;

use super::terminal;
use crate::config::{Config, LogFormat, UserFolders};
use crate::connect::{CLIENTS, ours};

/// Says how to go on, unless a client is connected already. Where others than this machine's user are served, or a program reads the log as JSON, nothing is said.
pub fn tell(config: &Config, rest: Option<SocketAddr>) {
    let is_own = config.bind.ip().is_loopback();
    if !is_own || config.log_format == LogFormat::Json || is_connected() {
        return;
    }
    let sandbox = if config.sandbox { " --sandbox" } else { "" };
    terminal::note(format!(
        "connect a client with `sevendigital-mcp config CLIENT --write{sandbox}`; `config --all` lists the clients"
    ));
    if config.sandbox {
        let (release, basket) = (demo::RELEASE_ID, demo::BASKET_ID);
        terminal::note(format!(
            "then ask it to buy release {release} or basket {basket}, which costs nothing here"
        ));
    }
    if let Some(address) = rest {
        terminal::note(format!("try the REST routes at http://{address}/docs"));
    }
}

/// Whether a client on this machine has an entry of this server.
fn is_connected() -> bool {
    let Some(folders) = UserFolders::of_process() else {
        return false;
    };
    let mut clients = CLIENTS.iter();
    clients.any(|client| ours(client, &folders).is_some_and(|ours| !ours.is_empty()))
}
