//! What is counted, and who may read it.

use serde_json::{Value, json};
use sevendigital_tools::TOOLS;

use super::Site;
use super::exposition::{Samples, parse, value};
use crate::support::calls::calls;
use crate::support::faults::say;
use crate::support::upstream::{ANY, Act, Upstream, ok, refusal};
use crate::support::{Client, Reply, Server, Setting, Surface, folder, program, variables, within};

const METRICS: Setting = ("SEVENDIGITAL_MCP_METRICS_BIND", "127.0.0.1:0");
const ALLOW: Setting = ("SEVENDIGITAL_MCP_SPENDING", "allow");

async fn metrics(server: &Server) -> Samples {
    let reply = read(server, &[]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.headers["content-type"], "text/plain; version=0.0.4");
    parse(&reply.text)
}

async fn read(server: &Server, headers: &[(&str, &str)]) -> Reply {
    let url = server.address("/metrics");
    server
        .caller()
        .that_can_ask()
        .fetch("GET", &url, headers, "")
        .await
}

/// The value of a sample that is written `name{label=value,…}`; nothing if there is none.
fn found(samples: &Samples, sample: &str) -> Option<f64> {
    let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
    let labels = labels
        .trim_end_matches('}')
        .split(',')
        .filter_map(|label| label.split_once('='));
    value(
        samples,
        &format!("sevendigital_{name}"),
        &labels.collect::<Vec<_>>(),
    )
}

/// Each row is a sample and its value.
#[track_caller]
fn check(samples: &Samples, rows: &[&str]) {
    for row in rows {
        let (sample, expected) = row.rsplit_once(' ').unwrap();
        let found = found(samples, sample);
        assert_eq!(found, Some(expected.parse().unwrap()), "{row}: {samples:?}");
    }
}

#[tokio::test]
async fn calls_are_counted_by_outcome_and_charges_by_the_ledger() {
    let site = Site::with(&[METRICS, ALLOW]).await;
    let (wire, upstream) = (site.server.caller().that_can_ask(), &site.upstream);
    let buy = async |release: &str| {
        let arguments = json!({"releaseId": release});
        wire.on(Surface::Modern, "purchase-user-item", &arguments)
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
    let choice = json!({"body": {"cardId": "1"}});
    wire.on(Surface::Rest, "select-user-payment-card", &choice)
        .await;
    upstream.script(ANY, [Act::Say(ok(r#"{"status": "ok"}"#))]);
    wire.on(Surface::Rest, "get-user-locker", &json!({})).await;
    wire.on(Surface::Modern, "get-user-locker", &json!({"page": "x"}))
        .await;
    // It is not that `ok` without a purchase were one.
    buy("5").await;
    let samples = metrics(&site.server).await;
    check(
        &samples,
        &[
            "calls_total{tool=purchase-user-item,outcome=done} 1",
            "calls_total{tool=purchase-user-item,outcome=replayed} 1",
            "calls_total{tool=purchase-user-item,outcome=refused} 2",
            "calls_total{tool=purchase-user-item,outcome=unknown} 2",
            "calls_total{tool=select-user-payment-card,outcome=unknown} 1",
            "calls_total{tool=get-user-locker,outcome=done} 1",
            "calls_total{tool=get-user-locker,outcome=not_sent} 1",
            "call_seconds_count{tool=purchase-user-item} 6",
            "call_seconds_count{tool=get-user-locker} 2",
            "charges_total{outcome=done} 1",
            "charges_total{outcome=refused} 2",
            "charges_total{outcome=unknown} 2",
            "upstream_responses_total{operation=/user/purchase/item,status=200} 4",
            "upstream_responses_total{operation=/user/purchase/item,status=500} 1",
            "upstream_seconds_count{operation=/user/purchase/item} 5",
        ],
    );
    assert_eq!(found(&samples, "charges_total{outcome=not_sent}"), None);
}

#[tokio::test]
async fn a_charge_that_never_left_is_counted_too() {
    let nowhere = ("SEVENDIGITAL_BASE_URI", "http://127.0.0.1:1/1.2");
    let site = Site::with(&[METRICS, ALLOW, nowhere]).await;
    let item = json!({"releaseId": "1"});
    site.server
        .caller()
        .that_can_ask()
        .on(Surface::Modern, "purchase-user-item", &item)
        .await;
    check(
        &metrics(&site.server).await,
        &[
            "charges_total{outcome=not_sent} 1",
            "upstream_responses_total{status=none,why=not_sent} 1",
        ],
    );
}

#[tokio::test]
async fn repeats_statuses_quotas_and_the_breaker_are_there() {
    let breaker = ("SEVENDIGITAL_MCP_LIMIT_BREAKER_MIN_CALLS", "4");
    let site = Site::with(&[METRICS, breaker]).await;
    let wire = site.server.caller().that_can_ask();
    let quota = "Content-Type: application/json\r\nX-RateLimit-Limit: 4000\r\nX-RateLimit-Current: 37\r\nX-RateLimit-Reset: 46968\r\n";
    let good = say(200, quota, r#"{"status": "ok"}"#);
    let locker = "/user/locker";
    site.upstream.script(locker, [say(503, "", ""), good]);
    wire.on(Surface::Rest, "get-user-locker", &json!({})).await;
    check(
        &metrics(&site.server).await,
        &[
            "upstream_retries_total{operation=/user/locker} 1",
            "upstream_responses_total{operation=/user/locker,status=503} 1",
            "upstream_responses_total{operation=/user/locker,status=200} 1",
            "rate_limit 4000",
            "rate_limit_current 37",
            "rate_limit_reset_seconds 46968",
            "breaker_open 0",
        ],
    );
    site.upstream.script(locker, [Act::Reset(Vec::new())]);
    for _ in 0..3 {
        wire.on(Surface::Rest, "get-user-locker", &json!({})).await;
    }
    let samples = metrics(&site.server).await;
    check(&samples, &["breaker_open 1"]);
    let interrupted = "upstream_responses_total{status=none,why=interrupted}";
    assert!(found(&samples, interrupted) >= Some(1.0));
    assert!(found(&samples, "upstream_retries_total") >= Some(2.0));
}

#[tokio::test]
async fn what_is_in_flight_and_open_goes_up_and_down_again() {
    let site = Site::with(&[METRICS, ALLOW]).await;
    let wire = site.client().await;
    site.upstream.script(ANY, [Act::Held(Box::new(Act::Sell))]);
    let call = |tool: &'static str, arguments: Value| {
        let wire = wire.clone();
        tokio::spawn(async move { wire.on(Surface::Modern, tool, &arguments).await })
    };
    let made = [
        call("purchase-user-item", json!({"releaseId": "1"})),
        call("list-user-payment-cards", json!({})),
    ];
    site.upstream.wait_for("/user/purchase/item", 1).await;
    let samples = metrics(&site.server).await;
    check(&samples, &["calls_in_flight{kind=charges} 1", "sessions 1"]);
    for listener in ["bind", "metrics_bind"] {
        let connections = format!("connections{{listener={listener}}}");
        assert!(found(&samples, &connections) >= Some(1.0), "{connections}");
    }
    site.upstream.open_gate();
    for call in made {
        call.await.unwrap();
    }
    let ended = wire.bare("DELETE").await;
    assert!(ended.status < 300, "{ended:?}");
    drop(wire);
    let closed = async {
        loop {
            let samples = metrics(&site.server).await;
            if found(&samples, "connections{listener=bind}") == Some(0.0) {
                return samples;
            }
        }
    };
    check(
        &within("the connections to close", closed).await,
        &[
            "calls_in_flight{kind=charges} 0",
            "calls_in_flight{kind=calls} 0",
            "sessions 0",
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
            "done",
            "replayed",
            "confirmation_required",
            "not_sent",
            "refused",
            "unknown",
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
        METRICS,
        ALLOW,
        ("SEVENDIGITAL_MCP_USER_FROM_HEADERS", "true"),
    ])
    .await;
    let plain = site.server.caller().that_can_ask();
    let odd = "canary\"} 1\n# TYPE canary counter";
    let by_header = plain
        .with("X-7digital-User-Id", "canary")
        .with("X-Request-Id", "canary")
        .with("User-Agent", "canary");
    #[rustfmt::skip]
    let answers = [
        Act::Sell,
        say(299, "X-RateLimit-Limit: canary\r\nX-Canary: canary\r\n", "canary"),
        say(599, "", "canary"),
        Act::Say(ok(&json!({"status": "error", "error": {"code": 2001, "errorMessage": odd}}).to_string())),
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

async fn odd_calls(wire: &Client, odd: &str) {
    for (tool, mut arguments) in calls() {
        if arguments["id"].is_string() {
            arguments["id"] = json!("canary");
        }
        for way in [Surface::Modern, Surface::Rest] {
            wire.on(way, tool, &arguments).await;
        }
        arguments[odd] = json!(odd);
        wire.on(Surface::Modern, tool, &arguments).await;
    }
    let named = json!({"name": "canary", "arguments": {"canary": odd}});
    wire.ask_as(json!("canary"), "tools/call", named)
        .await
        .unwrap();
    wire.ask_as(json!("canary"), "canary/canary", json!({}))
        .await
        .unwrap();
    for target in [
        "/canary",
        "/v1/canary",
        "/v1/user/payment/cardregistration/canary",
    ] {
        wire.fetch("GET", &format!("{}{target}", wire.rest), &[], "")
            .await;
        wire.fetch("CANARY", &format!("{}{target}", wire.rest), &[], "")
            .await;
    }
}

#[tokio::test]
async fn metrics_are_served_on_no_network() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9464"] {
        let (folder, upstream) = (folder(), Upstream::start().await);
        let settings = [
            ("SEVENDIGITAL_MCP_METRICS_BIND", address),
            ("SEVENDIGITAL_MCP_BIND", "127.0.0.1:0"),
        ];
        let state = folder.path().to_str().unwrap();
        let variables = variables(&upstream.base_uri(), &settings);
        let mut server = Server::spawn(program(&["serve", "--state-dir", state], &variables));
        assert_eq!(server.ended().await.code(), Some(2), "{address}");
        let told = server.log();
        for words in ["`metrics_bind`", "loopback only"] {
            assert!(told.contains(words), "{told}");
        }
        assert!(!told.contains("listening"), "{told}");
    }
}

#[tokio::test]
async fn metrics_are_for_no_web_page_and_stand_at_one_address() {
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    let site = Site::with(&[
        METRICS,
        ("SEVENDIGITAL_MCP_ALLOWED_HOSTS", "mcp.example.com"),
        ("SEVENDIGITAL_MCP_TOKEN", TOKEN),
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
        let is_shown = reply.text.contains("sevendigital_connections");
        assert_eq!(is_shown, status == 200, "{headers:?}");
    }
    let wire = site.server.caller().that_can_ask();
    let url = site.server.address("/metrics");
    assert_eq!(wire.fetch("POST", &url, &[], "").await.status, 405);
    // Nothing else is served there, and metrics nowhere else.
    for path in ["/", "/healthz", "/mcp", "/v1/user/locker"] {
        let other = url.replace("/metrics", path);
        let status = wire.fetch("GET", &other, &[], "").await.status;
        assert_eq!(status, 404, "{path}");
    }
    let caller = wire.showing(TOKEN);
    for port in [wire.mcp.strip_suffix("/mcp").unwrap(), &wire.rest] {
        let host = [("host", "mcp.example.com")];
        let reply = caller
            .fetch("GET", &format!("{port}/metrics"), &host, "")
            .await;
        assert_eq!(reply.status, 404, "{port}");
    }
    assert_eq!(site.upstream.connections(), 0);
}
