//! Outcomes and problems as MCP has them.

use axum::response::Response;
use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ContentBlock, ErrorCode, MetaObject};
use serde_json::{Value, json};

use crate::calls::Completed;
use crate::http::errors;
use crate::problem::{Kind, Problem};
use crate::telemetry::request_id::RequestId;

/// A document, twice as the protocol wants it, and what is known around it.
pub(super) fn completed(completed: Completed, meta: Option<MetaObject>) -> CallToolResult {
    let Completed {
        reply, replayed, ..
    } = completed;
    let mut meta = meta.unwrap_or_default();
    if let Some(limit) = reply.answer.rate_limit {
        meta.insert("rateLimit".to_owned(), json!(limit));
    }
    if let Some(first) = replayed {
        let first = chrono::DateTime::from_timestamp_millis(first).map(|first| first.to_rfc3339());
        meta.insert("replayed".to_owned(), json!(true));
        meta.insert("firstMadeAt".to_owned(), json!(first));
    }
    let document = reply.answer.document;
    // By hand what `CallToolResult::structured` does by `Display`, which costs twice as much.
    let text = serde_json::to_string(&document).unwrap_or_else(|_| document.to_string());
    let texts = std::iter::once(text).chain(reply.notes);
    let mut result = CallToolResult::success(texts.map(ContentBlock::text).collect());
    result.structured_content = Some(document);
    result.with_meta((!meta.is_empty()).then_some(meta))
}

/// A call that failed: a result that the model reads. Only an overloaded server answers with an error of the protocol, which says when to call again.
pub(super) fn failed(
    problem: &Problem,
    request: &RequestId,
    meta: Option<MetaObject>,
) -> Result<CallToolResult, ErrorData> {
    if problem.kind == Kind::Overloaded {
        return Err(error_data(problem, request));
    }
    let text = format!("{} Request id: {request}.", problem.detail());
    Ok(CallToolResult::error(vec![ContentBlock::text(text)]).with_meta(meta))
}

/// A problem as an error of JSON-RPC.
pub(super) fn error_data(problem: &Problem, request: &RequestId) -> ErrorData {
    let code = i32::try_from(problem.kind.spec().rpc_code).unwrap_or(ErrorCode::INTERNAL_ERROR.0);
    let data = match problem.retry_after {
        Some(wait) => json!({"requestId": request.as_str(), "retryAfter": wait.as_secs()}),
        None => request_data(request),
    };
    ErrorData::new(ErrorCode(code), problem.detail(), Some(data))
}

/// The data of an error: the id of the request that failed.
pub(super) fn request_data(request: &RequestId) -> Value {
    json!({"requestId": request.as_str()})
}

/// A problem of a request that is no message, or that is rejected before its message is read: the renderer of this surface.
pub fn rejected(problem: &Problem, request: &RequestId) -> Response {
    rejected_message(problem, request, &Value::Null)
}

/// A problem as the message that answers the one with that id.
pub(super) fn error(problem: &Problem, request: &RequestId, id: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": error_data(problem, request)})
}

/// A problem as the response to the message with that id.
pub(super) fn rejected_message(problem: &Problem, request: &RequestId, id: &Value) -> Response {
    errors::response(problem, "application/json", &error(problem, request, id))
}
