//! What an operator sees: logs, metrics, traces and request ids.

pub mod logging;
pub mod metrics;
#[cfg(feature = "otlp")]
pub mod otlp;
pub mod request_id;
pub mod trace_context;

use tracing::Span;

use self::trace_context::TraceContext;

/// Puts a span into the caller's trace, and records both ids in its fields. Without a caller's span there is a trace only where traces are exported.
pub fn enter(span: &Span, caller: Option<&TraceContext>) -> Option<TraceContext> {
    #[cfg(feature = "otlp")]
    let exported = otlp::enter(span, caller);
    #[cfg(not(feature = "otlp"))]
    let exported: Option<TraceContext> = None;
    let own = exported.or_else(|| caller.map(TraceContext::child))?;
    span.record("trace_id", own.trace.as_str());
    span.record("span_id", own.span.as_str());
    Some(own)
}
