//! What is known of the request that a call came with, and the span that its log lines stand in.

use tracing::{Span, field};

use crate::telemetry::request_id::RequestId;
use crate::telemetry::trace_context::TraceContext;

/// The request that a call came with, for logs, errors and traces.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    /// The id in logs and errors.
    pub id: RequestId,
    /// The caller's span, where the request names one.
    pub trace: Option<TraceContext>,
}

impl RequestContext {
    /// The span of a call. However little is logged, its failures hold the request's id.
    pub(super) fn span(&self, tool: &'static str, caller: &str) -> Span {
        tracing::error_span!(
            "call",
            tool.name = tool,
            caller,
            request_id = %self.id,
            trace_id = field::Empty,
            span_id = field::Empty,
        )
    }
}
