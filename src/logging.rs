//! Logs: on stderr, for stdout belongs to the stdio transport.

use std::io::IsTerminal as _;

use tracing::{Level, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{Config, ConfigError, LogFormat};

/// Starts logging as the settings say.
///
/// rmcp writes whole arguments and results at `debug` and `trace`, passwords and signed links among them, so those two are never let through.
/// What it says at `info` is little use either; it is held at `warn` unless the filter names it.
pub fn start(config: &Config) -> Result<Logging, ConfigError> {
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
    let (logging, traces) = traces(config)?;
    tracing_subscriber::registry()
        .with(lines.with_filter(filter).with_filter(quiet))
        .with(traces)
        .try_init()
        .map_err(|error| ConfigError(format!("logging can't be started: {error}")))?;
    Ok(logging)
}

/// Sends what is left of logs and traces when it is dropped.
#[derive(Debug, Default)]
pub struct Logging {
    #[cfg(feature = "otlp")]
    _exporter: Option<crate::trace::otlp::Exporter>,
}

type Traces<S> = Option<Box<dyn Layer<S> + Send + Sync>>;

/// The export of traces, where the settings want it and the program was built for it.
fn traces<S>(config: &Config) -> Result<(Logging, Traces<S>), ConfigError>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    #[cfg(feature = "otlp")]
    if let Some(endpoint) = &config.otlp_endpoint {
        let (exporter, layer) = crate::trace::otlp::start(endpoint)?;
        let logging = Logging {
            _exporter: Some(exporter),
        };
        return Ok((logging, Some(layer.boxed())));
    }
    match &config.otlp_endpoint {
        Some(_) if !cfg!(feature = "otlp") => Err(ConfigError("`otlp_endpoint` (`SEVENDIGITAL_MCP_OTLP_ENDPOINT`): this program was built without OTLP; build it with `--features otlp`, or leave it out".into())),
        _ => Ok((Logging::default(), None)),
    }
}
