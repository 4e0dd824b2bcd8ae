//! Where a call stands in a trace that spans several programs (W3C Trace Context).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sevendigital_sandbox::{Arrival, Sandbox, Signature};
use sevendigital_tools::TOOLS;
use tempfile::TempDir;

use crate::secrets::meta;
use crate::support::calls::make_all;
use crate::support::{Client, LEGACY, SURFACES, Server, Setting, Surface, folder, variables};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const OTHER: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "00f067aa0cd902e7";

fn parent(trace: &str) -> String {
    format!("00-{trace}-{SPAN}-01")
}

/// The real program before a sandbox, which checks signatures.
struct Site {
    folder: TempDir,
    sandbox: Sandbox,
    server: Server,
    wire: Client,
}

impl Site {
    async fn with(settings: &[Setting<'_>]) -> Self {
        let (folder, sandbox) = (folder(), Sandbox::start().await.unwrap());
        let variables = variables(&sandbox.base_uri(), settings);
        let server = Server::serve(folder.path(), &[], &variables).await;
        let wire = server.caller().that_can_ask().in_session(LEGACY[0]).await;
        Self {
            folder,
            sandbox,
            server,
            wire,
        }
    }

    /// The requests that came since, all of them signed well.
    fn came(&self, before: usize) -> Vec<Arrival> {
        let came = self.sandbox.arrivals().split_off(before);
        for arrival in &came {
            let signed = matches!(arrival.signature, Signature::Verified { .. });
            assert!(signed, "{}: {:?}", arrival.path, arrival.signature);
        }
        came
    }
}

/// All values of a header as they came.
fn header<'a>(arrival: &'a Arrival, name: &str) -> Vec<&'a str> {
    let headers = arrival.headers.iter();
    let own = headers.filter(|(other, _)| other == name);
    own.map(|(_, value)| value.as_str()).collect()
}

/// The span's id in a request that belongs to that trace.
fn span_in(arrival: &Arrival, trace: &str) -> String {
    let values = header(arrival, "traceparent");
    let [value] = values[..] else {
        panic!("{}: {values:?}", arrival.path);
    };
    let parts: Vec<&str> = value.split('-').collect();
    let [version, id, span, flags] = parts[..] else {
        panic!("{value}");
    };
    assert_eq!((version, id, flags), ("00", trace, "01"), "{value}");
    assert!(span.len() == 16 && span != SPAN, "{value}");
    span.to_owned()
}

/// A call that fails at 7digital, so that a line is logged of it.
fn failing() -> (&'static str, Value) {
    ("get-user-details", json!({"userId": "no-such-user"}))
}

/// The same by each door, with a `traceparent` in the header, in `_meta`, in both or in neither.
async fn call(site: &Site, way: Surface, in_header: Option<&str>, in_meta: Option<&Value>) {
    let (tool, arguments) = failing();
    let wire = match in_header {
        Some(value) => site.wire.with("traceparent", value),
        None => site.wire.clone(),
    };
    let mut params = json!({"name": tool, "arguments": arguments});
    if let Some(value) = in_meta {
        params["_meta"] =
            json!({"traceparent": value, "tracestate": "vendor=canary", "baggage": "user=canary"});
    }
    let reply = match way {
        Surface::Rest => wire.rest(tool, &arguments).await,
        Surface::Modern => wire.ask_as(json!(1), "tools/call", params).await.unwrap(),
        Surface::Session => {
            let message = json!({"jsonrpc": "2.0", "id": rand::random::<u32>(), "method": "tools/call", "params": params});
            wire.say(&message).await
        }
    };
    assert!(
        reply.text.contains("User not found") || reply.text.contains("not found"),
        "{reply:?}"
    );
}

#[tokio::test]
async fn a_trace_goes_on_in_the_log_and_at_7digital_in_a_new_span() {
    let site = Site::with(&[]).await;
    let (ours, other) = (parent(TRACE), parent(OTHER));
    let in_meta = json!(ours);
    let mut spans = BTreeSet::new();
    for way in SURFACES {
        let mut rows = vec![(Some(ours.as_str()), None)];
        if way != Surface::Rest {
            rows.push((None, Some(&in_meta)));
            // What stands in the message itself is nearer to the call.
            rows.push((Some(other.as_str()), Some(&in_meta)));
        }
        for (in_header, in_meta) in rows {
            let before = site.sandbox.arrivals().len();
            call(&site, way, in_header, in_meta).await;
            let came = site.came(before);
            assert_eq!(came.len(), 1, "{way:?}");
            let span = span_in(&came[0], TRACE);
            site.server.until_logged(&span).await;
            let log = site.server.log();
            let mut lines = log.lines().filter(|line| line.contains(&span));
            assert!(lines.all(|line| line.contains(TRACE)), "{way:?}: {log}");
            assert!(spans.insert(span), "{way:?}");
        }
    }
    assert!(!site.server.log().contains(OTHER));
}

#[tokio::test]
async fn a_trace_comes_over_stdio_too() {
    let sandbox = Sandbox::start().await.unwrap();
    let folder = folder();
    let mut piped = Server::piped(folder.path(), &[], &variables(&sandbox.base_uri(), &[]));
    let (tool, arguments) = failing();
    let params = json!({"name": tool, "arguments": arguments, "_meta": meta(&json!({"traceparent": parent(TRACE)}))});
    piped.ask("1", "tools/call", &params).await;
    let span = span_in(&sandbox.arrivals()[0], TRACE);
    piped.until_logged(&span).await;
}

#[tokio::test]
async fn without_a_good_trace_nothing_of_one_is_sent_or_logged() {
    let site = Site::with(&[]).await;
    let (good, long) = (parent(TRACE), format!("{}-x", parent(TRACE)));
    let capitals = good.to_uppercase();
    let broken = [
        "",
        "x",
        &good[1..],
        &long,
        &capitals,
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0cd902e7-01",
        "00-00000000000000000000000000000000-00f067aa0cd902e7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0cd902e7-0g",
        "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0cd902e7_01",
    ];
    let before = site.sandbox.arrivals().len();
    let mut made = 0;
    for way in SURFACES {
        call(&site, way, None, None).await;
        made += 1;
        for text in broken {
            call(&site, way, Some(text), None).await;
            made += 1;
            if way != Surface::Rest {
                call(&site, way, None, Some(&json!(text))).await;
                made += 1;
            }
        }
    }
    for value in [
        json!(1),
        json!(null),
        json!([good]),
        json!({"traceparent": good}),
    ] {
        call(&site, Surface::Modern, None, Some(&value)).await;
        made += 1;
    }
    // Two of them are none.
    let (tool, arguments) = failing();
    let twice = site
        .wire
        .with("traceparent", &good)
        .with("traceparent", &good);
    twice.rest(tool, &arguments).await;
    let came = site.came(before);
    assert_eq!(came.len(), made + 1);
    for arrival in &came {
        for name in ["traceparent", "tracestate", "baggage"] {
            assert!(header(arrival, name).is_empty(), "{:?}", arrival.headers);
        }
    }
    let logged = site.server.log();
    for word in ["trace_id", "span_id", "traceparent"] {
        assert!(!logged.contains(word), "{logged}");
    }
}

#[tokio::test]
async fn every_tool_carries_it_and_nothing_else_of_a_trace() {
    let site = Site::with(&[]).await;
    let wire = site
        .wire
        .with("traceparent", &parent(TRACE))
        .with("tracestate", "vendor=canary")
        .with("baggage", "user=canary")
        .with("b3", "canary")
        .with("uber-trace-id", "canary");
    for (way, first) in [(Surface::Modern, "11700062"), (Surface::Rest, "11700063")] {
        let before = site.sandbox.arrivals().len();
        let results = make_all(async |tool, mut arguments| {
            // What was bought by one door is answered from the ledger at the next.
            if way == Surface::Rest && arguments["releaseId"].is_string() {
                arguments["trackId"] = json!(format!("{first}01"));
            }
            let reply = wire.on(way, tool, &arguments).await;
            let message = reply.message();
            let result = &message["result"];
            if result.is_object() {
                result.clone()
            } else {
                json!({"structuredContent": message})
            }
        });
        assert_eq!(results.await.len(), TOOLS.len());
        let came = site.came(before);
        let operations: BTreeSet<&str> = came.iter().filter_map(|one| one.operation).collect();
        if way == Surface::Modern {
            assert_eq!(operations.len(), TOOLS.len(), "{operations:?}");
        }
        let mut spans = BTreeSet::new();
        for arrival in &came {
            assert!(spans.insert(span_in(arrival, TRACE)), "{}", arrival.path);
            let told = format!("{:?} {} {}", arrival.headers, arrival.target, arrival.body);
            assert!(!told.contains("canary"), "{told}");
            for name in ["tracestate", "baggage", "b3"] {
                assert!(header(arrival, name).is_empty(), "{told}");
            }
        }
    }
    let logged = site.server.log();
    assert!(!logged.contains("canary"), "{logged}");
    drop(site.folder);
}

#[tokio::test]
async fn of_the_flags_only_the_one_that_is_defined_goes_on() {
    let site = Site::with(&[]).await;
    for (version, given, handed_on) in [
        ("00", "00", "00"),
        ("00", "01", "01"),
        ("00", "ff", "01"),
        ("00", "fe", "00"),
        ("cc", "81", "01"),
    ] {
        let before = site.sandbox.arrivals().len();
        let given = format!("{version}-{TRACE}-{SPAN}-{given}");
        call(&site, Surface::Modern, Some(&given), None).await;
        let came = site.came(before);
        let value = header(&came[0], "traceparent")[0];
        let end = format!("-{handed_on}");
        assert!(
            value.starts_with("00-") && value.ends_with(&end),
            "{given}: {value}"
        );
    }
}
