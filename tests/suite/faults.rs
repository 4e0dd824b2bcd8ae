//! 7digital at its worst: each fault for everything that changes or charges, and for the five reads.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use sevendigital::Effect;
use sevendigital_mcp::ledger::State;
use sevendigital_tools::{AnyTool, TOOLS};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::calls::calls;
use crate::harness::{World, failure};
use crate::till::{Caller, empty, folder, is_replayed, purchase_id, rows, world_on};
use crate::upstream::{ANY, Act, Upstream, head, http, ok, refusal};

/// What a caller waits at most for a read, and for what changes or charges.
const LONGEST_READ: Duration = Duration::from_secs(21);
const LONGEST_CHANGE: Duration = Duration::from_secs(46);

/// A fault, what becomes of a charge and of a change under it, and how often a read is sent.
struct Fault {
    name: &'static str,
    act: Act,
    charge: State,
    change: State,
    reads: usize,
}

/// A fault after which nobody can know.
fn unknown(name: &'static str, act: Act, reads: usize) -> Fault {
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

fn say(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Act {
    Act::Say(http(status, headers, body))
}

const JSON: &str = "Content-Type: application/json\r\n";
const XML: &str = "Content-Type: application/xml\r\n";
const HTML: &str = "Content-Type: text/html\r\n";
const TEXT: &str = "Content-Type: text/plain\r\n";
/// The beginning of a sale that would be believed if it were whole.
const HALF: &str = r#"{"status": "ok", "version": "1.2", "purchase": {"id": "1""#;
const SALE: &str = r#"{"status": "ok", "version": "1.2", "purchase": {"id": "1"}}"#;

/// Every fault but those that hang; `elsewhere` is where redirects lead.
fn faults(elsewhere: &str) -> Vec<Fault> {
    let with_half = |headers: &str| [head(200, &format!("{JSON}{headers}")), HALF.into()].concat();
    let long = with_half("Content-Length: 1000\r\n");
    let chunk = [
        with_half("Transfer-Encoding: chunked\r\n\r\n100"),
        b"\r\n{".to_vec(),
    ]
    .concat();
    let wild_chunk = [
        head(200, &format!("{JSON}Transfer-Encoding: chunked\r\n")),
        b"wild\r\n{}".to_vec(),
    ]
    .concat();
    let deep = format!("{{\"a\": {}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let wide = format!("{{\"a\": [{}1]}}", "1,".repeat(1_000_000));
    let entities: String = (0..50)
        .map(|n| format!("<!ENTITY a{} \"&a{n};&a{n};\">", n + 1))
        .collect();
    let bomb = format!(
        "<!DOCTYPE response [<!ENTITY a0 \"x\">{entities}]><response status=\"ok\"><purchase><id>&a50;</id></purchase></response>"
    );
    let outside = format!(
        "<!DOCTYPE response [<!ENTITY a SYSTEM \"{elsewhere}\">]><response status=\"ok\"><purchase><id>&a;</id></purchase></response>"
    );
    let with_status = |inside: &str| {
        ok(&format!(
            r#"{{"status": "ok", "purchase": {{"id": "1", {inside}}}}}"#
        ))
    };
    let mut faults = vec![
        unknown("F2 reset without an answer", Act::Reset(Vec::new()), 3),
        unknown("F2 reset inside the headers", Act::Reset(b"HTTP/1.1 200 OK\r\nContent-Ty".to_vec()), 3),
        unknown("F2 reset inside the body", Act::Reset(long.clone()), 3),
        unknown("F2 half-close without an answer", Act::HalfClose(Vec::new()), 3),
        unknown("F2 half-close inside the headers", Act::HalfClose(b"HTTP/1.1 200 OK\r\nConte".to_vec()), 3),
        unknown("F2 half-close inside the body", Act::HalfClose(long.clone()), 3),
        unknown("F3 truncated JSON, length right", say(200, JSON, HALF), 1),
        unknown("F3 length larger than the body", Act::Say(long), 3),
        unknown("F3 length smaller than the body", Act::Say([head(200, &format!("{JSON}Content-Length: 30\r\n")), SALE.into()].concat()), 1),
        unknown("F3 chunk cut", Act::Say(chunk), 3),
        unknown("F3 chunk without a size", Act::Say(wild_chunk), 3),
        unknown("F5 endless, with a length", Act::Flood(with_half("Content-Length: 10737418240\r\n")), 1),
        unknown("F5 endless, without one", Act::Flood(with_half("")), 1),
        unknown("F5 compressed unasked", say(200, &format!("{JSON}Content-Encoding: gzip\r\n"), b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00"), 1),
        unknown("F6 a page with 200", say(200, HTML, "<!doctype html><html><body>Welcome</body></html>"), 1),
        unknown("F6 a page with 502", say(502, HTML, "<html><body>Bad gateway</body></html>"), 3),
        unknown("F6 a page with 500", say(500, HTML, "<html><body>Oops</body></html>"), 1),
        unknown("F6 a page with 404", say(404, HTML, "<html><body>Nothing</body></html>"), 1),
        unknown("F6 nothing with 200", say(200, JSON, ""), 1),
        unknown("F6 `Not found` with 200", say(200, TEXT, "Not found"), 1),
        unknown("F6 a list", say(200, JSON, "[]"), 1),
        unknown("F6 a status that nobody knows", say(200, JSON, r#"{"status": "pending", "purchase": {"id": "1"}}"#), 1),
        no("F6 XML error with 200", http(200, XML, r#"<response status="error" version="1.2"><error code="2001"><errorMessage>no</errorMessage></error></response>"#)),
        no("F6 JSON error with 200", refusal(200, 2001)),
        no("F6 declined", refusal(200, 3102)),
        no("F6 OAuth refusal as text", http(401, TEXT, "OAuth authentication error: Resource requires access token")),
        unknown("F6 7digital could not, with 200", Act::Say(refusal(200, 7001)), 1),
        unknown("F6 7digital could not, with 500", Act::Say(refusal(500, 7001)), 1),
        unknown("F6 an unexpected error", Act::Say(refusal(200, 9001)), 1),
        unknown("F6 an error without a code", say(200, JSON, r#"{"status": "error", "error": {"errorMessage": "?"}}"#), 1),
        yes("F6 XML ok without an id", State::Unknown, http(200, XML, r#"<response status="ok" version="1.2"/>"#)),
        yes("F6 ok without a purchase", State::Unknown, ok(r#"{"status": "ok", "version": "1.2"}"#)),
        yes("F6 ok without an id", State::Unknown, ok(r#"{"status": "ok", "purchase": {"purchaseDate": "2026-03-01T12:00:00Z"}}"#)),
        yes("F6 ok with an empty id", State::Unknown, ok(r#"{"status": "ok", "purchase": {"id": " "}}"#)),
        yes("F6 ok with a null id", State::Unknown, ok(r#"{"status": "ok", "purchase": {"id": null}}"#)),
        yes("F6 ok, and failed inside", State::Unknown, with_status(r#""status": "failed""#)),
        yes("F6 ok, and pending inside", State::Unknown, with_status(r#""paymentStatus": "Pending""#)),
        yes("F6 an id, and no status", State::Done, ok(r#"{"purchase": {"id": "1"}}"#)),
        yes("F6 a sale in XML", State::Done, http(200, XML, r#"<response status="ok" version="1.2"><purchase><id>1</id></purchase></response>"#)),
        yes("F6 a sale", State::Done, ok(SALE)),
        no("F8 429, an hour", http(429, "Retry-After: 3600\r\n", "")),
        no("F8 429, negative", http(429, "Retry-After: -1\r\n", "")),
        no("F8 429, junk", http(429, "Retry-After: soon\r\n", "")),
        no("F8 429, a date that is past", http(429, "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", "")),
        no("F8 429, a page", http(429, HTML, "<html>Slow down</html>")),
        unknown("F9 JSON 10,000 deep", say(200, JSON, deep), 1),
        unknown("F9 JSON with a million values", say(200, JSON, wide), 1),
        unknown("F9 XML that grows", say(200, XML, bomb), 1),
        unknown("F9 XML from outside", say(200, XML, outside), 1),
        unknown("F10 503", say(503, TEXT, ""), 3),
        unknown("F10 503, an hour", say(503, "Retry-After: 3600\r\n", ""), 1),
        unknown("F10 504 in a page", say(504, HTML, "<html>"), 3),
        yes("F14 an early answer first", State::Done, [b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec(), ok(SALE)].concat()),
        unknown("F14 204", Act::Say(head(204, "")), 1),
        yes("F14 two answers", State::Done, [ok(SALE), refusal(200, 2001)].concat()),
    ];
    for (name, status) in [
        ("F7 301", 301),
        ("F7 302", 302),
        ("F7 303", 303),
        ("F7 307", 307),
        ("F7 308", 308),
    ] {
        faults.push(unknown(
            name,
            say(status, &format!("Location: {elsewhere}\r\n"), ""),
            1,
        ));
        faults.push(unknown(
            name,
            say(status, "Location: /1.2/user/locker?again=1\r\n", ""),
            1,
        ));
    }
    faults
}

/// The tools with one of these effects, and a good call of each.
fn with_effect(wanted: &[Effect]) -> Vec<(AnyTool, Value)> {
    let calls = calls().map(|(tool, mut arguments)| {
        if let Some(id) = arguments.get_mut("id") {
            *id = json!("1234");
        }
        let tool = TOOLS.iter().find(|other| other.contract.name == tool);
        (*tool.unwrap(), arguments)
    });
    let mut calls = Vec::from(calls);
    calls.retain(|(tool, _)| wanted.contains(&tool.contract.upstream.effect));
    calls
}

fn path(tool: &AnyTool) -> String {
    tool.contract.upstream.path.replace("{id}", "1234")
}

/// Nothing in a text may show how a request was signed or where it went.
fn check_discreet(fault: &str, told: &str) {
    for secret in [
        "oauth_",
        "://",
        "127.0.0.1",
        "sandbox-",
        "<html",
        "signature=",
    ] {
        assert!(!told.contains(secret), "{fault}: `{secret}` in: {told}");
    }
}

/// What a failed call says of money, or of a change.
fn check_told(fault: &str, effect: Effect, state: State, told: &str) {
    let expected = match (effect, state) {
        (Effect::Charges, State::Unknown) => "Money may have been spent",
        (Effect::Charges, _) => "Nothing was charged",
        (_, State::Unknown) => "It may have taken effect",
        (_, _) => "Nothing was changed",
    };
    assert!(
        told.contains(expected),
        "{fault}: no `{expected}` in: {told}"
    );
    for other in ["Money may have been spent", "Nothing was charged"] {
        assert_eq!(told.contains(other), expected == other, "{fault}: {told}");
    }
}

/// A server before an upstream.
struct Bench {
    folder: TempDir,
    upstream: Upstream,
    /// Ends with the bench.
    _world: World,
    caller: Caller,
}

impl Bench {
    async fn new() -> Self {
        let upstream = Upstream::start().await;
        let base_uri = upstream.base_uri();
        Self::before(upstream, &base_uri).await
    }

    /// A server that looks for the upstream at this address.
    async fn before(upstream: Upstream, base_uri: &str) -> Self {
        let folder = folder();
        let allow = [("SEVENDIGITAL_MCP_SPENDING", "allow")];
        let world = world_on(folder.path(), base_uri, &allow).await;
        Self {
            folder,
            upstream,
            caller: Caller::of(&world),
            _world: world,
        }
    }

    /// Nothing arrived yet, nothing was charged, and this is what happens next.
    fn set(&self, act: &Act) {
        self.upstream.forget();
        self.upstream.script(ANY, [act.clone()]);
        empty(self.folder.path());
    }

    /// Makes calls of these tools at once; gives tool, arguments and result of each.
    async fn call_all(&self, effects: &[Effect]) -> Vec<(AnyTool, Value, Value)> {
        let mut made = JoinSet::new();
        for (tool, arguments) in with_effect(effects) {
            let caller = self.caller.clone();
            made.spawn(async move {
                let result = caller.call(tool.contract.name, &arguments).await;
                (tool, arguments, result)
            });
        }
        made.join_all().await
    }

    /// All twelve under one fault, and the five charges once more: at most one arrival each, and the truth is told and kept.
    async fn check_twelve(&self, fault: &Fault) {
        self.set(&fault.act);
        let started = Instant::now();
        let made = self.call_all(&[Effect::Charges, Effect::Writes]).await;
        assert!(started.elapsed() < LONGEST_CHANGE, "{}", fault.name);
        assert_eq!(made.len(), 12);
        // An empty locker settles nothing.
        let empty = say(200, JSON, r#"{"status": "ok", "version": "1.2"}"#);
        self.upstream.script("/user/locker", [empty]);
        for (tool, arguments, result) in made {
            self.check_one(fault, &tool, &arguments, &result).await;
        }
    }

    async fn check_one(&self, fault: &Fault, tool: &AnyTool, arguments: &Value, result: &Value) {
        let contract = tool.contract;
        let name = format!("{}, {}", fault.name, contract.name);
        let effect = contract.upstream.effect;
        let charges = effect == Effect::Charges;
        let state = if charges { fault.charge } else { fault.change };
        if state == State::Done {
            assert_ne!(result["isError"], true, "{name}: {result}");
        } else {
            let told = failure(result);
            check_told(&name, effect, state, told);
            check_discreet(&name, told);
        }
        let arrived = usize::from(state != State::NotSent);
        let path = path(tool);
        assert_eq!(self.upstream.arrivals(&path), arrived, "{name}");
        if !charges {
            return;
        }
        let mut rows = rows(self.folder.path()).into_iter();
        let row = rows.find(|row| row.tool == contract.name).unwrap();
        assert_eq!(json!(row.state), json!(state), "{name}");
        assert_eq!(row.purchase_id.is_some(), state == State::Done, "{name}");
        if matches!(state, State::Unknown | State::Done) {
            let again = self.caller.call(contract.name, arguments).await;
            if state == State::Done {
                assert!(is_replayed(&again), "{name}: {again}");
                assert_eq!(purchase_id(&again), purchase_id(result), "{name}");
            } else {
                let told = failure(&again);
                check_told(&name, effect, state, told);
                assert!(told.contains("It is not sent again"), "{name}: {told}");
            }
            assert_eq!(self.upstream.arrivals(&path), arrived, "{name}, again");
        }
    }

    /// All five reads under one fault: the attempts, each signed anew, and what is told.
    async fn check_reads(&self, fault: &Fault) {
        self.set(&fault.act);
        let started = Instant::now();
        let made = self.call_all(&[Effect::Reads]).await;
        assert!(started.elapsed() < LONGEST_READ, "{}", fault.name);
        assert_eq!(made.len(), 5);
        for (tool, _, result) in made {
            let name = format!("{}, {}", fault.name, tool.contract.name);
            let attempts = self.check_read(fault, &tool, &result);
            // The five share what is allowed in repeats.
            assert!((1..=fault.reads).contains(&attempts), "{name}: {attempts}");
        }
    }

    fn check_read(&self, fault: &Fault, tool: &AnyTool, result: &Value) -> usize {
        let name = format!("{}, {}", fault.name, tool.contract.name);
        if fault.change == State::Done {
            assert_ne!(result["isError"], true, "{name}: {result}");
        } else {
            let told = failure(result);
            check_discreet(&name, told);
            for wrong in ["Money", "charged", "taken effect"] {
                assert!(!told.contains(wrong), "{name}: {told}");
            }
        }
        let heard = self.upstream.heard(&path(tool));
        let said = |name: &str| heard.iter().map(|one| one.oauth(name)).collect::<Vec<_>>();
        let nonces: BTreeSet<String> = said("oauth_nonce").into_iter().collect();
        assert_eq!(nonces.len(), heard.len(), "{name}");
        assert!(said("oauth_timestamp").is_sorted(), "{name}");
        heard.len()
    }
}

#[tokio::test]
async fn whatever_goes_wrong_what_changes_or_charges_is_sent_once_and_the_truth_is_told() {
    let (elsewhere, bench) = (Upstream::start().await, Bench::new().await);
    let faults = faults(&format!("http://{}/", elsewhere.address));
    for fault in &faults {
        bench.check_twelve(fault).await;
        // What may lie in buffers between us included.
        let most = 12 * (16 << 20);
        assert!(bench.upstream.flooded() < most, "{}", fault.name);
    }
    assert_eq!(elsewhere.connections(), 0);
    println!("{} faults, 12 calls each", faults.len());
}

#[tokio::test]
async fn what_is_reset_before_a_byte_was_read_is_tried_once() {
    let bench = Bench::new().await;
    bench.upstream.go_deaf();
    for (tool, arguments) in with_effect(&[Effect::Charges, Effect::Writes]) {
        let contract = tool.contract;
        let before = bench.upstream.connections();
        let result = bench.caller.call(contract.name, &arguments).await;
        assert_eq!(
            bench.upstream.connections() - before,
            1,
            "{}",
            contract.name
        );
        // Whether the reset meets the request or comes before it is a matter of chance; both are told as they are.
        let told = failure(&result);
        let state = if told.contains("could not be reached") {
            State::NotSent
        } else {
            State::Unknown
        };
        check_told(contract.name, contract.upstream.effect, state, told);
    }
}

#[tokio::test]
async fn what_can_not_be_reached_was_not_sent() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = closed.local_addr().unwrap();
    drop(closed);
    // One that takes a TLS handshake for a broken request, and one that never answers it.
    let plain = Upstream::start().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = silent.local_addr().unwrap();
    let rows = [
        ("F11 nobody listens", format!("http://{nobody}/1.2")),
        ("F13 no TLS", format!("https://{}/1.2", plain.address)),
        (
            "F13 TLS that never answers",
            format!("https://{silent}/1.2"),
        ),
    ];
    for (name, base_uri) in rows {
        let fault = Fault {
            charge: State::NotSent,
            change: State::NotSent,
            ..unknown(name, Act::Sell, 3)
        };
        let bench = Bench::before(Upstream::start().await, &base_uri).await;
        bench.check_twelve(&fault).await;
    }
}

#[tokio::test]
async fn whatever_goes_wrong_a_read_is_sent_three_times_at_most_each_signed_anew() {
    let (elsewhere, bench) = (Upstream::start().await, Bench::new().await);
    for fault in faults(&format!("http://{}/", elsewhere.address)) {
        bench.check_reads(&fault).await;
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_read_that_fails_in_a_way_that_may_pass_is_sent_three_times() {
    let mut faults = faults("http://127.0.0.1:1/");
    faults.retain(|fault| fault.reads > 1);
    let reads = with_effect(&[Effect::Reads]);
    for (fault, (tool, arguments)) in faults.iter().zip(reads.iter().cycle()) {
        // A server of its own, since each allows few repeats.
        let bench = Bench::new().await;
        bench.set(&fault.act);
        let result = bench.caller.call(tool.contract.name, arguments).await;
        let attempts = bench.check_read(fault, tool, &result);
        assert_eq!(attempts, 3, "{}, {}", fault.name, tool.contract.name);
    }
}

#[tokio::test]
async fn a_read_waits_as_long_as_7digital_asks_and_tells_what_is_too_long() {
    let seconds = |wait: &str| wait.to_owned();
    let date = |_: &str| httpdate(SystemTime::now() + Duration::from_secs(3));
    let rows: [(&str, fn(&str) -> String, u64, usize); 3] = [
        ("2", seconds, 2_000, 2),
        ("a date", date, 1_900, 2),
        ("3600", seconds, 0, 1),
    ];
    for (wait, written, least, attempts) in rows {
        let bench = Bench::new().await;
        let throttled = say(429, &format!("Retry-After: {}\r\n", written(wait)), "");
        let locker = say(200, JSON, r#"{"status": "ok", "locker": {}}"#);
        bench.upstream.script("/user/locker", [throttled, locker]);
        let started = Instant::now();
        let result = bench.caller.call("get-user-locker", &json!({})).await;
        assert!(started.elapsed() >= Duration::from_millis(least), "{wait}");
        assert_eq!(bench.upstream.arrivals("/user/locker"), attempts, "{wait}");
        if attempts == 1 {
            let told = failure(&result);
            assert!(told.contains("Wait 3600 seconds"), "{told}");
        } else {
            assert_ne!(result["isError"], true, "{wait}: {result}");
        }
    }
}

/// A moment as HTTP writes it.
fn httpdate(at: SystemTime) -> String {
    chrono::DateTime::<chrono::Utc>::from(at)
        .format("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

#[tokio::test]
async fn what_hangs_is_given_up_in_time() {
    let second = Duration::from_secs(1);
    let half = [head(200, JSON), HALF.into()].concat();
    let rows = [
        ("F1 never answers", Act::Hang(Vec::new())),
        ("F1 falls silent inside the body", Act::Hang(half.clone())),
        (
            "F4 headers that drip",
            Act::Drip(b"HTTP/1.1 200 OK\r\nA:".to_vec(), second),
        ),
        ("F4 a body that drips", Act::Drip(half, second)),
    ];
    let mut all = JoinSet::new();
    for (name, act) in rows {
        let fault = unknown(name, act.clone(), 1);
        all.spawn(async move { Bench::new().await.check_reads(&fault).await });
        let fault = unknown(name, act, 1);
        all.spawn(async move { Bench::new().await.check_twelve(&fault).await });
    }
    all.join_all().await;
}
