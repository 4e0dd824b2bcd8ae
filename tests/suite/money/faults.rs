//! 7digital at its worst: each fault for everything that changes or charges, and for the reads.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use sevendigital::Effect;
use sevendigital_tools::{AnyTool, RateLimitClass};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;

use crate::support::calls::{calls_with, tool};
use crate::support::faults::{Fault, JSON, State, faults, hanging, say, unknown};
use crate::support::upstream::{ANY, Act, Upstream};
use crate::support::{
    Client, Setting, World, empty, fails_with, failure, folder, is_replayed, purchase_id, rows,
    within, world_on,
};

/// What a read, what changes or charges, and a silence inside an answer may last here; what hangs would last for longer than any test.
const LONGEST: [Setting<'static>; 3] = [
    ("SEVENDIGITAL_MCP_LIMIT_READ_DEADLINE", "1500ms"),
    ("SEVENDIGITAL_MCP_LIMIT_CHANGE_DEADLINE", "2500ms"),
    ("SEVENDIGITAL_MCP_LIMIT_READ_TIMEOUT", "1200ms"),
];

/// The tools with one of these effects, and a good call of each.
fn with_effect(wanted: &[Effect]) -> Vec<(AnyTool, Value)> {
    let calls = calls_with(wanted).into_iter();
    let calls = calls.map(|(name, mut arguments)| {
        if let Some(id) = arguments.get_mut("id") {
            *id = json!("1234");
        }
        (*tool(name), arguments)
    });
    calls.collect()
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
fn check_reported(fault: &str, effect: Effect, state: State, told: &str) {
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
    caller: Client,
}

impl Bench {
    async fn new() -> Self {
        let upstream = Upstream::start().await;
        let base_uri = upstream.base_uri();
        Self::before(upstream, &base_uri, &[]).await
    }

    /// A server with these settings that looks for the upstream at this address.
    async fn before(upstream: Upstream, base_uri: &str, settings: &[Setting<'_>]) -> Self {
        let folder = folder();
        let own = [
            ("SEVENDIGITAL_MCP_SPENDING", "allow"),
            // One server meets fault after fault, and no read is to be held back for the last one.
            ("SEVENDIGITAL_MCP_LIMIT_BREAKER_FAILURE_PERCENT", "101"),
        ];
        let settings = [&own, settings].concat();
        let world = world_on(folder.path(), base_uri, &settings).await;
        Self {
            folder,
            upstream,
            caller: Client::of(&world),
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

    /// All that changes or charges under one fault, and the charges once more: at most one arrival each, and the outcome is reported and kept.
    async fn check_changes(&self, fault: &Fault) {
        self.set(&fault.act);
        let made = self.call_all(&[Effect::Charges, Effect::Writes]);
        let made = within(fault.name, made).await;
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
        let for_password = tool.rate_limit == RateLimitClass::Login;
        if state == State::Done && for_password {
            assert!(
                failure(result).contains("names no user"),
                "{name}: {result}"
            );
        } else if state == State::Done {
            assert_ne!(result["isError"], true, "{name}: {result}");
        } else {
            let told = failure(result);
            check_reported(&name, effect, state, told);
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
        assert_eq!(row.state, state.as_str(), "{name}");
        assert_eq!(row.purchase_id.is_some(), state == State::Done, "{name}");
        if matches!(state, State::Unknown | State::Done) {
            let again = self.caller.call(contract.name, arguments).await;
            if state == State::Done {
                assert!(is_replayed(&again), "{name}: {again}");
                assert_eq!(purchase_id(&again), purchase_id(result), "{name}");
            } else {
                let told = failure(&again);
                check_reported(&name, effect, state, told);
                assert!(told.contains("It is not sent again"), "{name}: {told}");
            }
            assert_eq!(self.upstream.arrivals(&path), arrived, "{name}, again");
        }
    }

    /// All reads under one fault: the attempts, each signed anew, and what is reported.
    async fn check_reads(&self, fault: &Fault) {
        self.set(&fault.act);
        let made = within(fault.name, self.call_all(&[Effect::Reads])).await;
        for (tool, _, result) in made {
            let name = format!("{}, {}", fault.name, tool.contract.name);
            let attempts = self.check_read(fault, &tool, &result);
            // They share one retry budget.
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
            for wrong in ["Money may", "Nothing was charged", "taken effect"] {
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
async fn under_every_fault_what_changes_or_charges_is_sent_once_and_reported() {
    let (elsewhere, bench) = (Upstream::start().await, Bench::new().await);
    let faults = faults(&format!("http://{}/", elsewhere.address));
    let changes = with_effect(&[Effect::Charges, Effect::Writes]).len();
    for fault in &faults {
        bench.check_changes(fault).await;
        // What may lie in buffers between us included.
        let most = changes * (16 << 20);
        assert!(bench.upstream.flooded() < most, "{}", fault.name);
    }
    assert_eq!(elsewhere.connections(), 0);
    println!("{} faults, {changes} calls each", faults.len());
}

#[tokio::test]
async fn what_is_reset_before_a_byte_was_read_is_tried_once() {
    let bench = Bench::new().await;
    bench.upstream.go_deaf();
    for (tool, arguments) in with_effect(&[Effect::Charges, Effect::Writes]) {
        let contract = tool.contract;
        let before = bench.upstream.connections();
        let result = bench.caller.call(contract.name, &arguments).await;
        let connections = bench.upstream.connections() - before;
        assert_eq!(connections, 1, "{}", contract.name);
        // Whether the reset meets the request or comes before it is a matter of chance; both are reported as they are.
        let told = failure(&result);
        let state = if told.contains("could not be reached") {
            State::NotSent
        } else {
            State::Unknown
        };
        check_reported(contract.name, contract.upstream.effect, state, told);
    }
}

#[tokio::test]
async fn what_can_not_be_reached_was_not_sent() {
    // Bound, so that no other test gets it, and not listening.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed_port = closed.local_addr().unwrap();
    // One that breaks off a TLS handshake, and one that never answers it.
    let plain = Upstream::start().await;
    plain.go_deaf();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = silent.local_addr().unwrap();
    let rows = [
        ("F11 a closed port", format!("http://{closed_port}/1.2")),
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
        let bench = Bench::before(Upstream::start().await, &base_uri, &[]).await;
        bench.check_changes(&fault).await;
    }
}

#[tokio::test]
async fn under_every_fault_a_read_is_sent_three_times_at_most_each_signed_anew() {
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
    let reads = with_effect(&[Effect::Reads]).into_iter().cycle();
    let mut made = JoinSet::new();
    for (fault, (tool, arguments)) in faults.into_iter().zip(reads) {
        made.spawn(async move {
            // A server of its own, since each allows few repeats.
            let bench = Bench::new().await;
            bench.set(&fault.act);
            let result = bench.caller.call(tool.contract.name, &arguments).await;
            let attempts = bench.check_read(&fault, &tool, &result);
            assert_eq!(attempts, 3, "{}, {}", fault.name, tool.contract.name);
        });
    }
    made.join_all().await;
}

#[tokio::test]
async fn a_read_waits_as_long_as_7digital_asks_and_reports_what_is_too_long() {
    for (wait, least, attempts) in [("2", 2_000, 2), ("a date", 1_900, 2), ("3600", 0, 1)] {
        let bench = Bench::new().await;
        let in_three_seconds = httpdate(SystemTime::now() + Duration::from_secs(3));
        let written = match wait {
            "a date" => &in_three_seconds,
            seconds => seconds,
        };
        let throttled = say(429, &format!("Retry-After: {written}\r\n"), "");
        let locker = say(200, JSON, r#"{"status": "ok", "locker": {}}"#);
        bench.upstream.script("/user/locker", [throttled, locker]);
        let started = Instant::now();
        let result = bench.caller.call("get-user-locker", &json!({})).await;
        assert!(started.elapsed() >= Duration::from_millis(least), "{wait}");
        assert_eq!(bench.upstream.arrivals("/user/locker"), attempts, "{wait}");
        if attempts == 1 {
            fails_with(&result, &["repeated in 3600 seconds"]);
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
    let mut all = JoinSet::new();
    for fault in hanging() {
        for reads in [true, false] {
            let fault = fault.clone();
            all.spawn(async move {
                let upstream = Upstream::start().await;
                let base_uri = upstream.base_uri();
                let bench = Bench::before(upstream, &base_uri, &LONGEST).await;
                // None of them would ever end by itself.
                if reads {
                    bench.check_reads(&fault).await;
                } else {
                    bench.check_changes(&fault).await;
                }
            });
        }
    }
    all.join_all().await;
}
