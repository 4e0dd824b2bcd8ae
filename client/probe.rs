//! A look at the way to 7digital, step by step: name, TCP, TLS and HTTP. It carries no key and changes nothing.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Response;
use tokio::net::{TcpStream, lookup_host};

use crate::client::Client;
use crate::connection::{certificate_fault, not_answered};
use crate::error::{ConnectError, Error, Interruption};
use crate::headers;

/// What each step found. The first two go to the host itself; a proxy of the environment counts for the last alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The addresses that the host's name stands for, with the port.
    pub resolved: Result<Vec<SocketAddr>, ConnectError>,
    /// The address that accepted a TCP connection.
    pub connected: Result<SocketAddr, ConnectError>,
    /// What answered to an unsigned request, over TLS where the root is `https`.
    pub answered: Result<Answered, Error>,
    /// What is wrong with the certificate, where it is not trusted: such as `UnknownIssuer` or `Expired`.
    pub certificate_fault: Option<String>,
}

/// An answer, whatever its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// Seconds by which this machine's clock is ahead of the answer's `Date`, if it has one.
    pub clock_ahead: Option<i64>,
}

impl Client {
    /// Looks at the way to the API's root, within the connect timeout and the read deadline of [`Limits`](crate::Limits).
    pub async fn probe(&self) -> Probe {
        let timeout = self.limits.connect_timeout;
        let resolved = self.resolve(timeout).await;
        let connected = match &resolved {
            Ok(addresses) => connect(addresses, timeout).await,
            Err(reason) => Err(*reason),
        };
        let request = self.unpooled.get(self.base_uri.url().clone()).send();
        let sent = tokio::time::timeout(self.limits.read_deadline, request).await;
        let (answered, certificate_fault) = match sent {
            Ok(Ok(response)) => (Ok(answered(&response)), None),
            Ok(Err(error)) => (Err(not_answered(&error)), certificate_fault(&error)),
            Err(_) => {
                let late = Interruption::DeadlineExceeded;
                (Err(Error::Interrupted(late)), None)
            }
        };
        Probe {
            resolved,
            connected,
            answered,
            certificate_fault,
        }
    }

    async fn resolve(&self, timeout: Duration) -> Result<Vec<SocketAddr>, ConnectError> {
        let url = self.base_uri.url();
        let host = url.host_str().ok_or(ConnectError::Dns)?;
        // Brackets belong to the URL, not to the address.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = url.port_or_known_default().ok_or(ConnectError::Dns)?;
        let found = tokio::time::timeout(timeout, lookup_host((host, port))).await;
        let found = found.map_err(|_| ConnectError::Timeout)?;
        let addresses: Vec<SocketAddr> = found.map_err(|_| ConnectError::Dns)?.collect();
        Some(addresses)
            .filter(|addresses| !addresses.is_empty())
            .ok_or(ConnectError::Dns)
    }
}

/// The first of the addresses that accepts a connection, which is closed at once; else why the last one did not.
async fn connect(addresses: &[SocketAddr], timeout: Duration) -> Result<SocketAddr, ConnectError> {
    let mut failure = ConnectError::Failed;
    for address in addresses {
        failure = match tokio::time::timeout(timeout, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok(*address),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                ConnectError::Refused
            }
            Ok(Err(_)) => ConnectError::Failed,
            Err(_) => ConnectError::Timeout,
        };
    }
    Err(failure)
}

fn answered(response: &Response) -> Answered {
    Answered {
        status: response.status().as_u16(),
        clock_ahead: headers::clock_ahead(response.headers()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::{Upstream, http, once};

    #[tokio::test]
    async fn a_probe_says_how_far_it_came_and_how_the_clocks_differ() {
        let day = "Date: Wed, 21 Oct 2015 07:28:00 GMT\r\n";
        let upstream = Upstream::start(move |mut connection| async move {
            let request = connection.read_request().await?;
            assert!(!format!("{request:?}").contains("oauth_"), "{request:?}");
            connection.write(http(404, day, b"")).await
        })
        .await;
        let probe = upstream.client(once()).probe().await;
        assert_eq!(probe.connected.ok(), probe.resolved.unwrap().pop());
        let answered = probe.answered.unwrap();
        assert_eq!(answered.status, 404);
        assert!(answered.clock_ahead.unwrap() > 10 * 365 * 24 * 3_600);
    }

    #[tokio::test]
    async fn a_probe_of_nothing_says_so() {
        let port = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        #[rustfmt::skip]
        let rows = [
            (format!("http://127.0.0.1:{port}/1.2"), ConnectError::Refused),
            ("https://no-such-host.invalid/1.2".to_owned(), ConnectError::Dns),
        ];
        for (root, reason) in rows {
            let client = Client::builder(root.parse().unwrap()).build().unwrap();
            let probe = client.probe().await;
            assert_eq!(probe.connected, Err(reason), "{root}");
            assert_eq!(probe.answered, Err(Error::NotSent(reason)), "{root}");
            assert_eq!(probe.certificate_fault, None, "{root}");
        }
    }
}
