//! Thousands of bodies that were good once: each gets the one answer that it must get, and only good ones reach a tool.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;

use super::requests::{doors, unharmed};
use crate::support::World;
use crate::support::draft::{Answer, Draft, Wire};

/// What a mutation puts in.
#[rustfmt::skip]
const NASTY: &[&[u8]] = &[
    b"{", b"}", b"[", b"]", b"\"", b":", b",", b"\\", b"\0", b"\n", b"\xff", b"\xc0\x80", b"\xed\xa0\x80",
    b"\xef\xbb\xbf", b"\\u0000", b"\\ud800", b"\\u", b"null", b"true", b"1e999", b"-0", b"1e23", b"0.1",
    b"18446744073709551616", b"[]", b"{}", b"\"id\":null,", b"\"id\":1.5,", b"\"method\":\"tools/list\",",
    b"\"jsonrpc\":\"1.0\",", b"\"params\":[],", b"\"cardId\":\"1\",", b"\"oauth_token\":\"1\",", b"//",
    b"/**/", b"'", b"NaN",
];

/// Another body than that, and perhaps as good a one.
fn mutated(good: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut body = good.to_vec();
    for _ in 0..random.random_range(1..=3) {
        if body.is_empty() {
            break;
        }
        let from = random.random_range(0..body.len());
        let to = (from + random.random_range(1..=12)).min(body.len());
        match random.random_range(0..7) {
            0 => body[from] ^= 1 << random.random_range(0..8),
            1 => drop(body.drain(from..to)),
            2 => body.truncate(from),
            3 => {
                let again = body[from..to].to_vec();
                body.splice(from..from, again);
            }
            4 => body[from..to].reverse(),
            5 => {
                let nasty = *NASTY.choose(random).unwrap();
                body.splice(from..from, nasty.iter().copied());
            }
            _ => {
                let nasty = *NASTY.choose(random).unwrap();
                body.splice(from..to, nasty.iter().copied());
            }
        }
    }
    body
}

/// What must be said of a body over MCP: the status, and the codes of which one comes with it.
fn expected(body: &[u8]) -> (&'static [u16], &'static [i64]) {
    let Ok(message) = serde_json::from_slice::<Value>(body) else {
        return (&[400], &[-32700]);
    };
    let id = &message["id"];
    let is_id = id.is_string() || id.is_i64() || message.get("id").is_none();
    if message["jsonrpc"] != "2.0" || !message["method"].is_string() || !is_id {
        // A key twice is no document here, whatever it says.
        return (&[400], &[-32600, -32700]);
    }
    (
        &[200, 202, 400, 404],
        &[-32600, -32700, -32601, -32602, -32020, -32022, -32021],
    )
}

fn check_message(body: &[u8], answer: &Answer) {
    let (statuses, codes) = expected(body);
    assert!(statuses.contains(&answer.status), "{answer:?}");
    match answer.status {
        200 if answer.json()["error"].is_null() => {}
        202 => assert!(answer.body.is_empty(), "{answer:?}"),
        _ => assert!(codes.contains(&answer.code()), "{answer:?}"),
    }
}

fn check_problem(body: &[u8], answer: &Answer) {
    if answer.status == 200 {
        assert!(serde_json::from_slice::<Value>(body).unwrap().is_object());
        return;
    }
    let problem = answer.json();
    assert_eq!(answer.kind(), "application/problem+json", "{answer:?}");
    assert_eq!(problem["status"], answer.status, "{answer:?}");
    // 7digital refuses another card's id.
    assert!([400, 422].contains(&answer.status), "{answer:?}");
    if serde_json::from_slice::<Value>(body).is_err() {
        assert_eq!(
            problem["type"], "/problems/unreadable-request",
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn thousands_of_spoilt_bodies_get_the_answers_that_they_must_get() {
    let world = World::start().await;
    let seed = 20_260_731;
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut arrivals = 0;
    for (door, good) in doors(&world) {
        let mut counts = BTreeMap::new();
        let mut wire = Wire::open(&good.address).await;
        for number in 0..1_500 {
            let spoilt: Draft = good.clone().holding(mutated(&good.body, &mut random));
            wire.send(spoilt.bytes()).await.unwrap();
            let answer = wire.answer().await;
            let answer = answer.unwrap_or_else(|| panic!("the end, at {number}: {spoilt:?}"));
            let arrived = world.arrivals().len();
            let told = std::panic::AssertUnwindSafe(|| {
                if door == "MCP" {
                    check_message(&spoilt.body, &answer);
                } else {
                    check_problem(&spoilt.body, &answer);
                }
                if ![200, 422].contains(&answer.status) {
                    assert_eq!(arrived, arrivals, "{answer:?}");
                }
            });
            if let Err(failed) = std::panic::catch_unwind(told) {
                println!("{door} {number}: {}", String::from_utf8_lossy(&spoilt.body));
                std::panic::resume_unwind(failed);
            }
            assert!(arrived <= arrivals + 1, "{answer:?}");
            arrivals = arrived;
            *counts.entry(answer.status).or_insert(0) += 1;
        }
        println!("{door}: {counts:?}");
        assert!(counts[&400] > 500, "{counts:?}");
    }
    unharmed(&world, arrivals).await;
}
