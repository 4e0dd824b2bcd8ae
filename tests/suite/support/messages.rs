//! The messages of clients.

use serde_json::{Value, json};

/// The era without a handshake.
pub(crate) const MODERN: &str = "2026-07-28";

/// A message with an id.
pub(crate) fn message(id: Value, method: &str, params: &Value) -> Value {
    let mut message = json!({"jsonrpc": "2.0", "method": method, "params": params});
    message["id"] = id;
    message
}

/// The parameters that open a session.
pub(crate) fn hello(version: &str) -> Value {
    json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "suite", "version": "1"}})
}

/// What a request of the newest era has in its `_meta`.
pub(crate) fn meta(capabilities: &Value) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": capabilities,
        "io.modelcontextprotocol/clientInfo": {"name": "suite", "version": "1"},
    })
}

/// What a client sends whose user says yes.
pub(crate) fn yes() -> Value {
    json!({"confirm": {"action": "accept", "content": {"confirm": true}}})
}
