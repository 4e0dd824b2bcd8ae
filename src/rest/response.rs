//! Outcomes and refusals as REST has them, and the headers of its own.

use axum::response::{IntoResponse as _, Response};
use chrono::DateTime;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::Value;

use crate::calls::{Completed, Question};
use crate::problem::{Kind, Problem, REPLAYED};

/// Idempotency key of a purchase.
pub(super) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// Confirmation token.
pub(super) const CONFIRMATION: &str = "X-Confirmation";
/// Whether only to show what would be sent.
pub(super) const DRY_RUN: &str = "X-Dry-Run";
/// When a document from the ledger was sent first.
const FIRST_MADE: HeaderName = HeaderName::from_static("x-first-made-at");

/// The document, byte for byte what MCP gives, and in headers what is known around it.
pub(super) fn completed(completed: Completed) -> Response {
    let Completed {
        reply, replayed, ..
    } = completed;
    let mut headers = HeaderMap::new();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    if let Some(quota) = reply.answer.rate_limit {
        headers.insert("x-ratelimit-limit", quota.limit.into());
        headers.insert("x-ratelimit-current", quota.current.into());
        headers.insert("x-ratelimit-reset", quota.reset.into());
    }
    if let Some(first) = replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        let first = DateTime::from_timestamp_millis(first).map(|first| first.to_rfc3339());
        if let Some(first) = first.and_then(|first| first.parse().ok()) {
            headers.insert(FIRST_MADE, first);
        }
    }
    (headers, reply.answer.document.to_string()).into_response()
}

/// What a call would do.
pub(super) fn dry_run(shown: &Value) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, shown.to_string()).into_response()
}

/// The question goes to the caller, and the confirmation comes back with the same call.
pub(super) fn confirmation_required(question: Question) -> Problem {
    let seconds = question.ttl.as_secs();
    let what = format!(
        "Nothing was sent. Show `message` to the user; if they agree, make the same call again within {seconds} seconds with the header `{CONFIRMATION}` set to `confirmation`, which is good for one call."
    );
    Problem::new(Kind::ConfirmationRequired, what, "")
        .field("message", question.message)
        .field("confirmation", question.confirmation_token)
        .field("outcome", "not_sent")
        .field("mayHaveCharged", false)
        .field("repeat", "after_change")
}

pub(super) fn no_such_path() -> Problem {
    let what = "There is nothing at this path; `/openapi.json` lists what there is.";
    Problem::new(Kind::NoSuchPath, what, "")
}

pub(super) fn no_such_method(allowed: &str) -> Problem {
    let what = format!("This path takes {allowed}; nothing was done.");
    Problem::new(Kind::NoSuchMethod, what, "").header(header::ALLOW, allowed)
}
