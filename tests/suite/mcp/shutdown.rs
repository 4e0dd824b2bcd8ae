//! The real server is stopped with purchases under way: asked to, asked twice, left by its client, and killed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use tokio::task::JoinSet;

use crate::support::upstream::{Act, Upstream};
use crate::support::{
    Caller, Server, failure, folder, is_replayed, ledger, program, purchase_id, rows, signal,
    states, until, variables, within,
};

const ITEM: &str = "/user/purchase/item";
const TOOL: &str = "purchase-user-item";

fn release(number: usize) -> Value {
    json!({"releaseId": format!("{number}")})
}

fn held() -> [Act; 1] {
    [Act::Held(Box::new(Act::Sell))]
}

/// Twenty different purchases, sent at once.
fn twenty(caller: &Caller) -> JoinSet<reqwest::Result<Value>> {
    let mut calls = JoinSet::new();
    for number in 0..20 {
        let caller = caller.clone();
        calls.spawn(async move {
            let params = json!({"arguments": release(number)});
            let reply = caller.reply(TOOL, params).await?;
            Ok(reply.result())
        });
    }
    calls
}

/// Waits until a server says that it is stopping; no call is taken from then on.
async fn closed(server: &Server) {
    let ready = server.url.replace("/mcp", "/readyz");
    let gone = async {
        while crate::support::http()
            .get(&ready)
            .send()
            .await
            .unwrap()
            .status()
            == 200
        {}
    };
    within("the server to say that it stops", gone).await;
    let refused = crate::support::http()
        .post(&server.url)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
}

#[tokio::test]
async fn twenty_purchases_under_way_are_answered_after_the_server_is_told_to_stop() {
    for name in ["TERM", "INT"] {
        let (folder, upstream) = (folder(), Upstream::start().await);
        upstream.script(ITEM, held());
        let mut server = Server::start(folder.path(), &upstream.base_uri(), &[]).await;
        let calls = twenty(&server.caller());
        upstream.wait_for(ITEM, 20).await;
        server.signal(name);
        closed(&server).await;
        assert_eq!(states(folder.path()), ["sending"; 20], "{name}");
        upstream.open_gate();
        let answers = within("the answers", calls.join_all()).await;
        assert_eq!(answers.len(), 20);
        for answer in answers {
            purchase_id(&answer.unwrap());
        }
        assert_eq!(server.ended().await.code(), Some(0), "{name}");
        assert_eq!(states(folder.path()), ["done"; 20], "{name}");
        assert!(upstream.counts().values().all(|count| *count == 1));
    }
}

#[tokio::test]
async fn a_repeat_that_waits_for_a_purchase_under_way_is_answered_too() {
    // Long enough that repeats look into the ledger only now and then.
    for milliseconds in [600, 800] {
        let (folder, upstream) = (folder(), Upstream::start().await);
        upstream.script(ITEM, [Act::SellSlowly(Duration::from_millis(milliseconds))]);
        let mut server = Server::start(folder.path(), &upstream.base_uri(), &[]).await;
        let mut calls = JoinSet::new();
        for _ in 0..10 {
            let caller = server.caller();
            calls.spawn(async move {
                let params = json!({"arguments": release(1)});
                caller.reply(TOOL, params).await.map(|reply| reply.result())
            });
        }
        upstream.wait_for(ITEM, 1).await;
        // A call that came after the ten were taken: by its end the ten wait.
        server.caller().call("get-user-locker", &json!({})).await;
        server.signal("TERM");
        for answer in within("the answers", calls.join_all()).await {
            let answer = answer.unwrap_or_else(|error| panic!("{milliseconds} ms: {error}"));
            purchase_id(&answer);
        }
        assert_eq!(server.ended().await.code(), Some(0));
        assert_eq!(upstream.arrivals(ITEM), 1);
    }
}

#[tokio::test]
async fn asked_to_stop_twice_it_ends_at_once_and_all_under_way_are_written_down_as_unknown() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(ITEM, held());
    let mut server = Server::start(folder.path(), &upstream.base_uri(), &[]).await;
    let calls = twenty(&server.caller());
    upstream.wait_for(ITEM, 20).await;
    server.signal("TERM");
    closed(&server).await;
    let second = Instant::now();
    server.signal("TERM");
    let status = server.ended().await;
    let took = second.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}");
    println!("ended {took:?} after the second signal");
    assert_eq!(status.code(), Some(1));
    assert_eq!(states(folder.path()), ["unknown"; 20]);
    for answer in within("the broken connections", calls.join_all()).await {
        assert!(answer.is_err(), "{answer:?}");
    }
    // Started anew, it sends none of them again.
    upstream.open_gate();
    let server = Server::start(folder.path(), &upstream.base_uri(), &[]).await;
    for answer in within("the answers", twenty(&server.caller()).join_all()).await {
        let answer = answer.unwrap();
        let told = failure(&answer);
        assert!(told.contains("Money may have been spent"), "{told}");
    }
    assert_eq!(upstream.arrivals(ITEM), 20);
}

#[tokio::test]
async fn at_the_end_of_stdin_a_purchase_under_way_is_answered_and_written_down() {
    // The end of stdin, and a signal to a client that still listens.
    for end in ["stdin", "TERM"] {
        let (folder, upstream) = (folder(), Upstream::start().await);
        upstream.script(ITEM, held());
        let state = folder.path().to_str().unwrap();
        let mut child = program(
            &["stdio", "--state-dir", state],
            &variables(&upstream.base_uri(), &[]),
        )
        .spawn()
        .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "suite", "version": "1"}});
        for message in [
            json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}),
            json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
            json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": TOOL, "arguments": release(1)}}),
        ] {
            stdin
                .write_all(format!("{message}\n").as_bytes())
                .await
                .unwrap();
        }
        upstream.wait_for(ITEM, 1).await;
        let mut kept = Some(stdin);
        if end == "stdin" {
            kept.take();
        } else {
            signal(child.id().unwrap(), end);
        }
        upstream.open_gate();
        let answer = loop {
            let line = within("the answer", stdout.next_line()).await.unwrap();
            let line = line.unwrap_or_else(|| panic!("{end}: no answer"));
            let message: Value = serde_json::from_str(&line).unwrap();
            if message["id"] == 7 {
                break message;
            }
        };
        assert!(answer["error"].is_null(), "{end}: {answer}");
        purchase_id(&answer["result"]);
        let status = within("the end", child.wait()).await.unwrap();
        assert_eq!(status.code(), Some(0), "{end}");
        assert_eq!(states(folder.path()), ["done"], "{end}");
    }
}

/// When a server is killed.
#[derive(Debug, Clone, Copy)]
enum After {
    /// That long after the call was sent.
    Call(Duration),
    /// That long after the purchase arrived at 7digital.
    Arrival(Duration),
    /// That long after 7digital had answered.
    Answer(Duration),
}

#[tokio::test]
async fn killed_at_fifty_moments_of_a_purchase_it_never_buys_twice_in_silence() {
    let seed = 20_260_728;
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let (folder, upstream) = (folder(), Upstream::start().await);
    let base_uri = upstream.base_uri();
    let mut kinds = BTreeMap::new();
    for number in 1..=50 {
        let upto = |random: &mut StdRng, milliseconds: u64| {
            Duration::from_micros(random.random_range(0..milliseconds * 1_000))
        };
        let moment = match number % 5 {
            0 => After::Arrival(upto(&mut random, 25)),
            1 => After::Answer(upto(&mut random, 10)),
            2 => After::Call(upto(&mut random, 6)),
            _ => After::Call(upto(&mut random, 60)),
        };
        upstream.script(ITEM, [Act::SellSlowly(Duration::from_millis(15))]);
        let (answered, before) = (upstream.answered(), upstream.arrivals(ITEM));
        let mut server = Server::start(folder.path(), &base_uri, &[]).await;
        let mut socket = server.caller().send(TOOL, &release(number)).await;
        match moment {
            After::Call(pause) => tokio::time::sleep(pause).await,
            After::Arrival(pause) => {
                upstream.wait_for(ITEM, before + 1).await;
                tokio::time::sleep(pause).await;
            }
            After::Answer(pause) => {
                until("7digital's answer", || upstream.answered() > answered).await;
                tokio::time::sleep(pause).await;
            }
        }
        server.signal("KILL");
        server.ended().await;
        let mut heard = Vec::new();
        let _ = socket.read_to_end(&mut heard).await;
        let was_told = String::from_utf8_lossy(&heard).contains("structuredContent");

        let arrived = upstream.arrivals(ITEM) - before;
        assert!(arrived <= 1, "{moment:?}");
        let server = Server::start(folder.path(), &base_uri, &[]).await;
        let again = server.caller().call(TOOL, &release(number)).await;
        let arrived_then = upstream.arrivals(ITEM) - before;
        assert!(arrived_then <= 1, "{number} {moment:?}: {again}");
        let kind = if again["isError"] == true {
            let told = failure(&again);
            assert!(told.contains("Money may have been spent"), "{told}");
            assert!(!was_told, "the outcome was told, and then forgotten");
            ["unknown, and it had not arrived", "unknown, and it had"][arrived]
        } else if is_replayed(&again) {
            assert_eq!(arrived, 1, "{moment:?}: {again}");
            "done before, and told again"
        } else {
            // Not even the intent was there: this is the first.
            assert_eq!((arrived, arrived_then), (0, 1), "{moment:?}: {again}");
            "bought only now"
        };
        *kinds.entry(kind).or_insert(0) += 1;
    }
    println!("{kinds:?}");
    assert!(kinds.contains_key("unknown, and it had"), "{kinds:?}");
    assert!(upstream.counts().values().all(|count| *count == 1));
    let unsettled = rows(folder.path());
    assert!(unsettled.iter().all(|row| row.state != "sending"));
    let (code, list, _) = ledger(folder.path(), &["list", "--limit", "100"]).await;
    assert_eq!((code, list.lines().count()), (0, unsettled.len()));
}
