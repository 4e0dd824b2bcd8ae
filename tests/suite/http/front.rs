//! What stands at `/` and `/mcp/`, where people and programs come by mistake.

use serde_json::json;

use super::requests::{doors, unharmed};
use crate::support::draft::Draft;
use crate::support::{Client, LEGACY, World};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// What a client accepts, and the kind of page that it gets.
#[rustfmt::skip]
const ACCEPTED: [(Option<&str>, &str); 7] = [
    (Some(BROWSER), "text/html"),
    (Some("text/html"), "text/html"),
    (Some("application/json"), "application/json"),
    (Some("application/json, text/event-stream"), "application/json"),
    (Some("text/html;q=0.5, application/json"), "application/json"),
    (Some("*/*"), "application/json"),
    (None, "application/json"),
];

#[tokio::test]
async fn a_browser_gets_a_page_and_a_program_json_at_the_root() {
    let world = World::start().await;
    for (url, path) in [(&world.url, "/mcp"), (&world.rest, "/docs")] {
        for (accept, kind) in ACCEPTED {
            let draft = Draft::new(url, "GET", "/");
            let draft = match accept {
                Some(accept) => draft.and("Accept", accept),
                None => draft,
            };
            let answer = draft.send().await;
            assert_eq!(
                (answer.status, answer.kind()),
                (200, kind),
                "{accept:?}: {answer:?}"
            );
            let text = String::from_utf8(answer.body.clone()).unwrap();
            assert!(text.contains(path) && text.contains("7digital"), "{text}");
            assert!(text.len() < 2000, "{text}");
            for (name, value) in [
                ("cache-control", "no-store"),
                ("x-content-type-options", "nosniff"),
                ("vary", "Accept"),
            ] {
                assert_eq!(answer.header(name), Some(value), "{accept:?}: {answer:?}");
            }
            assert!(answer.header("x-request-id").is_some());
            if kind == "text/html" {
                let policy = answer.header("content-security-policy").unwrap();
                assert!(policy.starts_with("default-src 'none';"), "{policy}");
                assert!(
                    !text.contains("<script") && !text.contains("style"),
                    "{text}"
                );
            } else {
                assert_eq!(answer.json()["name"], "sevendigital-mcp");
                assert!(answer.json()["paths"][path].is_string(), "{text}");
            }
        }
        let answer = Draft::new(url, "HEAD", "/").send().await;
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{answer:?}");
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = Draft::new(url, method, "/").send().await;
            assert_eq!(answer.status, 405, "{method}: {answer:?}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD"), "{method}");
            assert!(answer.kind().ends_with("json"), "{answer:?}");
            let text = String::from_utf8(answer.body).unwrap();
            assert!(text.contains(path), "{method}: {text}");
        }
    }
    unharmed(&world, 0).await;
}

#[tokio::test]
async fn a_slash_at_the_end_makes_no_other_endpoint() {
    let world = World::start().await;
    let [(_, good), _] = doors(&world);
    let answer = good.to("POST", "/mcp/").send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let hello = Client::of(&world).initialize(LEGACY[0]).await;
    let session = Client::of(&world).within(&hello.session(), LEGACY[0]);
    for (method, status) in [("GET", 200), ("PUT", 405), ("DELETE", 204)] {
        let draft = session.bare_request(method).to(method, "/mcp/");
        let reply = session.transmit(draft).await.unwrap();
        assert_eq!(reply.status(), status, "{method}");
    }
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let after = session.say(&ping).await;
    assert_eq!(after.status, 404, "{after:?}");
}
