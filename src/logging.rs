//! Logs: on stderr, for stdout belongs to the stdio transport.

use std::io::IsTerminal as _;

use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::{Config, ConfigError, LogFormat};

/// Starts logging as the settings say.
///
/// rmcp writes whole arguments and results at `debug` and `trace`, passwords and signed links among them, so those two are never let through.
/// What it says at `info` is little use either; it is held at `warn` unless the filter names it.
pub fn start(config: &Config) -> Result<(), ConfigError> {
    let wanted = config.log_filter.as_deref().unwrap_or("info");
    let filter = if wanted.contains("rmcp") {
        wanted.to_owned()
    } else {
        format!("{wanted},rmcp=warn")
    };
    let filter = EnvFilter::try_new(&filter)
        .map_err(|error| ConfigError(format!("`RUST_LOG` is not a log filter: {error}")))?;
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let lines = match config.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let quiet = filter_fn(|event| {
        let of_rmcp = event.target().split("::").next() == Some("rmcp");
        !of_rmcp || *event.level() <= Level::INFO
    });
    tracing_subscriber::registry()
        .with(lines.with_filter(filter).with_filter(quiet))
        .try_init()
        .map_err(|error| ConfigError(format!("logging can't be started: {error}")))
}
