//! How large a body may be, and what it is made of.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, header};
use sevendigital_mcp::config::{Config, Layers};
use sevendigital_mcp::http::body::BodyReader;

use super::requests::{doors, unharmed};
use crate::support::draft::Draft;
use crate::support::{World, within};

const LIMIT: usize = 256 << 10;

/// The same request with blanks behind its document, up to that size.
fn grown(good: &Draft, size: usize) -> Draft {
    let blanks = vec![b' '; size - good.body.len()];
    good.clone().holding([good.body.clone(), blanks].concat())
}

#[tokio::test]
async fn a_body_of_the_limit_passes_and_one_byte_more_does_not() {
    let world = World::start().await;
    for (door, good) in doors(&world) {
        let before = world.arrivals().len();
        for fits in [grown(&good, LIMIT), grown(&good, LIMIT).in_chunks(10_000)] {
            let answer = fits.send().await;
            assert_eq!(answer.status, 200, "{door}: {answer:?}");
        }
        assert_eq!(world.arrivals().len(), before + 2);
        for size in [LIMIT + 1, 2 * LIMIT] {
            let large = grown(&good, size);
            for large in [
                large.clone(),
                large.clone().in_chunks(10_000),
                large.in_chunks(1 << 20),
            ] {
                let answers = large.send_what_is_taken().await;
                answers[0].check_refused(door, 413, &[-32600]);
                let kind = &answers[0].json()["type"];
                assert!(door == "MCP" || kind == "/problems/too-large", "{kind}");
                assert_eq!(answers[0].header("connection"), Some("close"), "{door}");
                assert_eq!(answers.len(), 1, "{door}: {answers:?}");
            }
        }
        assert_eq!(world.arrivals().len(), before + 2);
    }
    unharmed(&world, 4).await;
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_refused_before_it_comes() {
    let world = World::start().await;
    for (door, good) in doors(&world) {
        for length in ["262145", "1073741824", "9223372036854775807"] {
            let announced = good.clone().and("Content-Length", length).holding("");
            for draft in [announced.clone(), announced.and("Expect", "100-continue")] {
                let answers = draft.start().await.answers().await;
                answers[0].check_refused(door, 413, &[-32600]);
                assert_eq!(answers.len(), 1, "{door}: {answers:?}");
            }
        }
    }
    unharmed(&world, 0).await;
}

#[tokio::test]
async fn of_a_body_without_end_the_limit_and_one_read_are_taken() {
    const FRAME: usize = 64 << 10;
    let reader = BodyReader::new(&Config::load(&Layers::default()).unwrap().limits);
    for (length, most) in [(None, LIMIT + FRAME), (Some("1073741824"), 0)] {
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        let endless = futures::stream::repeat_with(move || {
            count.fetch_add(FRAME, Ordering::SeqCst);
            Ok::<_, std::io::Error>(Bytes::from(vec![b' '; FRAME]))
        });
        let mut headers = HeaderMap::new();
        if let Some(length) = length {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static(length));
        }
        let read = reader.read(&headers, Body::from_stream(endless.boxed()));
        assert!(within("a refusal", read).await.is_err());
        let taken = taken.load(Ordering::SeqCst);
        assert!(taken <= most, "{length:?}: {taken}");
    }
    // The same on a socket: what is written beyond that lies in the buffers of the two systems.
    let world = World::start().await;
    for (door, good) in doors(&world) {
        let endless = good
            .clone()
            .with("Transfer-Encoding", "chunked")
            .holding("");
        let mut wire = endless.start().await;
        let chunk = [b"10000\r\n", &*vec![b' '; 0x10000], b"\r\n"].concat();
        let mut written = 0;
        within("the end of it", async {
            while wire.send(&chunk).await.is_ok() {
                written += chunk.len();
            }
        })
        .await;
        println!(
            "{door}: {} KiB could be written before the server closed",
            written >> 10
        );
        let answers = wire.answers().await;
        answers[0].check_refused(door, 413, &[-32600]);
    }
    unharmed(&world, 0).await;
}

#[tokio::test]
async fn what_is_no_document_within_bounds_is_refused_as_such() {
    let world = World::start().await;
    for (door, good) in doors(&world) {
        // Levels above the card's id.
        let above = if door == "MCP" { 4 } else { 1 };
        let id = "\"8154431\"";
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let whole = good.body.clone();
        let but = |other: &str| good.but(id, other);
        #[rustfmt::skip]
        let rows: Vec<(&str, Draft)> = vec![
            ("nothing", good.clone().holding("")),
            ("a blank", good.clone().holding(" ")),
            ("a word", good.clone().holding("garbage")),
            ("a form", good.clone().holding("cardId=8154431")),
            ("two documents", good.clone().holding([whole.clone(), whole.clone()].concat())),
            ("a NUL behind", good.clone().holding([&whole, &b"\0"[..]].concat())),
            ("a NUL before", good.clone().holding([b"\0", &whole[..]].concat())),
            ("a byte order mark", good.clone().holding([b"\xef\xbb\xbf", &whole[..]].concat())),
            ("UTF-16", good.clone().holding(whole.iter().flat_map(|byte| [*byte, 0]).collect::<Vec<_>>())),
            ("invalid UTF-8", good.but(id, b"\"\xff\"")),
            ("an overlong slash", good.but(id, b"\"\xc0\xaf\"")),
            ("a surrogate in UTF-8", good.but(id, b"\"\xed\xa0\x80\"")),
            ("a NUL in a text", but("\"815\x004431\"")),
            ("a line end in a text", but("\"815\n4431\"")),
            ("half of a pair", but(r#""\ud800""#)),
            ("the other half", but(r#""\udc00""#)),
            ("the halves swapped", but(r#""\udc00\ud800""#)),
            ("an escape that is none", but(r#""\x41""#)),
            ("a number without end", but("1e999")),
            ("not a number", but("NaN")),
            ("infinity", but("-Infinity")),
            ("a leading zero", but("01")),
            ("a hexadecimal", but("0x10")),
            ("a comment", but("/* */ \"8154431\"")),
            ("single quotes", but("'8154431'")),
            ("a trailing comma", but("\"8154431\",")),
            ("a key twice in the arguments", but("\"8154431\", \"cardId\": \"8154430\"")),
            ("a key twice in another spelling", but(r#""8154431", "card\u0049d": "8154430""#)),
            ("33 levels", but(&nested(33 - above))),
            ("129 levels", but(&nested(129 - above))),
            ("100,000 levels", but(&nested(100_000))),
            ("objects without end", good.clone().holding("{\"a\":".repeat(40_000))),
            ("256 KiB of [", good.clone().holding("[".repeat(LIMIT))),
        ];
        for (what, draft) in rows {
            let answer = draft.send().await;
            println!("{door}, {what}: {}", answer.status);
            answer.check_refused(door, 400, &[-32700]);
        }
        for size in 1..whole.len() {
            let answer = good.clone().holding(&whole[..size]).send().await;
            answer.check_refused(door, 400, &[-32700]);
        }
        let flood = good.holding("[".repeat(5 << 20)).send_what_is_taken().await;
        flood[0].check_refused(door, 413, &[-32600]);
    }
    unharmed(&world, 0).await;
}

#[tokio::test]
async fn depth_and_width_have_an_edge_within_which_documents_are_read() {
    let world = World::start().await;
    let [(_, mcp), (_, rest)] = doors(&world);
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let keys = |count: usize| {
        let keys: Vec<String> = (0..count).map(|key| format!("\"key{key}\": 1")).collect();
        keys.join(", ")
    };
    // The message, its parameters and `_meta` are three levels; `_meta` has three keys.
    let version = "\"io.modelcontextprotocol/protocolVersion\"";
    for (inside, passes) in [
        (format!("\"x\": {}", nested(29)), true),
        (format!("\"x\": {}", nested(30)), false),
        (keys(61), true),
        (keys(62), false),
    ] {
        let answer = mcp
            .but(version, format!("{inside}, {version}"))
            .send()
            .await;
        if passes {
            assert_eq!(answer.status, 200, "{inside}: {answer:?}");
            assert_eq!(answer.json()["result"]["isError"], false, "{answer:?}");
        } else {
            answer.check_refused("MCP", 400, &[-32700]);
        }
    }
    // Here nothing is nested: what can be read is refused for that.
    let id = "\"8154431\"";
    for (inside, slug) in [
        (nested(31), "invalid-argument"),
        (nested(32), "unreadable-request"),
        (format!("{id}, {}", keys(63)), ""),
        (format!("{id}, {}", keys(64)), "unreadable-request"),
    ] {
        let answer = rest.but(id, &inside).send().await;
        if slug.is_empty() {
            assert_eq!(answer.status, 200, "{answer:?}");
            continue;
        }
        answer.check_refused("REST", 400, &[]);
        assert_eq!(
            answer.json()["type"],
            format!("/problems/{slug}"),
            "{inside}"
        );
    }
    unharmed(&world, 3).await;
}
