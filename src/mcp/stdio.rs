//! MCP over stdin and stdout.

use rmcp::ServiceExt as _;
use rmcp::service::ServerInitializeError;

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
) -> Result<(), ServerInitializeError> {
    let server = Server::new(calls.clone(), config);
    // Being asked to stop is handled like the end of stdin: what was read before it is still answered.
    let (mut unread, requests) = tokio::io::duplex(STDIN_BUFFER);
    tokio::spawn(async move {
        let mut stdin = tokio::io::stdin();
        tokio::select! {
            _ = tokio::io::copy(&mut stdin, &mut unread) => {}
            () = stop => {}
        }
    });
    let running = match Box::pin(server.serve((requests, tokio::io::stdout()))).await {
        Ok(running) => running,
        // A client that leaves before the handshake is no fault.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    // It ends with stdin; an error of its task would be a fault that it has logged itself.
    let _ = running.waiting().await;
    calls.drain().await;
    Ok(())
}
