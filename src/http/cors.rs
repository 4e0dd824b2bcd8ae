//! CORS: lets the pages that the operator allows read responses. Browsers ask for that before they send anything but a simple request.

use http::{HeaderName, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::errors::REQUEST_ID;
use crate::config::Config;

/// Headers that a page may send, besides content type and authorization.
const REQUEST_HEADERS: [&str; 11] = [
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
    "mcp-session-id",
    "last-event-id",
    "traceparent",
    "idempotency-key",
    "x-confirmation",
    "x-mcp-readonly",
    "x-mcp-tools",
    "x-mcp-exclude-tools",
];

/// The layer for the allowed origins; none where there are none.
pub(super) fn layer(config: &Config) -> Option<CorsLayer> {
    let origins = config.allowed_origins.iter();
    let origins: Vec<_> = origins.filter_map(|origin| origin.parse().ok()).collect();
    if origins.is_empty() {
        return None;
    }
    let sent = REQUEST_HEADERS.into_iter().map(HeaderName::from_static);
    let sent = sent.chain([header::CONTENT_TYPE, header::AUTHORIZATION]);
    let session_id = HeaderName::from_static("mcp-session-id");
    let read = [
        session_id,
        header::WWW_AUTHENTICATE,
        header::RETRY_AFTER,
        REQUEST_ID,
    ];
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(sent.collect::<Vec<_>>())
        .expose_headers(read);
    Some(layer)
}
