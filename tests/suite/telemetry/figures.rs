//! What is counted, and who may read it.

use serde_json::json;
use sevendigital_tools::TOOLS;

use super::Site;
use super::exposition::{Samples, parse, value};
use crate::secrets::watched::{Watched, Way, Wire};
use crate::support::calls::calls;
use crate::support::faults::say;
use crate::support::upstream::{ANY, Act, Upstream, ok, refusal};
use crate::support::{Reply, Setting, folder, until, variables};

const FIGURES: Setting = ("SEVENDIGITAL_MCP_METRICS_BIND", "127.0.0.1:0");
const ALLOW: Setting = ("SEVENDIGITAL_MCP_SPENDING", "allow");

async fn figures(server: &Watched) -> Samples {
    let reply = read(server, &[]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.headers["content-type"], "text/plain; version=0.0.4");
    parse(&reply.text)
}

async fn read(server: &Watched, headers: &[(&str, &str)]) -> Reply {
    let url = server.address("/metrics").unwrap();
    server.wire().send("GET", &url, headers, "").await
}

/// Name, labels and value of a sample.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], f64);

#[track_caller]
fn check(samples: &Samples, rows: &[Row<'_>]) {
    for (name, labels, expected) in rows {
        let found = value(samples, name, labels);
        assert_eq!(
            found,
            Some(*expected),
            "{name} {labels:?}: {:?}",
            samples.get(*name)
        );
    }
}

const CALLS: &str = "sevendigital_calls_total";
const CHARGES: &str = "sevendigital_charges_total";
const RESPONSES: &str = "sevendigital_upstream_responses_total";

#[tokio::test]
async fn every_call_is_counted_by_tool_and_outcome_and_every_charge_by_what_the_ledger_says() {
    let site = Site::with(&[FIGURES, ALLOW]).await;
    let (wire, upstream) = (site.server.wire(), &site.upstream);
    let buy = async |release: &str| {
        let arguments = json!({"releaseId": release});
        wire.call(Way::Modern, "purchase-user-item", &arguments)
            .await;
    };
    upstream.script(ANY, [Act::Sell]);
    buy("1").await;
    buy("1").await;
    upstream.script(ANY, [Act::Say(refusal(200, 3102))]);
    buy("2").await;
    buy("3").await;
    upstream.script(ANY, [say(500, "", "")]);
    buy("4").await;
    wire.call(
        Way::Rest,
        "select-user-payment-card",
        &json!({"body": {"cardId": "1"}}),
    )
    .await;
    upstream.script(ANY, [Act::Say(ok(r#"{"status": "ok"}"#))]);
    wire.call(Way::Rest, "get-user-locker", &json!({})).await;
    wire.call(Way::Modern, "get-user-locker", &json!({"page": "x"}))
        .await;
    // It is not that `ok` without a purchase were one.
    buy("5").await;
    let samples = figures(&site.server).await;
    let of = |outcome| [("tool", "purchase-user-item"), ("outcome", outcome)];
    check(
        &samples,
        &[
            (CALLS, &of("done"), 1.0),
            (CALLS, &of("replayed"), 1.0),
            (CALLS, &of("refused"), 2.0),
            (CALLS, &of("unknown"), 2.0),
            (
                CALLS,
                &[("tool", "select-user-payment-card"), ("outcome", "unknown")],
                1.0,
            ),
            (
                CALLS,
                &[("tool", "get-user-locker"), ("outcome", "done")],
                1.0,
            ),
            (
                CALLS,
                &[("tool", "get-user-locker"), ("outcome", "not_sent")],
                1.0,
            ),
            (
                "sevendigital_call_seconds_count",
                &[("tool", "purchase-user-item")],
                6.0,
            ),
            (
                "sevendigital_call_seconds_count",
                &[("tool", "get-user-locker")],
                2.0,
            ),
            (CHARGES, &[("outcome", "done")], 1.0),
            (CHARGES, &[("outcome", "refused")], 2.0),
            (CHARGES, &[("outcome", "unknown")], 2.0),
            (
                RESPONSES,
                &[("operation", "/user/purchase/item"), ("status", "200")],
                4.0,
            ),
            (
                RESPONSES,
                &[("operation", "/user/purchase/item"), ("status", "500")],
                1.0,
            ),
            (
                "sevendigital_upstream_seconds_count",
                &[("operation", "/user/purchase/item")],
                5.0,
            ),
        ],
    );
    assert_eq!(value(&samples, CHARGES, &[("outcome", "not_sent")]), None);
}

#[tokio::test]
async fn a_charge_that_never_left_and_one_that_the_locker_settles_are_counted_too() {
    let nowhere = [
        FIGURES,
        ALLOW,
        ("SEVENDIGITAL_BASE_URI", "http://127.0.0.1:1/1.2"),
    ];
    let site = Site::with(&nowhere).await;
    site.server
        .wire()
        .call(
            Way::Modern,
            "purchase-user-item",
            &json!({"releaseId": "1"}),
        )
        .await;
    let samples = figures(&site.server).await;
    check(
        &samples,
        &[
            (CHARGES, &[("outcome", "not_sent")], 1.0),
            (RESPONSES, &[("status", "none"), ("why", "not_sent")], 1.0),
        ],
    );
}

#[tokio::test]
async fn repeats_statuses_quotas_and_the_breaker_are_there() {
    let breaker = [FIGURES, ("SEVENDIGITAL_MCP_LIMIT_BREAKER_CALLS", "4")];
    let site = Site::with(&breaker).await;
    let wire = site.server.wire();
    let quota = "Content-Type: application/json\r\nX-RateLimit-Limit: 4000\r\nX-RateLimit-Current: 37\r\nX-RateLimit-Reset: 46968\r\n";
    let good = say(200, quota, r#"{"status": "ok"}"#);
    let busy = say(503, "", "");
    let locker = "/user/locker";
    site.upstream.script(locker, [busy.clone(), good]);
    wire.call(Way::Rest, "get-user-locker", &json!({})).await;
    let samples = figures(&site.server).await;
    check(
        &samples,
        &[
            (
                "sevendigital_upstream_retries_total",
                &[("operation", locker)],
                1.0,
            ),
            (RESPONSES, &[("operation", locker), ("status", "503")], 1.0),
            (RESPONSES, &[("operation", locker), ("status", "200")], 1.0),
            ("sevendigital_rate_limit", &[], 4000.0),
            ("sevendigital_rate_limit_current", &[], 37.0),
            ("sevendigital_rate_limit_reset_seconds", &[], 46968.0),
            ("sevendigital_breaker_open", &[], 0.0),
        ],
    );
    site.upstream.script(locker, [Act::Reset(Vec::new())]);
    for _ in 0..3 {
        wire.call(Way::Rest, "get-user-locker", &json!({})).await;
    }
    let samples = figures(&site.server).await;
    check(&samples, &[("sevendigital_breaker_open", &[], 1.0)]);
    assert!(
        value(
            &samples,
            RESPONSES,
            &[("status", "none"), ("why", "interrupted")]
        ) >= Some(1.0)
    );
    assert!(value(&samples, "sevendigital_upstream_retries_total", &[]) >= Some(2.0));
}

#[tokio::test]
async fn what_is_under_way_and_open_goes_up_and_down_again() {
    let site = Site::with(&[FIGURES, ALLOW]).await;
    let (wire, _) = site.server.wire().in_session().await;
    site.upstream.script(ANY, [Act::Held(Box::new(Act::Sell))]);
    let call = |tool: &'static str| {
        let wire = wire.clone();
        tokio::spawn(async move {
            wire.call(Way::Modern, tool, &json!({"releaseId": "1"}))
                .await
        })
    };
    let made = [call("purchase-user-item"), call("list-user-payment-cards")];
    site.upstream.wait_for("/user/purchase/item", 1).await;
    let under_way = "sevendigital_calls_in_flight";
    let samples = figures(&site.server).await;
    check(
        &samples,
        &[
            (under_way, &[("kind", "charges")], 1.0),
            ("sevendigital_sessions", &[], 1.0),
        ],
    );
    assert!(
        value(
            &samples,
            "sevendigital_connections",
            &[("listener", "bind")]
        ) >= Some(1.0)
    );
    assert!(
        value(
            &samples,
            "sevendigital_connections",
            &[("listener", "metrics_bind")]
        ) >= Some(1.0)
    );
    site.upstream.open_gate();
    for call in made {
        call.await.unwrap();
    }
    let session = wire.session.as_deref().unwrap();
    let of_session = [
        ("mcp-session-id", session),
        ("mcp-protocol-version", "2025-11-25"),
    ];
    let ended = wire.send("DELETE", &wire.mcp, &of_session, "").await;
    assert!(ended.status < 300, "{ended:?}");
    drop(wire);
    let mut last = Samples::new();
    for _ in 0..200 {
        last = figures(&site.server).await;
        if value(&last, "sevendigital_connections", &[("listener", "bind")]) == Some(0.0) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    check(
        &last,
        &[
            (under_way, &[("kind", "charges")], 0.0),
            (under_way, &[("kind", "calls")], 0.0),
            ("sevendigital_sessions", &[], 0.0),
            ("sevendigital_connections", &[("listener", "bind")], 0.0),
        ],
    );
}

/// Every value that a label may have: all of them are this program's own.
fn is_ours(name: &str, value: &str) -> bool {
    let mut contracts = TOOLS.iter().map(|tool| tool.contract);
    match name {
        "tool" => contracts.any(|contract| contract.name == value),
        "operation" => contracts.any(|contract| contract.upstream.path == value),
        "outcome" => [
            "done", "replayed", "asked", "not_sent", "refused", "unknown",
        ]
        .contains(&value),
        "status" => value == "none" || (value.len() == 3 && value.parse::<u16>().is_ok()),
        "why" => ["not_sent", "interrupted"].contains(&value),
        "kind" => ["calls", "charges"].contains(&value),
        "listener" => ["bind", "rest_bind", "metrics_bind"].contains(&value),
        "le" => value.parse::<f64>().is_ok(),
        _ => false,
    }
}

#[tokio::test]
async fn nothing_that_a_client_or_7digital_chose_becomes_a_label() {
    let site = Site::with(&[
        FIGURES,
        ALLOW,
        ("SEVENDIGITAL_MCP_USER_FROM_HEADERS", "true"),
    ])
    .await;
    let plain = site.server.wire();
    let odd = "canary\"} 1\n# TYPE canary counter";
    let by_header = plain
        .with("X-7digital-User-Id", "canary")
        .with("X-Request-Id", "canary")
        .with("User-Agent", "canary");
    let answers = [
        Act::Sell,
        say(
            299,
            "X-RateLimit-Limit: canary\r\nX-Canary: canary\r\n",
            "canary",
        ),
        say(599, "", "canary"),
        Act::Say(ok(
            &json!({"status": "error", "error": {"code": 2001, "errorMessage": odd}}).to_string(),
        )),
    ];
    for act in answers {
        site.upstream.script(ANY, [act]);
        for wire in [&plain, &by_header] {
            odd_calls(wire, odd).await;
        }
    }
    let text = read(&site.server, &[]).await.text;
    assert!(!text.contains("canary"), "{text}");
    for (name, series) in parse(&text) {
        assert!(name.starts_with("sevendigital_"), "{name}");
        for (labels, _) in series {
            for (label, value) in labels {
                assert!(is_ours(&label, &value), "{name}: {label}={value}");
            }
        }
    }
}

async fn odd_calls(wire: &Wire, odd: &str) {
    for (tool, mut arguments) in calls() {
        if arguments["id"].is_string() {
            arguments["id"] = json!("canary");
        }
        for way in [Way::Modern, Way::Rest] {
            wire.call(way, tool, &arguments).await;
        }
        arguments[odd] = json!(odd);
        wire.call(Way::Modern, tool, &arguments).await;
    }
    let named = json!({"name": "canary", "arguments": {"canary": odd}});
    wire.modern(json!("canary"), "tools/call", named).await;
    wire.modern(json!("canary"), "canary/canary", json!({}))
        .await;
    for target in [
        "/canary",
        "/v1/canary",
        "/v1/user/payment/cardregistration/canary",
    ] {
        wire.send("GET", &format!("{}{target}", wire.rest), &[], "")
            .await;
        wire.send("CANARY", &format!("{}{target}", wire.rest), &[], "")
            .await;
    }
}

#[tokio::test]
async fn figures_are_for_this_machine_alone_and_for_no_web_page() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9464"] {
        let (folder, upstream) = (folder(), Upstream::start().await);
        let settings = [
            ("SEVENDIGITAL_MCP_METRICS_BIND", address),
            ("SEVENDIGITAL_MCP_BIND", "127.0.0.1:0"),
        ];
        let state = folder.path().to_str().unwrap();
        let mut server = Watched::start(
            &["serve", "--state-dir", state],
            &variables(&upstream.base_uri(), &settings),
        );
        assert_eq!(server.ended().await.code(), Some(2), "{address}");
        let told = server.stderr.text();
        assert!(
            told.contains("`metrics_bind`") && told.contains("loopback only"),
            "{told}"
        );
        assert!(!told.contains("listening"), "{told}");
    }
    let site = Site::with(&[
        FIGURES,
        ("SEVENDIGITAL_MCP_ALLOWED_HOSTS", "mcp.example.com"),
        ("SEVENDIGITAL_MCP_TOKEN", "0123456789abcdef0123456789abcdef"),
    ])
    .await;
    #[rustfmt::skip]
    let rows: [(&[(&str, &str)], u16); 9] = [
        (&[], 200),
        (&[("host", "localhost")], 200),
        (&[("host", "[::1]")], 200),
        (&[("host", "evil.example")], 403),
        (&[("host", "localhost.evil.example")], 403),
        (&[("origin", "https://evil.example")], 403),
        (&[("origin", "null")], 403),
        (&[("referer", "https://evil.example/")], 403),
        (&[("sec-fetch-site", "cross-site")], 403),
    ];
    for (headers, status) in rows {
        let reply = read(&site.server, headers).await;
        assert_eq!(reply.status, status, "{headers:?}: {reply:?}");
        assert_eq!(
            reply.text.contains("sevendigital_connections"),
            status == 200,
            "{headers:?}"
        );
    }
    let wire = site.server.wire();
    let url = site.server.address("/metrics").unwrap();
    assert_eq!(wire.send("POST", &url, &[], "").await.status, 405);
    // Nothing else is served there, and figures nowhere else.
    for path in ["/", "/healthz", "/mcp", "/v1/user/locker"] {
        let other = url.replace("/metrics", path);
        assert_eq!(
            wire.send("GET", &other, &[], "").await.status,
            404,
            "{path}"
        );
    }
    let none = wire
        .showing("0123456789abcdef0123456789abcdef")
        .with("host", "mcp.example.com");
    for other in [
        wire.mcp.replace("/mcp", "/metrics"),
        format!("{}/metrics", wire.rest),
    ] {
        assert_eq!(
            none.send("GET", &other, &[], "").await.status,
            404,
            "{other}"
        );
    }
    until("no request to 7digital", || {
        site.upstream.connections() == 0
    })
    .await;
}
