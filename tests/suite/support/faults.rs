//! The faults that an upstream can have, and what must become of calls under each.

use std::time::Duration;

use crate::support::upstream::{Act, head, http, ok, refusal};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Done,
    NotSent,
    Refused,
    Unknown,
}

impl State {
    /// Its name in the ledger.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotSent => "not_sent",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// A fault, what becomes of a charge and of a change under it, and how often a read is sent.
#[derive(Clone)]
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) act: Act,
    pub(crate) charge: State,
    pub(crate) change: State,
    pub(crate) reads: usize,
}

/// A fault after which the outcome is unknown.
pub(crate) fn unknown(name: &'static str, act: Act, reads: usize) -> Fault {
    Fault {
        name,
        act,
        charge: State::Unknown,
        change: State::Unknown,
        reads,
    }
}

/// A no of 7digital's.
fn no(name: &'static str, answer: Vec<u8>) -> Fault {
    Fault {
        charge: State::Refused,
        change: State::Refused,
        ..unknown(name, Act::Say(answer), 1)
    }
}

/// An answer that is good enough for a change, and for a charge only if `charge` says so.
fn yes(name: &'static str, charge: State, answer: Vec<u8>) -> Fault {
    Fault {
        charge,
        change: State::Done,
        ..unknown(name, Act::Say(answer), 1)
    }
}

pub(crate) fn say(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Act {
    Act::Say(http(status, headers, body))
}

pub(crate) const JSON: &str = "Content-Type: application/json\r\n";
const XML: &str = "Content-Type: application/xml\r\n";
const HTML: &str = "Content-Type: text/html\r\n";
const TEXT: &str = "Content-Type: text/plain\r\n";
/// The beginning of a sale that would be believed if it were whole.
const HALF: &str = r#"{"status": "ok", "version": "1.2", "purchase": {"id": "1""#;
const SALE: &str = r#"{"status": "ok", "version": "1.2", "purchase": {"id": "1"}}"#;

/// Every fault but those that hang; `elsewhere` is where redirects lead.
pub(crate) fn faults(elsewhere: &str) -> Vec<Fault> {
    [
        broken_connections(),
        wrong_answers(),
        answers_of_7digitals(),
        too_much(elsewhere),
        redirects(elsewhere),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Headers of a JSON answer, these among them, and half a sale.
fn with_half(headers: &str) -> Vec<u8> {
    [head(200, &format!("{JSON}{headers}")), HALF.into()].concat()
}

#[rustfmt::skip]
fn broken_connections() -> Vec<Fault> {
    let long = with_half("Content-Length: 1000\r\n");
    let short = [head(200, &format!("{JSON}Content-Length: 30\r\n")), SALE.into()].concat();
    let chunked = head(200, &format!("{JSON}Transfer-Encoding: chunked\r\n"));
    let chunk = [chunked.clone(), b"100\r\n".to_vec(), HALF.into()].concat();
    let wild_chunk = [chunked, b"wild\r\n{}".to_vec()].concat();
    vec![
        unknown("F2 reset without an answer", Act::Reset(Vec::new()), 3),
        unknown("F2 reset inside the headers", Act::Reset(b"HTTP/1.1 200 OK\r\nContent-Ty".to_vec()), 3),
        unknown("F2 reset inside the body", Act::Reset(long.clone()), 3),
        unknown("F2 half-close without an answer", Act::HalfClose(Vec::new()), 3),
        unknown("F2 half-close inside the headers", Act::HalfClose(b"HTTP/1.1 200 OK\r\nConte".to_vec()), 3),
        unknown("F2 half-close inside the body", Act::HalfClose(long.clone()), 3),
        unknown("F3 truncated JSON, length right", say(200, JSON, HALF), 1),
        unknown("F3 length larger than the body", Act::Say(long), 3),
        unknown("F3 length smaller than the body", Act::Say(short), 1),
        unknown("F3 chunk cut", Act::Say(chunk), 3),
        unknown("F3 chunk without a size", Act::Say(wild_chunk), 3),
    ]
}

#[rustfmt::skip]
fn wrong_answers() -> Vec<Fault> {
    vec![
        unknown("F6 a page with 200", say(200, HTML, "<!doctype html><html><body>Welcome</body></html>"), 1),
        unknown("F6 a page with 502", say(502, HTML, "<html><body>Bad gateway</body></html>"), 3),
        unknown("F6 a page with 500", say(500, HTML, "<html><body>Oops</body></html>"), 1),
        unknown("F6 a page with 404", say(404, HTML, "<html><body>Nothing</body></html>"), 1),
        unknown("F6 nothing with 200", say(200, JSON, ""), 1),
        unknown("F6 `Not found` with 200", say(200, TEXT, "Not found"), 1),
        unknown("F6 a list", say(200, JSON, "[]"), 1),
        unknown("F6 an unknown status", say(200, JSON, r#"{"status": "strange", "version": "1.2"}"#), 1),
        unknown("F10 503", say(503, TEXT, ""), 3),
        unknown("F10 503, an hour", say(503, "Retry-After: 3600\r\n", ""), 1),
        unknown("F10 504 in a page", say(504, HTML, "<html>"), 3),
        yes("F14 an early answer first", State::Done, [b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec(), ok(SALE)].concat()),
        unknown("F14 204", Act::Say(head(204, "")), 1),
        yes("F14 two answers", State::Done, [ok(SALE), refusal(200, 2001)].concat()),
    ]
}

#[rustfmt::skip]
fn answers_of_7digitals() -> Vec<Fault> {
    let with_status = |inside: &str| ok(&format!(r#"{{"status": "ok", "purchase": {{"id": "1", {inside}}}}}"#));
    vec![
        no("F6 XML error with 200", http(200, XML, r#"<response status="error" version="1.2"><error code="2001"><errorMessage>no</errorMessage></error></response>"#)),
        no("F6 JSON error with 200", refusal(200, 2001)),
        no("F6 declined", refusal(200, 3102)),
        no("F6 OAuth refusal as text", http(401, TEXT, "OAuth authentication error: Resource requires access token")),
        unknown("F6 7digital could not, with 200", Act::Say(refusal(200, 7001)), 1),
        unknown("F6 7digital could not, with 500", Act::Say(refusal(500, 7001)), 1),
        unknown("F6 an unexpected error", Act::Say(refusal(200, 9001)), 1),
        no("F6 an error without a code", http(200, JSON, r#"{"status": "error", "error": {"errorMessage": "?"}}"#)),
        unknown("F6 words alone", say(200, JSON, r#"{"message": "?"}"#), 1),
        unknown("F6 a refusal that speaks of success", say(200, JSON, r#"{"status": "error", "error": {"code": 3003, "errorMessage": "The card was charged"}}"#), 1),
        yes("F6 XML ok without an id", State::Unknown, http(200, XML, r#"<response status="ok" version="1.2"/>"#)),
        yes("F6 ok without a purchase", State::Unknown, ok(r#"{"status": "ok", "version": "1.2"}"#)),
        yes("F6 ok without an id", State::Unknown, ok(r#"{"status": "ok", "purchase": {"purchaseDate": "2026-03-01T12:00:00Z"}}"#)),
        yes("F6 ok with an empty id", State::Unknown, ok(r#"{"status": "ok", "purchase": {"id": " "}}"#)),
        yes("F6 ok with a null id", State::Unknown, ok(r#"{"status": "ok", "purchase": {"id": null}}"#)),
        yes("F6 ok, and failed inside", State::Unknown, with_status(r#""status": "failed""#)),
        yes("F6 ok, and pending inside", State::Unknown, with_status(r#""paymentStatus": "Pending""#)),
        yes("F6 a sale in XML", State::Done, http(200, XML, r#"<response status="ok" version="1.2"><purchase><id>1</id></purchase></response>"#)),
        yes("F6 a sale", State::Done, ok(SALE)),
        yes("F6 ok, and no inside", State::Unknown, with_status(r#""status": false"#)),
        no("F8 429, an hour", http(429, "Retry-After: 3600\r\n", "")),
        no("F8 429, negative", http(429, "Retry-After: -1\r\n", "")),
        no("F8 429, junk", http(429, "Retry-After: soon\r\n", "")),
        no("F8 429, a date that is past", http(429, "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", "")),
        no("F8 429, a page", http(429, HTML, "<html>Slow down</html>")),
    ]
}

#[rustfmt::skip]
fn too_much(elsewhere: &str) -> Vec<Fault> {
    let deep = format!("{{\"a\": {}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let wide = format!("{{\"a\": [{}1]}}", "1,".repeat(1_000_000));
    let entities = (1..=50).map(|n| format!("<!ENTITY a{n} \"&a{0};&a{0};\">", n - 1));
    let entities = entities.collect::<Vec<_>>().concat();
    let xml = |entities: &str| format!("<!DOCTYPE response [{entities}]><response status=\"ok\"><purchase><id>&a50;</id></purchase></response>");
    let bomb = xml(&format!("<!ENTITY a0 \"x\">{entities}"));
    let outside = xml(&format!("<!ENTITY a50 SYSTEM \"{elsewhere}\">"));
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00";
    vec![
        unknown("F5 endless, with a length", Act::Flood(with_half("Content-Length: 10737418240\r\n")), 1),
        unknown("F5 endless, without one", Act::Flood(with_half("")), 1),
        unknown("F5 compressed unasked", say(200, &format!("{JSON}Content-Encoding: gzip\r\n"), gzip), 1),
        unknown("F9 JSON 10,000 deep", say(200, JSON, deep), 1),
        unknown("F9 JSON with a million values", say(200, JSON, wide), 1),
        unknown("F9 XML that grows", say(200, XML, bomb), 1),
        unknown("F9 XML from outside", say(200, XML, outside), 1),
    ]
}

fn redirects(elsewhere: &str) -> Vec<Fault> {
    let statuses = [301, 302, 303, 307, 308];
    let targets = [elsewhere, "/1.2/user/locker?again=1"];
    let redirect = |status: u16, target: &str| {
        let location = format!("Location: {target}\r\n");
        unknown("F7 a redirect", say(status, &location, ""), 1)
    };
    let both = |status| targets.map(|target| redirect(status, target));
    statuses.into_iter().flat_map(both).collect()
}

/// The faults that hang.
pub(crate) fn hanging() -> [Fault; 4] {
    let second = Duration::from_secs(1);
    let half = with_half("");
    let dripping = b"HTTP/1.1 200 OK\r\nA:".to_vec();
    [
        unknown("F1 never answers", Act::Hang(Vec::new()), 1),
        unknown(
            "F1 falls silent inside the body",
            Act::Hang(half.clone()),
            1,
        ),
        unknown("F4 headers that drip", Act::Drip(dripping, second), 1),
        unknown("F4 a body that drips", Act::Drip(half, second), 1),
    ]
}
