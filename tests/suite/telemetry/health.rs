//! Whether the process lives, and whether it takes calls.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::Site;
use crate::support::upstream::{ANY, Act, http};
use crate::support::{Client, Reply, SURFACES, Surface, program, within};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Both addresses, each with that path.
fn at(wire: &Client, path: &str) -> [String; 2] {
    let mcp = wire.mcp.strip_suffix("/mcp").unwrap();
    [format!("{mcp}{path}"), format!("{}{path}", wire.rest)]
}

async fn get(wire: &Client, url: &str) -> Reply {
    wire.fetch("GET", url, &[], "").await
}

#[tokio::test]
async fn anybody_on_this_machine_may_ask_and_7digital_is_not_asked() {
    let site = Site::with(&[("SEVENDIGITAL_MCP_TOKEN", TOKEN)]).await;
    let wire = site.server.caller().that_can_ask();
    for (path, words) in [("/healthz", "alive\n"), ("/readyz", "ready\n")] {
        for url in at(&wire, path) {
            let reply = get(&wire, &url).await;
            assert_eq!((reply.status, reply.text.as_str()), (200, words), "{url}");
            assert_eq!(reply.headers["cache-control"], "no-store", "{url}");
            // A cluster's probe comes with the address of the pod.
            let host = [("host", "10.244.1.7:9090")];
            let probe = wire.fetch("GET", &url, &host, "").await;
            assert_eq!(probe.status, 200, "{url}");
            for method in ["POST", "PUT", "DELETE"] {
                assert_eq!(
                    wire.fetch(method, &url, &[], "").await.status,
                    405,
                    "{method} {url}"
                );
            }
        }
    }
    assert_eq!(site.upstream.connections(), 0);
}

#[tokio::test]
async fn health_needs_no_7digital() {
    let site = Site::with(&[("SEVENDIGITAL_BASE_URI", "http://127.0.0.1:1/1.2")]).await;
    let wire = site.server.caller().that_can_ask();
    for path in ["/healthz", "/readyz"] {
        for url in at(&wire, path) {
            assert_eq!(get(&wire, &url).await.status, 200, "{url}");
        }
    }
}

#[tokio::test]
async fn while_it_drains_it_is_alive_not_ready_and_answers_calls_in_flight() {
    let mut site = Site::with(&[]).await;
    let wire = site.client().await;
    site.upstream.script(ANY, [Act::Held(Box::new(Act::Sell))]);
    let mut in_flight = JoinSet::new();
    for (number, way) in SURFACES.into_iter().enumerate() {
        for (tool, arguments) in [
            (
                "purchase-user-item",
                json!({"releaseId": number.to_string()}),
            ),
            ("list-user-payment-cards", json!({})),
        ] {
            let wire = wire.clone();
            in_flight.spawn(async move { wire.on(way, tool, &arguments).await });
        }
    }
    site.upstream.wait_for("/user/purchase/item", 3).await;
    site.upstream.wait_for("/user/payment/card", 3).await;
    site.server.signal("TERM");
    let stopping = async {
        for url in at(&wire, "/readyz") {
            while get(&wire, &url).await.status == 200 {}
        }
    };
    within("the server to say that it stops", stopping).await;
    let arrived = site.upstream.connections();
    for (url, alive) in at(&wire, "/readyz").into_iter().zip(at(&wire, "/healthz")) {
        let reply = get(&wire, &url).await;
        assert_eq!(
            (reply.status, reply.text.as_str()),
            (503, "stopping\n"),
            "{url}"
        );
        assert_eq!(get(&wire, &alive).await.status, 200, "{alive}");
    }
    for way in SURFACES {
        check_stopping(&mut site, &wire, way).await;
    }
    assert_eq!(site.upstream.connections(), arrived, "no new call was sent");
    site.upstream.open_gate();
    let answers = within("the answers", in_flight.join_all()).await;
    assert_eq!(answers.len(), 2 * SURFACES.len());
    for reply in answers {
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(!reply.text.contains("\"isError\":true"), "{reply:?}");
    }
    assert!(site.server.ended().await.success());
}

/// A new call is refused in the form of its surface, under an id that the log knows.
async fn check_stopping(site: &mut Site, wire: &Client, way: Surface) {
    let reply = wire.on(way, "get-user-locker", &json!({})).await;
    assert_eq!(reply.status, 503, "{way:?}: {reply:?}");
    assert_eq!(reply.headers["retry-after"], "1", "{way:?}");
    let document: Value = serde_json::from_str(&reply.text).unwrap();
    let id = if way == Surface::Rest {
        assert_eq!(reply.kind(), "application/problem+json");
        assert_eq!(document["type"], "/problems/stopping");
        assert_eq!(document["status"], 503);
        &document["requestId"]
    } else {
        assert_eq!(reply.kind(), "application/json");
        assert_eq!(document["jsonrpc"], "2.0");
        assert!(document["error"]["code"].is_i64(), "{document}");
        &document["error"]["data"]["requestId"]
    };
    let what = format!("{way:?}");
    site.knows(&what, id.as_str().unwrap(), "shutting down")
        .await;
}

/// Runs `health` to its end: whether it says that the server lives, and its words.
async fn health(arguments: &[&str]) -> (bool, String) {
    let arguments: Vec<&str> = ["health"].iter().chain(arguments).copied().collect();
    // A proxy has no business between a probe and its server.
    let proxy = ["http_proxy", "ALL_PROXY"];
    let proxy = proxy.map(|name| (name.to_owned(), "http://127.0.0.1:1".to_owned()));
    let output = within("health", program(&arguments, &proxy).output()).await;
    let output = output.unwrap();
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{arguments:?}: {output:?}");
    let words = [output.stdout, output.stderr].concat();
    (code == Some(0), String::from_utf8(words).unwrap())
}

#[tokio::test]
async fn the_command_health_tells_a_server_that_lives_from_none() {
    let mut site = Site::with(&[]).await;
    let mcp = site.server.caller().mcp;
    let port = mcp
        .rsplit(':')
        .next()
        .unwrap()
        .strip_suffix("/mcp")
        .unwrap();
    let (own, all) = (format!("127.0.0.1:{port}"), format!("0.0.0.0:{port}"));
    for arguments in [["--url", &mcp], ["--bind", &own], ["--bind", &all]] {
        let alive = (true, "alive\n".to_owned());
        assert_eq!(health(&arguments).await, alive, "{arguments:?}");
    }
    // Something else answers there.
    let gone = Act::Say(http(503, "", ""));
    site.upstream.script(ANY, [gone]);
    let other = format!("http://{}", site.upstream.address);
    let (alive, words) = health(&["--url", &other]).await;
    assert!(!alive && words.contains("answered 503"), "{words}");

    site.server.signal("TERM");
    assert!(site.server.ended().await.success());
    let (alive, words) = health(&["--bind", &own]).await;
    assert!(!alive && words.contains("did not answer"), "{words}");
}
