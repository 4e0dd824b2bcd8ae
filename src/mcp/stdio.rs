//! MCP over stdin and stdout.

use std::error::Error;
use std::io;

use rmcp::ServiceExt as _;
use rmcp::service::ServerInitializeError;
use tokio::io::{AsyncRead, BufReader};
use tokio_util::sync::CancellationToken;

use super::lines::{Stdout, lines};
use super::server::Server;
use crate::calls::Calls;
use crate::config::Config;

/// Serves MCP over stdin and stdout until stdin ends, nobody reads stdout, or `stop` is ready; calls in flight are answered first.
pub async fn serve(
    config: &Config,
    calls: Calls,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Box<dyn Error>> {
    let (stdin, stdout) = pipes()?;
    let server = Server::new(calls.clone(), config);
    let gone = CancellationToken::new();
    let (input, lines) = lines(&config.limits, stdout, gone.clone());
    let nobody = gone.clone();
    // Being asked to stop is handled like the end of stdin: what was read before it is still answered.
    tokio::spawn(async move {
        tokio::select! {
            () = input.read(BufReader::new(stdin)) => {}
            () = nobody.cancelled() => {}
            () = stop => {}
        }
    });
    let running = match Box::pin(server.serve_with_ct(lines, gone.clone())).await {
        Ok(running) => running,
        // A client that leaves before the handshake is no fault.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(_) if gone.is_cancelled() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // It ends with stdin; an error of its task would be a fault that it has logged itself.
    let _ = running.waiting().await;
    calls.drain().await;
    Ok(())
}

/// The two ends of the client's pipes.
type Pipes = (Box<dyn AsyncRead + Send + Unpin>, Stdout);

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
