//! The command `health`: whether a server lives, for containers that have neither a shell nor an HTTP client.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use reqwest::StatusCode;
use url::Url;

use super::{CommandResult, terminal};
use crate::http::health::{LIVENESS, reachable};

/// Less than what probes of containers wait.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The server that listens at that address; what listens on all addresses is asked on this machine's own.
pub fn server_at(address: SocketAddr) -> Result<Url, url::ParseError> {
    Url::parse(&format!("http://{}", reachable(address)))
}

/// Asks that server's `/healthz`, and ends with 0 only where it answers 200.
pub async fn run(server: &Url) -> CommandResult {
    let address = server.join(LIVENESS)?;
    #[expect(
        clippy::disallowed_methods,
        reason = "it asks this server, not 7digital, and no proxy between them"
    )]
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()?;
    let failure = match client.get(address.clone()).send().await {
        Ok(answer) if answer.status() == StatusCode::OK => {
            writeln!(io::stdout(), "alive")?;
            return Ok(ExitCode::SUCCESS);
        }
        Ok(answer) => format!("answered {}", answer.status()),
        Err(error) if error.is_timeout() => format!("did not answer within {TIMEOUT:?}"),
        Err(_) => "did not answer".to_owned(),
    };
    terminal::error(format!("{address} {failure}"));
    Ok(ExitCode::FAILURE)
}
