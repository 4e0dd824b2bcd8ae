//! The messages of clients, as bytes into which a number is put.

use serde_json::{Value, json};

/// The era without a handshake.
pub(crate) const MODERN: &str = "2026-07-28";
/// The last one with one.
pub(crate) const LEGACY: &str = "2025-11-25";

/// Digits of a serial number, and what stands in its place in a template.
pub(crate) const DIGITS: usize = 12;
const PLACE: &str = "@@@@@@@@@@@@";

/// An era of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    Modern,
    Legacy,
}

/// A message, or a request with one, that says its serial number in some places.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Template {
    fn new(text: &str) -> Self {
        let places = text.match_indices(PLACE).map(|(place, _)| place).collect();
        let bytes = text.as_bytes().to_vec();
        Self { bytes, places }
    }

    /// The bytes with this number.
    pub(crate) fn with(&mut self, serial: &str) -> &[u8] {
        for place in &self.places {
            if let Some(part) = self.bytes.get_mut(*place..*place + DIGITS) {
                part.copy_from_slice(serial.as_bytes());
            }
        }
        &self.bytes
    }
}

/// A serial number as it stands in messages.
pub(crate) fn digits(serial: u64) -> String {
    format!("{serial:0DIGITS$}")
}

/// The id of the request with this number: a text, so that it is found in an answer as no other thing.
pub(crate) fn id(serial: &str) -> String {
    format!("\"n{serial}\"")
}

/// The read.
pub(crate) fn read(era: Era) -> String {
    call(era, "get-user-locker", &json!({"page": 1}))
}

/// A purchase of a release that nobody has bought before.
pub(crate) fn purchase(era: Era) -> String {
    let release = format!("1{PLACE}");
    call(era, "purchase-user-item", &json!({"releaseId": release}))
}

fn call(era: Era, tool: &str, arguments: &Value) -> String {
    let params = match era {
        Era::Modern => {
            let meta = json!({
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": {"name": "load", "version": "1"},
            });
            json!({"name": tool, "arguments": arguments, "_meta": meta})
        }
        Era::Legacy => json!({"name": tool, "arguments": arguments}),
    };
    let id = format!("n{PLACE}");
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}).to_string()
}

/// The message that opens a session.
pub(crate) fn hello() -> String {
    let client = json!({"name": "load", "version": "1"});
    let params = json!({"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": client});
    json!({"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": params}).to_string()
}

/// The one after it.
pub(crate) fn initialized() -> String {
    json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string()
}

/// A message on a line.
pub(crate) fn line(message: &str) -> Template {
    Template::new(&format!("{message}\n"))
}

/// A message in a request.
pub(crate) fn post(address: &str, headers: &str, message: &str) -> Template {
    let length = message.len();
    Template::new(&format!(
        "POST /mcp HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: {length}\r\n{headers}\r\n{message}"
    ))
}

/// What the upstream itself is asked for the locker.
pub(crate) fn straight(address: &str) -> Template {
    Template::new(&format!(
        "GET /1.2/user/locker?page=1 HTTP/1.1\r\nHost: {address}\r\n\r\n"
    ))
}

/// The header lines of a call in the era without a handshake.
pub(crate) fn modern_headers(tool: &str) -> String {
    format!("MCP-Protocol-Version: {MODERN}\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n")
}

/// The header lines of a session.
pub(crate) fn session_headers(session: &str) -> String {
    format!("MCP-Protocol-Version: {LEGACY}\r\nMcp-Session-Id: {session}\r\n")
}
