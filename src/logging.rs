//! Logs: on stderr, for stdout belongs to the stdio transport.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Config, ConfigError, LogFormat};

/// Starts logging as the settings say.
///
/// rmcp writes whole arguments at `debug`, passwords among them, so it is held at `warn` unless the filter names it.
pub fn start(config: &Config) -> Result<(), ConfigError> {
    let wanted = config.log_filter.as_deref().unwrap_or("info");
    let filter = if wanted.contains("rmcp") {
        wanted.to_owned()
    } else {
        format!("{wanted},rmcp=warn")
    };
    let filter = EnvFilter::try_new(&filter)
        .map_err(|error| ConfigError(format!("`RUST_LOG` is not a log filter: {error}")))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match config.log_format {
        LogFormat::Text => builder.finish().try_init(),
        LogFormat::Json => builder.json().finish().try_init(),
    };
    started.map_err(|error| ConfigError(format!("logging can't be started: {error}")))
}
