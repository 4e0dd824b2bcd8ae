//! Answers as 7digital's sources show them, and as a broken middle box would.

use serde_json::json;

use super::*;
use crate::upstream::{LOCKER, refused};

fn reply(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
    Reply {
        status,
        content_type: content_type.to_owned(),
        body: body.into(),
        ..Reply::default()
    }
}

/// What a read gives.
fn read_locker(reply: &Reply) -> Result<Map<String, Value>, Error> {
    read(reply, &LOCKER)
}

#[test]
fn every_format_gives_the_same_document() {
    let expected =
        json!({"status": "ok", "version": "1.2", "user": {"id": "1", "type": "7digital"}});
    let xml = r#"<response status="ok" version="1.2"><user id="1"><type>7digital</type></user></response>"#;
    let json = r#"{"status":"ok","version":"1.2","schema":"http://api.7digital.com/1.2/static/7digitalAPI.xsd","user":{"id":"1","type":"7digital"}}"#;
    for (content_type, body) in [
        ("application/json; charset=utf-8", json.as_bytes().to_vec()),
        ("text/xml; charset=utf-8", xml.as_bytes().to_vec()),
        ("application/xml", xml.as_bytes().to_vec()),
        // Wrong labels are survived: the bytes decide.
        ("application/json", xml.as_bytes().to_vec()),
        ("text/html", json.as_bytes().to_vec()),
        ("", format!("\u{feff}{json}").into_bytes()),
        ("text/xml", format!("\n\t{xml}").into_bytes()),
        (
            "application/json",
            format!(r#"{{"response":{json}}}"#).into_bytes(),
        ),
    ] {
        let document = read_locker(&reply(200, content_type, body)).unwrap();
        let mut document = Value::Object(document);
        document.as_object_mut().unwrap().remove("schema");
        assert_eq!(document, expected, "{content_type}");
    }
}

#[test]
fn a_declared_character_set_is_used_where_it_fits() {
    let latin = b"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><response status=\"ok\"><a>Bj\xf6rk</a></response>";
    let unlabelled = b"<response status=\"ok\"><a>Bj\xf6rk</a></response>";
    let utf8 =
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><response status=\"ok\"><a>Björk</a></response>";
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(utf8.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    for (content_type, body) in [
        ("application/xml", latin.to_vec()),
        ("application/xml; charset=utf-8", latin.to_vec()),
        ("application/xml; charset=ISO-8859-1", unlabelled.to_vec()),
        ("application/xml", unlabelled.to_vec()),
        ("application/xml", utf8.as_bytes().to_vec()),
        ("application/xml", utf16),
    ] {
        assert_eq!(
            read_locker(&reply(200, content_type, body)).unwrap()["a"],
            "Björk",
            "{content_type}"
        );
    }
}

#[test]
fn an_envelope_is_read_whatever_the_http_status() {
    for (status, body, expected) in [
        (
            200,
            r#"<response status="error" version="1.2"><error code="1001"><errorMessage>Missing parameter x</errorMessage></error></response>"#,
            refused(200, Some(1001), "Missing parameter x"),
        ),
        (
            404,
            r#"{"status":"error","version":"1.2","error":{"code":2001,"errorMessage":"Not found"}}"#,
            refused(404, Some(2001), "Not found"),
        ),
        (
            500,
            r#"{"status":"error","error":{"code":"9001","message":"Oops"}}"#,
            refused(500, Some(9001), "Oops"),
        ),
        (
            400,
            r#"{"status":"error","error":[{"code":1002,"errorMessage":"Bad"}]}"#,
            refused(400, Some(1002), "Bad"),
        ),
        (
            400,
            r#"{"status":"error","errors":[{"code":1008,"message":"Bad","index":0}]}"#,
            refused(400, Some(1008), "Bad"),
        ),
        (
            200,
            r#"{"error":{"code":7001}}"#,
            refused(200, Some(7001), ""),
        ),
        (200, r#"{"status":"error"}"#, refused(200, None, "")),
        (
            400,
            r#"{"error":{"code":1001,"message":"a"},"errors":[{"code":1002,"message":"b"},{"message":"c"}]}"#,
            refused(400, Some(1001), "1001 a; 1002 b; c"),
        ),
    ] {
        assert_eq!(
            read_locker(&reply(status, "", body)).unwrap_err(),
            expected,
            "{body}"
        );
    }
}

/// Status and body of an answer that is no envelope of success or refusal, and its error.
#[rustfmt::skip]
fn no_envelopes() -> Vec<(u16, &'static str, Error)> {
    let unauthorised = |message: &str| Error::Unauthorised { message: message.to_owned(), clock_ahead: None };
    let unavailable = |status| Error::Unavailable { status, retry_after: None };
    let throttled = Error::Throttled { retry_after: None };
    let unreadable = Error::Unreadable;
    let needs_token = "OAuth authentication error: Resource requires access token";
    let not_found = "OAuth authentication error: Not found";
    let expired = r#"<response status="error"><error code="1000"><errorMessage>OAuth token expired</errorMessage></error></response>"#;
    let slow_down = r#"{"status":"error","error":{"code":1000,"errorMessage":"slow down"}}"#;
    vec![
        (401, needs_token, unauthorised(needs_token)),
        (200, not_found, unauthorised(not_found)),
        (401, expired, unauthorised("OAuth token expired")),
        (401, "", unauthorised("")),
        (403, "<html><body>Forbidden</body></html>", unauthorised("")),
        (403, "OAuth: daily limit reached", throttled.clone()),
        (429, "Too many", throttled.clone()),
        (429, slow_down, throttled),
        (502, "<html>Bad gateway</html>", unavailable(502)),
        (503, "", unavailable(503)),
        (200, "<html><body>Hello</body></html>", unreadable(Unreadable::HtmlPage)),
        (200, "", unreadable(Unreadable::Empty)),
        (200, "Not found", unreadable(Unreadable::PlainText)),
        (200, r#"{"status":"maybe"}"#, unreadable(Unreadable::EnvelopeStatus)),
        (302, r#"{"status":"ok"}"#, unreadable(Unreadable::Redirect(302))),
        (500, r#"{"status":"ok"}"#, unavailable(500)),
        (200, "[1]", unreadable(Unreadable::NotAnObject)),
        (410, "", unreadable(Unreadable::NotFound(410))),
        (500, needs_token, unavailable(500)),
        (403, "OAuth: not for unlimited streaming", unauthorised("OAuth: not for unlimited streaming")),
        (200, r#"{"status":"ok","user":{"id"#, unreadable(Unreadable::Json { line: 1, column: 26 })),
        (200, r#"<response status="ok"><user id="1">"#, unreadable(Unreadable::Xml("XML that ends too early"))),
    ]
}

#[test]
fn what_is_not_an_envelope_is_an_error_of_its_own_kind() {
    for (status, body, expected) in no_envelopes() {
        let error = read_locker(&reply(status, "", body)).unwrap_err();
        assert_eq!(error, expected, "{status} {body}");
    }
}

#[test]
fn a_success_needs_no_status() {
    let document = read_locker(&reply(200, "", r#"{"streaming":{"level":"premium"}}"#)).unwrap();
    assert_eq!(
        Value::Object(document),
        json!({"streaming": {"level": "premium"}})
    );
}

#[test]
fn a_clock_that_is_wrong_by_minutes_is_reported() {
    for (ahead, reported) in [
        (Some(90), None),
        (Some(600), Some(600)),
        (Some(-600), Some(-600)),
        (None, None),
    ] {
        let answer = Reply {
            clock_ahead: ahead,
            ..reply(401, "", "OAuth authentication error: Invalid timestamp")
        };
        let Err(Error::Unauthorised { clock_ahead, .. }) = read_locker(&answer) else {
            panic!("not authorised")
        };
        assert_eq!(clock_ahead, reported);
    }
}

#[test]
fn hostile_json_is_unreadable() {
    let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    let ended = read_locker(&reply(200, "", deep));
    assert!(matches!(
        ended,
        Err(Error::Unreadable(Unreadable::Json { .. }))
    ));
    let wide = format!("{{\"a\":[{}]}}", vec!["0"; 1_000_000].join(","));
    let ended = read_locker(&reply(200, "", wide));
    assert_eq!(ended, Err(Error::Unreadable(Unreadable::TooManyValues)));
}
