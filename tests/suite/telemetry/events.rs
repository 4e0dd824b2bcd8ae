//! What log lines are made of.

use serde_json::{Value, json};

use super::{Site, id_in};
use crate::secrets::{jwt, variables as with_callers};
use crate::support::tokens::Authority;
use crate::support::upstream::{ANY, Act, Upstream, refusal};
use crate::support::{Server, Setting, Surface, folder};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const JSON: Setting = ("SEVENDIGITAL_MCP_LOG_FORMAT", "json");

/// The lines of a log, each an object; those that tell addresses are for people.
fn events(log: &str) -> Vec<Value> {
    let lines = log
        .lines()
        .filter(|line| !line.starts_with("listening on "));
    lines
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

/// The fields of the call that an event belongs to.
fn call(event: &Value) -> &Value {
    assert_eq!(event["span"]["name"], "call", "{event}");
    &event["span"]
}

#[tokio::test]
async fn a_json_line_names_tool_request_caller_and_trace() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    let authority = Authority::start().await;
    upstream.script(ANY, [Act::Say(refusal(200, 2001))]);
    let mut settings = with_callers(&upstream.base_uri(), &authority.url("/keys"), &[JSON]);
    settings.retain(|(name, _)| name != "SEVENDIGITAL_MCP_TOKEN");
    let server = Server::serve(folder.path(), &[], &settings).await;
    let somebody = server
        .caller()
        .that_can_ask()
        .showing(&jwt("user-7"))
        .with("traceparent", &format!("00-{TRACE}-00f067aa0cd902e7-01"));
    for (tool, arguments) in [
        ("get-user-locker", json!({})),
        ("select-user-payment-card", json!({"body": {"cardId": "1"}})),
        ("purchase-user-item", json!({"releaseId": "1"})),
    ] {
        let reply = somebody.on(Surface::Modern, tool, &arguments).await;
        let id = id_in(&reply.message()["result"]);
        server.until_logged(&id).await;
        let events = events(&server.log());
        let about = |event: &&Value| event["span"]["request_id"] == json!(id);
        let about: Vec<&Value> = events.iter().filter(about).collect();
        assert!(!about.is_empty(), "{tool}");
        for event in &about {
            let call = call(event);
            assert_eq!(call["tool.name"], tool, "{event}");
            assert_eq!(call["caller"], "sub:user-7", "{event}");
            assert_eq!(call["trace_id"], TRACE, "{event}");
            assert_eq!(call["span_id"].as_str().unwrap().len(), 16, "{event}");
            assert!(event["level"].is_string() && event["timestamp"].is_string());
        }
        let failed = about.iter().any(|event| event["level"] == "WARN");
        assert!(failed, "{tool}: {about:?}");
        // What changes something is in the audit log, once, with what came of it.
        let audited: Vec<_> = about
            .iter()
            .filter(|event| event["target"] == "audit")
            .collect();
        let expected = usize::from(tool != "get-user-locker");
        assert_eq!(audited.len(), expected, "{tool}: {about:?}");
        for event in audited {
            assert_eq!(event["fields"]["outcome"], "refused", "{event}");
            assert_eq!(event["fields"]["tool.name"], tool, "{event}");
        }
    }
}

#[tokio::test]
async fn a_request_that_is_refused_is_one_json_line() {
    let mut site = Site::with(&[JSON]).await;
    let wire = site.server.caller().that_can_ask();
    let reply = wire
        .fetch("GET", &format!("{}/v1/nowhere", wire.rest), &[], "")
        .await;
    let problem = reply.message();
    let id = problem["requestId"].as_str().unwrap();
    site.knows("refused", id, "rejected").await;
    let events = events(&site.server.log());
    let about: Vec<_> = events
        .iter()
        .filter(|event| event["fields"]["request_id"] == id)
        .collect();
    assert_eq!(about.len(), 1, "{about:?}");
    let fields = &about[0]["fields"];
    assert_eq!(fields["method"], "GET", "{fields}");
    assert_eq!(fields["path"], "/v1/nowhere", "{fields}");
    assert!(
        fields["status"].as_str().unwrap().starts_with("404"),
        "{fields}"
    );
}
