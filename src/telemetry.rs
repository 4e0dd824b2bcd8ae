//! What an operator sees: logs, metrics, traces and request ids.

pub mod logging;
pub mod metrics;
#[cfg(feature = "otlp")]
pub mod otlp;
pub mod request_id;
pub mod trace;
pub mod trace_context;
