//! MCP over stdin and stdout.

use std::error::Error;
use std::io;

use rmcp::ServiceExt as _;
use rmcp::service::ServerInitializeError;
use tokio::io::{AsyncRead, AsyncWrite};

use super::server::Server;
use crate::calls::Calls;
use crate::config::Config;

/// Bytes read from stdin that are not part of a complete message yet.
const STDIN_BUFFER: usize = 256 << 10;

/// Serves MCP over stdin and stdout until stdin ends or `stop` is ready; calls in flight are answered first.
pub async fn serve(
    config: &Config,
    calls: Calls,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Box<dyn Error>> {
    let (mut stdin, stdout) = pipes()?;
    let server = Server::new(calls.clone(), config);
    // Being asked to stop is handled like the end of stdin: what was read before it is still answered.
    let (mut unread, requests) = tokio::io::duplex(STDIN_BUFFER);
    tokio::spawn(async move {
        tokio::select! {
            _ = tokio::io::copy(&mut stdin, &mut unread) => {}
            () = stop => {}
        }
    });
    let running = match Box::pin(server.serve((requests, stdout))).await {
        Ok(running) => running,
        // A client that leaves before the handshake is no fault.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // It ends with stdin; an error of its task would be a fault that it has logged itself.
    let _ = running.waiting().await;
    calls.drain().await;
    Ok(())
}

/// The two ends of the client's pipes.
type Pipes = (
    Box<dyn AsyncRead + Send + Unpin>,
    Box<dyn AsyncWrite + Send + Unpin>,
);

/// The process's stdin and stdout, taken for MCP alone: what is started from here on, such as a browser in a terminal, finds nothing there.
#[cfg(unix)]
fn pipes() -> io::Result<Pipes> {
    use std::fs::File;
    use std::os::fd::AsFd as _;
    let stdin = io::stdin().as_fd().try_clone_to_owned()?;
    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    let nothing = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stdout(&nothing)?;
    let [stdin, stdout] = [stdin, stdout].map(|pipe| tokio::fs::File::from_std(pipe.into()));
    Ok((Box::new(stdin), Box::new(stdout)))
}

/// Elsewhere a program that is started inherits no pipe by itself.
#[cfg(not(unix))]
fn pipes() -> io::Result<Pipes> {
    Ok((Box::new(tokio::io::stdin()), Box::new(tokio::io::stdout())))
}
