//! The variables that Kubernetes puts into every pod for each Service of the namespace, and Docker for each link.
//!
//! A Service `sevendigital-mcp` gives `SEVENDIGITAL_MCP_SERVICE_HOST`, `SEVENDIGITAL_MCP_PORT_9090_TCP_ADDR` and so on, which begin as our own names do.

use std::net::IpAddr;

/// The prefix of our own variables, as that of Services whose names begin with `sevendigital`.
const PREFIX: &str = "SEVENDIGITAL_";
const PROTOCOLS: [&str; 3] = ["tcp", "udp", "sctp"];

/// Whether a variable is one of those, by its name and by what it holds: a value of another kind is somebody's misspelt setting.
pub(super) fn is_service_link(name: &str, value: &str) -> bool {
    // The name of the Service may hold the same words, so each place in it may be its end.
    let mut ends = name.match_indices('_').map(|(at, _)| name.split_at(at).1);
    name.starts_with(PREFIX) && ends.any(|end| is_link(end, value))
}

/// Whether the end of a name and its value belong to a link, such as `_PORT_9090_TCP_ADDR` and `10.0.0.1`.
fn is_link(end: &str, value: &str) -> bool {
    if end == "_SERVICE_HOST" {
        return is_address(value);
    }
    if let Some(port) = end.strip_prefix("_SERVICE_PORT") {
        return (port.is_empty() || port.starts_with('_')) && is_port(value);
    }
    let Some(port) = end.strip_prefix("_PORT") else {
        return false;
    };
    if port.is_empty() {
        return is_endpoint(value);
    }
    let mut words = port.split('_');
    let (nothing, number, protocol) = (words.next(), words.next(), words.next());
    let is_protocol = |word: &str| {
        PROTOCOLS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(word))
    };
    if nothing != Some("") || !number.is_some_and(is_port) || !protocol.is_some_and(is_protocol) {
        return false;
    }
    match (words.next(), words.next()) {
        (None, _) => is_endpoint(value),
        (Some("ADDR"), None) => is_address(value),
        (Some("PORT"), None) => is_port(value),
        (Some("PROTO"), None) => is_protocol(value),
        _ => false,
    }
}

/// Such as `tcp://10.0.0.1:9090`.
fn is_endpoint(value: &str) -> bool {
    let Some((protocol, place)) = value.split_once("://") else {
        return false;
    };
    let place = place.rsplit_once(':');
    PROTOCOLS.contains(&protocol)
        && place.is_some_and(|(host, port)| is_address(host) && is_port(port))
}

fn is_address(value: &str) -> bool {
    let bare = value
        .strip_prefix('[')
        .and_then(|value| value.strip_suffix(']'));
    bare.unwrap_or(value).parse::<IpAddr>().is_ok()
}

fn is_port(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit()) && value.parse::<u16>().is_ok()
}
