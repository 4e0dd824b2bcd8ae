//! Headers of REST's own.

use http::HeaderName;

/// Idempotency key of a purchase.
pub(super) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// Confirmation token.
pub(super) const CONFIRMATION: &str = "X-Confirmation";
/// Set on a document from the ledger, and on a refusal that it remembers.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// When a document from the ledger was sent first.
pub(super) const FIRST_MADE: HeaderName = HeaderName::from_static("x-first-made-at");
