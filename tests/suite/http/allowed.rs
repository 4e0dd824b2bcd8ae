//! Pages of other sites that the operator lets in: they may call and read, and no page else may.

use super::requests::doors;
use crate::support::World;
use crate::support::draft::{Answer, Draft};

const PAGE: &str = "https://app.example.com";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// What a browser asks before it sends a request of another site's page.
fn preflight(draft: &Draft, origin: &str, headers: &str) -> Draft {
    let target = draft.line.split(' ').nth(1).unwrap();
    Draft::new(&format!("http://{}", draft.address), "OPTIONS", target)
        .and("Origin", origin)
        .and("Sec-Fetch-Site", "cross-site")
        .and("Access-Control-Request-Method", "POST")
        .and("Access-Control-Request-Headers", headers)
}

fn readers(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

fn list(answer: &Answer, name: &str) -> Vec<String> {
    let list = answer.header(name).unwrap_or_default().to_ascii_lowercase();
    list.split(',').map(|item| item.trim().to_owned()).collect()
}

/// The page may read the answer, and what it needs of its headers.
fn check_readable(answer: &Answer, origin: &str, what: &str) {
    assert_eq!(readers(answer), Some(origin), "{what}: {answer:?}");
    let exposed = list(answer, "access-control-expose-headers");
    for header in [
        "www-authenticate",
        "retry-after",
        "x-request-id",
        "mcp-session-id",
    ] {
        assert!(exposed.contains(&header.to_owned()), "{what}: {exposed:?}");
    }
    let vary = list(answer, "vary");
    assert!(vary.contains(&"origin".to_owned()), "{answer:?}");
    let credentials = answer.header("access-control-allow-credentials");
    assert_eq!(credentials, None);
}

#[tokio::test]
async fn a_page_that_is_let_in_calls_and_reads_even_what_is_refused() {
    let origins = format!("{PAGE}, http://localhost:6274");
    let world = World::with(&[
        ("SEVENDIGITAL_MCP_ALLOWED_ORIGINS", &origins),
        ("SEVENDIGITAL_MCP_TOKEN", TOKEN),
    ])
    .await;
    let bearer = format!("Bearer {TOKEN}");
    for (door, good) in doors(&world) {
        let sent =
            "content-type,authorization,mcp-protocol-version,mcp-method,mcp-name,traceparent";
        for origin in [PAGE, "http://localhost:6274"] {
            // Asked without the token: a browser can't show it yet.
            let asked = preflight(&good, origin, sent).send().await;
            assert!([200, 204].contains(&asked.status), "{door}: {asked:?}");
            assert_eq!(readers(&asked), Some(origin), "{door}: {asked:?}");
            let methods = list(&asked, "access-control-allow-methods");
            assert!(methods.contains(&"post".to_owned()), "{door}: {asked:?}");
            let headers = list(&asked, "access-control-allow-headers");
            for header in sent.split(',') {
                assert!(headers.contains(&header.to_owned()), "{door}: {header}");
            }
            let page = good.clone().and("Origin", origin);
            let page = page.and("Sec-Fetch-Site", "cross-site");
            let shown = page.clone().and("Authorization", &bearer);
            let rows = [
                ("well", shown.clone(), 200),
                ("without a token", page, 401),
                ("to nowhere", shown.clone().to("POST", "/nowhere"), 404),
                (
                    "with too much",
                    shown.clone().holding(" ".repeat(300_000)),
                    413,
                ),
                ("without a document", shown.holding(""), 400),
            ];
            for (what, draft, status) in rows {
                let answer = draft.send().await;
                assert_eq!(answer.status, status, "{door}, {what}: {answer:?}");
                check_readable(&answer, origin, what);
            }
        }
    }
    assert_eq!(world.arrivals().len(), 4);
}

#[tokio::test]
async fn no_other_page_may_call_and_none_reads_anything() {
    let with_list = World::with(&[("SEVENDIGITAL_MCP_ALLOWED_ORIGINS", PAGE)]).await;
    let without = World::start().await;
    for world in [&with_list, &without] {
        for (door, good) in doors(world) {
            for origin in [
                "https://evil.example",
                "https://app.example.com.evil.example",
                "https://evil-app.example.com",
                "http://app.example.com",
                "https://app.example.com:8443",
                "https://app.example.com.",
                "https://user@app.example.com",
                "null",
                "",
            ] {
                let page = good
                    .clone()
                    .and("Origin", origin)
                    .and("Sec-Fetch-Site", "cross-site");
                for draft in [preflight(&good, origin, "content-type"), page] {
                    let answer = draft.send().await;
                    assert_eq!(answer.status, 403, "{door}, {origin}: {answer:?}");
                    let told = ["origin", "methods", "headers"].map(|what| {
                        answer
                            .header(&format!("access-control-allow-{what}"))
                            .is_some()
                    });
                    assert_eq!(told, [false; 3], "{door}, {origin}: {answer:?}");
                }
            }
            // A page that is let in, and two at once.
            let two = good
                .clone()
                .and("Origin", PAGE)
                .and("Origin", "https://evil.example");
            assert_eq!(two.send().await.status, 403, "{door}");
        }
        assert_eq!(world.arrivals().len(), 0);
    }
    // Where no page is let in, no page may read anything, not even ours.
    for (door, good) in doors(&without) {
        let own = format!("http://{}", good.address);
        let asked = preflight(&good, &own, "content-type").with("Sec-Fetch-Site", "same-origin");
        let answer = asked.send().await;
        assert_eq!(
            (answer.status, readers(&answer)),
            (405, None),
            "{door}: {answer:?}"
        );
    }
    assert_eq!(without.arrivals().len(), 0);
}
