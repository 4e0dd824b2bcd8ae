//! The command `health`: whether a server lives, for containers that have neither a shell nor an HTTP client.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use reqwest::StatusCode;
use url::Url;

use super::CommandResult;

/// Less than what probes of containers wait.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The server that listens at that address; what listens on all addresses is asked on this machine's own.
pub fn server_at(mut address: SocketAddr) -> Result<Url, url::ParseError> {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Url::parse(&format!("http://{address}"))
}

/// Asks that server's `/healthz`, and ends with 0 only where it answers 200.
pub async fn run(server: &Url) -> CommandResult {
    let address = server.join("/healthz")?;
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
    writeln!(io::stderr(), "error: {address} {failure}")?;
    Ok(ExitCode::FAILURE)
}
