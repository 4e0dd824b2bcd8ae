//! The real server is stopped with purchases in flight: asked to, asked twice, left by its client, and killed.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::task::JoinSet;

use crate::support::upstream::{Act, Upstream};
use crate::support::{
    Client, Server, Surface, fails_with, folder, http, is_replayed, ledger, purchase_id, rows,
    states, until, within,
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
fn twenty(caller: &Client) -> JoinSet<reqwest::Result<Value>> {
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
    let gone = async { while http().get(&ready).send().await.unwrap().status() == 200 {} };
    within("the server to say that it stops", gone).await;
    let refused = http().post(&server.url).send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
}

#[tokio::test]
async fn purchases_in_flight_are_answered_after_a_signal_to_stop() {
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
async fn a_repeat_that_waits_for_a_purchase_in_flight_is_answered_too() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(ITEM, held());
    let mut server = Server::start(folder.path(), &upstream.base_uri(), &[]).await;
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        let caller = server.caller();
        calls.spawn(async move {
            let params = json!({"arguments": release(1)});
            caller.reply(TOOL, params).await
        });
    }
    upstream.wait_for(ITEM, 1).await;
    // Calls that came after the ten: by their end most of these wait.
    for _ in 0..5 {
        server.caller().call("get-user-locker", &json!({})).await;
    }
    server.signal("TERM");
    closed(&server).await;
    upstream.open_gate();
    let mut answered = 0;
    for reply in within("the answers", calls.join_all()).await {
        // One that a loaded machine brought too late is refused as any other, and not forgotten.
        let Ok(reply) = reply else { continue };
        if reply.status != 503 {
            purchase_id(&reply.result());
            answered += 1;
        }
    }
    println!("{answered} were answered");
    assert!(answered >= 2, "{answered}");
    assert_eq!(server.ended().await.code(), Some(0));
    assert_eq!(upstream.arrivals(ITEM), 1);
}

#[tokio::test]
async fn asked_to_stop_twice_it_ends_at_once_and_writes_unknown_outcomes_down() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(ITEM, held());
    let mut server = Server::start(folder.path(), &upstream.base_uri(), &[]).await;
    let calls = twenty(&server.caller());
    upstream.wait_for(ITEM, 20).await;
    server.signal("TERM");
    closed(&server).await;
    // What is held at 7digital would keep it for 45 seconds, and then it would end with 0.
    server.signal("TERM");
    assert_eq!(server.ended().await.code(), Some(1));
    assert_eq!(states(folder.path()), ["unknown"; 20]);
    for answer in within("the broken connections", calls.join_all()).await {
        assert!(answer.is_err(), "{answer:?}");
    }
    // Started anew, it sends none of them again.
    upstream.open_gate();
    let server = Server::start(folder.path(), &upstream.base_uri(), &[]).await;
    for answer in within("the answers", twenty(&server.caller()).join_all()).await {
        fails_with(&answer.unwrap(), &["Money may have been spent"]);
    }
    assert_eq!(upstream.arrivals(ITEM), 20);
}

#[tokio::test]
async fn at_the_end_of_stdin_a_purchase_in_flight_is_answered_and_written_down() {
    // The end of stdin, and a signal to a client that still listens.
    for end in ["stdin", "TERM"] {
        let (folder, upstream) = (folder(), Upstream::start().await);
        upstream.script(ITEM, held());
        let mut server = Server::stdio(folder.path(), &upstream.base_uri());
        server.hello().await;
        server.call(7, TOOL, &release(1)).await;
        upstream.wait_for(ITEM, 1).await;
        if end == "stdin" {
            server.close_stdin();
        } else {
            server.signal(end);
        }
        upstream.open_gate();
        let answer = server.answer(7).await;
        assert!(answer["error"].is_null(), "{end}: {answer}");
        purchase_id(&answer["result"]);
        assert_eq!(server.ended().await.code(), Some(0), "{end}");
        assert_eq!(states(folder.path()), ["done"], "{end}");
    }
}

/// When a server is killed: that long after the call was sent, after the purchase arrived at 7digital, or after its answer.
#[derive(Debug, Clone, Copy)]
enum After {
    Call(Duration),
    Arrival(Duration),
    Answer(Duration),
}

impl After {
    fn some(number: usize, random: &mut StdRng) -> Self {
        let mut upto =
            |milliseconds: u64| Duration::from_micros(random.random_range(0..milliseconds * 1_000));
        match number % 5 {
            0 => Self::Arrival(upto(25)),
            1 => Self::Answer(upto(10)),
            2 => Self::Call(upto(6)),
            _ => Self::Call(upto(60)),
        }
    }
}

/// Makes a purchase and kills the server at that moment; gives whether the client had its answer.
async fn killed(folder: &Path, upstream: &Upstream, moment: After, release: &Value) -> bool {
    let (answered, before) = (upstream.answered(), upstream.arrivals(ITEM));
    let mut server = Server::start(folder, &upstream.base_uri(), &[]).await;
    let client = server.caller();
    let mut wire = client.request(Surface::Modern, TOOL, release).start().await;
    let pause = match moment {
        After::Call(pause) => pause,
        After::Arrival(pause) => {
            upstream.wait_for(ITEM, before + 1).await;
            pause
        }
        After::Answer(pause) => {
            until("7digital's answer", || upstream.answered() > answered).await;
            pause
        }
    };
    tokio::time::sleep(pause).await;
    server.signal("KILL");
    server.ended().await;
    let mut heard = Vec::new();
    let _ = wire.socket.read_to_end(&mut heard).await;
    String::from_utf8_lossy(&heard).contains("structuredContent")
}

#[tokio::test]
async fn killed_at_any_moment_of_a_purchase_it_never_buys_twice_in_silence() {
    let seed = 20_260_728;
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let (folder, upstream) = (folder(), Upstream::start().await);
    let mut kinds = BTreeMap::new();
    for number in 1..=50 {
        let (moment, release) = (After::some(number, &mut random), release(number));
        upstream.script(ITEM, [Act::SellSlowly(Duration::from_millis(15))]);
        let before = upstream.arrivals(ITEM);
        let was_told = killed(folder.path(), &upstream, moment, &release).await;
        let arrived = upstream.arrivals(ITEM) - before;
        assert!(arrived <= 1, "{moment:?}");
        let server = Server::start(folder.path(), &upstream.base_uri(), &[]).await;
        let again = server.caller().call(TOOL, &release).await;
        let arrived_then = upstream.arrivals(ITEM) - before;
        assert!(arrived_then <= 1, "{number} {moment:?}: {again}");
        let kind = if again["isError"] == true {
            fails_with(&again, &["Money may have been spent"]);
            assert!(!was_told, "the outcome was returned, and then forgotten");
            ["unknown, and it had not arrived", "unknown, and it had"][arrived]
        } else if is_replayed(&again) {
            assert_eq!(arrived, 1, "{moment:?}: {again}");
            "done before, and replayed"
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
    assert_eq!((code, list.lines().count()), (0, unsettled.len() + 1));
}
