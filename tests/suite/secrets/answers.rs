//! Answers of 7digital's with secrets in them: good ones, and some that are no good.

use serde_json::json;

use super::requests::path;
use super::secret;
use crate::support::faults::say;
use crate::support::upstream::{ANY, Act, Upstream, ok};

/// Answers with secrets of 7digital's in them.
pub(super) fn good(upstream: &Upstream) {
    upstream.script(ANY, [Act::Sell]);
    let signed = format!(
        "https://media.example/1.2/media/download?oauth_signature={}",
        secret("signature of a delivery URL")
    );
    let track = json!({"track": {"id": "1"}, "downloadUrls": {"downloadUrl": [{"url": signed}]}});
    let release = json!({"release": {"id": "1"}, "lockerTracks": {"lockerTrack": [track]}});
    let locker = json!({"lockerReleases": {"page": 1, "pageSize": 10, "totalItems": 1, "lockerRelease": [release]}});
    let card = json!({"id": "1", "cardHolderName": secret("card holder")});
    let user = json!({"id": "1", "emailAddress": secret("e-mail address of an answer")});
    #[rustfmt::skip]
    let rows = [
        ("get-user-locker", "locker", locker),
        ("list-user-payment-cards", "cards", json!({"card": [card], "default": "1"})),
        ("get-user-details", "user", user),
    ];
    for (tool, field, value) in rows {
        let document = json!({"status": "ok", "version": "1.2", field: value});
        upstream.script(&path(tool), [Act::Say(ok(&document.to_string()))]);
    }
}

pub(super) fn bad(upstream: &Upstream, act: &Act) {
    for path in [
        ANY.to_owned(),
        path("get-user-locker"),
        path("list-user-payment-cards"),
        path("get-user-details"),
    ] {
        upstream.script(&path, [act.clone()]);
    }
}

/// Answers that are no good, with secrets of 7digital's in them.
pub(super) fn leaky() -> Vec<Act> {
    const JSON: &str = "Content-Type: application/json\r\n";
    const TEXT: &str = "Content-Type: text/plain\r\n";
    const PAGE: &str = "Content-Type: text/html\r\n";
    const XML: &str = "Content-Type: application/xml\r\n";
    let signature = secret("signature of a delivery URL");
    let link = format!("https://media.example/?oauth_signature={signature}");
    let holder = secret("card holder");
    let address = secret("e-mail address of an answer");
    let location = format!("Location: {link}\r\n");
    let error = |code: u32| {
        format!(
            "{{\"status\": \"error\", \"error\": {{\"code\": {code}, \"errorMessage\": \"Value of {link} is not valid\"}}}}"
        )
    };
    let cut =
        format!("HTTP/1.1 200 OK\r\n{location}Content-Length: 9999\r\n\r\n{{\"url\": \"{link}\"");
    #[rustfmt::skip]
    let all = vec![
        say(200, JSON, format!("{{\"status\": \"ok\", \"locker\": {{\"url\": \"{link}\"")),
        say(200, JSON, format!("{{\"status\": \"{link}\"}}")),
        say(200, JSON, format!("{{\"{link}\": 1, \"{link}\": 2, {holder}}}")),
        say(200, XML, format!("<response status=\"ok\"><a b={link}>{holder}</c></response>")),
        say(200, XML, format!("<response status=\"ok\"><card holder=\"{holder}\"><url>{link}")),
        say(200, TEXT, format!("{link} {holder} {address}")),
        say(200, &format!("Content-Type: text/{link}\r\n"), &link),
        say(302, &location, &link),
        say(401, TEXT, format!("OAuth authentication error: {link}")),
        say(429, &format!("Retry-After: {link}\r\nX-RateLimit-Limit: {link}\r\n"), &link),
        say(500, PAGE, format!("<html>{link} {holder} {address}</html>")),
        say(503, &format!("{JSON}Date: {link}\r\nRetry-After: {holder}\r\n"), error(0)),
        say(400, JSON, error(1002)),
        Act::Reset(cut.into_bytes()),
    ];
    all
}

/// Documents of another shape than the documented one.
pub(super) fn misshapen(upstream: &Upstream) {
    for (tool, field, name) in [
        ("get-user-locker", "locker", "signature of a delivery URL"),
        ("list-user-payment-cards", "cards", "card holder"),
        ("get-user-details", "user", "e-mail address of an answer"),
    ] {
        let document = json!({"status": "ok", field: [[secret(name)]]});
        upstream.script(&path(tool), [Act::Say(ok(&document.to_string()))]);
    }
}
