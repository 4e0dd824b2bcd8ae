//! Replies and web pages: content types, forms, redirects, and the addresses that they may lead to.

use http::{HeaderValue, Response, StatusCode, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::escape::escape;

/// A whole reply, before it is sent.
pub(crate) type Reply = Response<Vec<u8>>;

/// A reply with a body.
pub(crate) fn reply(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
    let mut reply = Response::new(body.into());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    set_header(&mut reply, "content-type", content_type);
    reply
}

/// A document as XML.
pub(crate) fn xml(status: u16, body: Vec<u8>) -> Reply {
    reply(status, "text/xml; charset=utf-8", body)
}

/// Plain text.
pub(crate) fn text(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    reply(status, "text/plain; charset=utf-8", body)
}

/// Sets a header; a value that no header can hold is left out.
pub(crate) fn set_header(reply: &mut Reply, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

/// A page of HTML around that body.
pub(crate) fn page(status: u16, title: &str, body: &str) -> Reply {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body><h1>{title}</h1>\n{body}\n<p><small>This is the 7digital sandbox: nothing here is real. Give it no real card and no real password.</small></p></body></html>\n"
    );
    reply(status, "text/html; charset=utf-8", html)
}

/// A labelled text field.
pub(crate) fn field(label: &str, name: &str, kind: &str, value: &str) -> String {
    let value = escape(value);
    format!(
        "<p><label>{label} <input name=\"{name}\" type=\"{kind}\" value=\"{value}\"></label></p>\n"
    )
}

/// A hidden field.
pub(crate) fn hidden(name: &str, value: &str) -> String {
    format!(
        "<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n",
        escape(value)
    )
}

/// Redirects the browser, with more parameters in the query.
pub(crate) fn redirect(address: &str, parameters: &[(&str, &str)]) -> Reply {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let parameters = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)));
    let parameters = parameters.collect::<Vec<_>>().join("&");
    let end = address.find('#').unwrap_or(address.len());
    let (address, fragment) = address.split_at(end);
    let joint = if address.contains('?') { '&' } else { '?' };
    let location = format!("{address}{joint}{parameters}{fragment}");
    let mut reply = text(302, "");
    set_header(&mut reply, "location", &location);
    reply
}

/// An absolute http or https address.
pub(crate) fn is_web_address(text: &str) -> bool {
    scheme_and_host(text).is_some()
}

/// An https address, or http on this machine: where a login may send the browser.
pub(crate) fn is_safe_callback(text: &str) -> bool {
    scheme_and_host(text).is_some_and(|(scheme, host)| {
        scheme == "https" || ["localhost", "127.0.0.1", "[::1]"].contains(&host.as_str())
    })
}

fn scheme_and_host(text: &str) -> Option<(String, String)> {
    let uri: Uri = text.parse().ok().filter(|_| text.len() <= 2000)?;
    let scheme = uri
        .scheme_str()
        .filter(|scheme| ["http", "https"].contains(scheme))?;
    let host = uri.host().filter(|host| !host.is_empty())?;
    Some((scheme.to_owned(), host.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_is_https_or_on_this_machine() {
        let good = [
            "https://shop.example/back?a=1",
            "http://127.0.0.1:8765/callback",
            "http://[::1]:1/",
            "http://localhost/",
        ];
        let bad = [
            "http://shop.example/",
            "javascript:alert(1)",
            "/back",
            "",
            "http://127.0.0.1.evil.example/",
            "http://localhost@evil.example/",
        ];
        for address in good {
            assert!(is_safe_callback(address), "{address}");
        }
        for address in bad {
            assert!(!is_safe_callback(address), "{address}");
        }
    }

    #[test]
    fn a_redirect_adds_to_the_query_before_the_fragment() {
        for (from, to) in [("/x", "/x?id=a%20b"), ("/x?y=1#z", "/x?y=1&id=a%20b#z")] {
            let reply = redirect(&format!("https://a.example{from}"), &[("id", "a b")]);
            assert_eq!(
                reply.headers()["location"],
                format!("https://a.example{to}")
            );
        }
    }
}
