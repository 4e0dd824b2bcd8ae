//! Logs: on stderr, for stdout belongs to the stdio transport.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt;
use std::panic::PanicHookInfo;

use sevendigital::text::is_invisible;
use tracing::field::display;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, JsonFields, Writer};
use tracing_subscriber::fmt::{self as lines, FmtContext};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{Config, ConfigError, LogFormat};

/// Starts logging as the settings say. Panics are logged too, from now on.
///
/// Whatever the filter says, of other crates no more is let through than warnings and errors.
/// rmcp writes whole arguments and results at `debug` and `trace`, passwords and signed links among them, and at `info` the ids of sessions and whole notifications.
/// What hyper, reqwest and rustls write may be harmless today and hold a signed address after the next update.
/// Of this program's own lines we know what they hold.
pub fn start(config: &Config) -> Result<Logging, ConfigError> {
    let filter = EnvFilter::try_new(config.log_filter.as_deref().unwrap_or("info"))
        .map_err(|error| ConfigError::new(format!("`RUST_LOG` is not a log filter: {error}")))?;
    // Without colours: a line that we coloured could not be distinguished from one that brought its own escapes.
    let layer = lines::layer().with_ansi(false).with_writer(std::io::stderr);
    let layer = match config.log_format {
        LogFormat::Text => layer
            .event_format(OneLine {
                format: lines::format().with_ansi(false),
                escape: |c| c.escape_default().to_string(),
            })
            .boxed(),
        LogFormat::Json => layer
            .fmt_fields(JsonFields::new())
            .event_format(OneLine {
                format: lines::format().json(),
                escape: in_json,
            })
            .boxed(),
    };
    let (logging, traces) = traces(config)?;
    tracing_subscriber::registry()
        .with(layer.with_filter(filter).with_filter(filter_fn(is_known)))
        .with(traces)
        .try_init()
        .map_err(|error| ConfigError::new(format!("logging can't be started: {error}")))?;
    std::panic::set_hook(Box::new(tell));
    Ok(logging)
}

/// Whether it is known that a line holds no secret. That the answer to a call which its client gave up is not sent is an error to rmcp, and to nobody else.
fn is_known(line: &Metadata<'_>) -> bool {
    if line.target() == "rmcp::service" && *line.level() == Level::ERROR {
        return false;
    }
    let name = line.target().split("::").next().unwrap_or_default();
    let ours = name.starts_with("sevendigital") || name == "audit";
    ours || *line.level() <= Level::WARN
}

/// Writes an event as one line in which nothing is hidden, whatever its fields hold: who chooses an id or a path must not write lines of his own,
/// nor move the cursor of a terminal that shows them.
struct OneLine<F> {
    format: F,
    escape: fn(char) -> String,
}

impl<S, N, F> FormatEvent<S, N> for OneLine<F>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.format
            .format_event(context, Writer::new(&mut line), event)?;
        for c in line.strip_suffix('\n').unwrap_or(&line).chars() {
            if c.is_control() || is_invisible(c) {
                writer.write_str(&(self.escape)(c))?;
            } else {
                writer.write_char(c)?;
            }
        }
        writeln!(writer)
    }
}

/// A character as JSON escapes it.
fn in_json(c: char) -> String {
    let mut units = [0; 2];
    let units = c.encode_utf16(&mut units).iter();
    units.fold(String::new(), |text, unit| format!("{text}\\u{unit:04x}"))
}

/// Logs a panic.
fn tell(panic: &PanicHookInfo<'_>) {
    let trace = Backtrace::capture();
    let trace = (trace.status() == BacktraceStatus::Captured).then(|| display(trace));
    tracing::error!(backtrace = trace, "{}", described(panic));
}

/// Where a panic was, and its words where they stand so in a program. Words that were put together then may hold what a client sent.
fn described(panic: &PanicHookInfo<'_>) -> String {
    let words = panic.payload().downcast_ref::<&str>();
    let words = words.map(|words| format!(": {words}")).unwrap_or_default();
    let place = panic.location().map(|place| format!(" at {place}"));
    format!("panicked{}{words}", place.unwrap_or_default())
}

/// Sends what is left of logs and traces when it is dropped.
#[derive(Debug, Default)]
pub struct Logging {
    #[cfg(feature = "otlp")]
    _exporter: Option<super::otlp::Exporter>,
}

type Traces<S> = Option<Box<dyn Layer<S> + Send + Sync>>;

/// The export of traces, where the settings want it and the program was built for it.
fn traces<S>(config: &Config) -> Result<(Logging, Traces<S>), ConfigError>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    #[cfg(feature = "otlp")]
    if let Some(endpoint) = &config.otlp_endpoint {
        let (exporter, layer) = super::otlp::start(endpoint)?;
        let logging = Logging {
            _exporter: Some(exporter),
        };
        return Ok((logging, Some(layer.boxed())));
    }
    match &config.otlp_endpoint {
        Some(_) if !cfg!(feature = "otlp") => Err(ConfigError::new(
            "`otlp_endpoint` (`SEVENDIGITAL_MCP_OTLP_ENDPOINT`): this program was built without OTLP; build it with `--features otlp`, or leave it out",
        )),
        _ => Ok((Logging::default(), None)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn of_a_panic_the_words_of_the_program_are_told_and_no_others() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            kept.lock().unwrap().push(described(panic));
        }));
        let secret = String::from("hunter2-é");
        let panics: [&(dyn Fn() + std::panic::RefUnwindSafe); 4] = [
            &|| panic!("plain words"),
            &|| panic!("words of {secret}"),
            &|| assert!(secret.parse::<u32>().map_err(|_| &secret).unwrap() > 0),
            &|| assert_eq!(&secret[..9], "in the middle of a letter"),
        ];
        let ends = panics.map(|panic| std::panic::catch_unwind(panic).is_err());
        std::panic::set_hook(before);
        assert_eq!(ends, [true; 4]);
        let heard = heard.lock().unwrap().clone();
        let words = heard.iter().map(|text| text.split_once(": "));
        let words: Vec<_> = words.map(|parts| parts.map(|(_, words)| words)).collect();
        assert_eq!(words, [Some("plain words"), None, None, None], "{heard:?}");
        let place = "panicked at src/telemetry/logging.rs:";
        assert!(heard[0].starts_with(place), "{heard:?}");
    }

    #[test]
    fn what_is_escaped_in_json_is_read_back() {
        for c in ['\u{85}', '\u{202e}', '\u{e0041}'] {
            let text: String = serde_json::from_str(&format!("\"{}\"", in_json(c))).unwrap();
            assert_eq!(text, c.to_string());
        }
    }
}
