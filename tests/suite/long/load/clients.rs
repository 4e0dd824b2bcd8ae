//! Clients that take more than their part: readers that don't read, and a caller who calls too much.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::interval;

use super::{RELEASES, SECOND};
use crate::identity::{principal, token_of};
use crate::long::bench::{MIB, Process, Times, mib};
use crate::long::peers::{Plan, Upstream, Wire, call, locker, read};
use crate::support::until;

/// A client that asks and takes nothing, or a byte a second, with as little room for the answer as the system grants; it ends with its connection.
async fn ask_and_wait(address: SocketAddr, trickles: bool) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut socket = socket.connect(address).await.unwrap();
    let request = call(address, "list-user-payment-cards", &json!({}), "");
    socket.write_all(&request).await.unwrap();
    let mut turn = interval(SECOND);
    if trickles {
        while let Ok(1) = socket.read(&mut [0]).await {
            turn.tick().await;
        }
    }
    socket
}

/// Reads twenty times a second until it is over.
async fn good_client(address: SocketAddr, over: Arc<AtomicBool>) -> Times {
    let mut wire = Wire::connect(address).await.unwrap();
    let (request, mut times) = (read(address), Times::default());
    let mut turn = interval(Duration::from_millis(50));
    while !over.load(Ordering::SeqCst) {
        turn.tick().await;
        let started = Instant::now();
        assert!(wire.ask(&request).await.unwrap().is_done());
        times.add(started.elapsed());
    }
    times
}

async fn good_for(address: SocketAddr, time: Duration) -> Times {
    let over = Arc::new(AtomicBool::new(false));
    let client = tokio::spawn(good_client(address, Arc::clone(&over)));
    tokio::time::sleep(time).await;
    over.store(true, Ordering::SeqCst);
    client.await.unwrap()
}

/// A server whose list of payment cards has that many KiB; and the bytes of a whole response.
async fn with_cards(kib: usize) -> (Upstream, Process, u64) {
    // The document stands twice in a result.
    let (small, large) = (locker(RELEASES), cards(kib * 1_024 / 2));
    let upstream = Upstream::start(move |path, _| {
        Plan::Say(match path {
            "/user/locker" => small.clone(),
            _ => large.clone(),
        })
    })
    .await;
    let pause = ("SEVENDIGITAL_MCP_LIMIT_KEEP_ALIVE_TIMEOUT", "20s");
    let server = Process::start(&upstream.base_uri(), &[pause]).await;
    let list = call(server.mcp, "list-user-payment-cards", &json!({}), "");
    let whole = Wire::ask_once(server.mcp, &list).await.unwrap();
    assert!(whole.is_done());
    (upstream, server, whole.body.len() as u64)
}

/// Large answers that wait for room beside those that have it.
const WAITING: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l6_clients_that_take_nothing_of_their_answers_or_next_to_nothing() {
    let (mut peaks, mut most) = (Vec::new(), 0);
    for (readers, kib, trickles) in [(300, 256, false), (300, 1_024, false), (60, 3_800, true)] {
        let (_upstream, server, result) = with_cards(kib).await;
        let mut quiet = good_for(server.mcp, 3 * SECOND).await;
        server.forget_peak();
        let (before, over) = (server.descriptors(), Arc::new(AtomicBool::new(false)));
        let good = tokio::spawn(good_client(server.mcp, Arc::clone(&over)));
        let started = Instant::now();
        let mut all = JoinSet::new();
        for _ in 0..readers {
            all.spawn(ask_and_wait(server.mcp, trickles));
        }
        until("all of them", || server.descriptors() >= before + readers).await;
        let sent = started.elapsed();
        // They are cut off when they have taken nothing for 30 s, and those that were refused after a pause of 20 s.
        server.descriptors_fall_to(before + WAITING + 5).await;
        let cut = started.elapsed();
        over.store(true, Ordering::SeqCst);
        let mut beside = good.await.unwrap();
        println!(
            "L6: {readers} readers of {}, trickling: {trickles}; {} at most; asked in {sent:.1?}, cut off after {cut:.1?}; {} afterwards",
            mib(result),
            mib(server.peak()),
            mib(server.resident())
        );
        println!("L6: a good client before: {}", quiet.shown());
        println!("L6: a good client beside: {}", beside.shown());
        peaks.push(mib(server.peak()));
        most = most.max(server.peak());
        assert!(cut <= sent + 33 * SECOND, "{cut:?}");
        assert!(beside.within(990) < SECOND, "{}", beside.shown());
    }
    assert!(most <= 128 * MIB, "{peaks:?}");
}

/// An answer with that many bytes of payment cards.
fn cards(bytes: usize) -> Vec<u8> {
    let card = |number: usize| json!({"id": format!("{number}"), "type": "VISA", "last4digits": "1111", "expiryDate": "203012", "cardHolderName": "Somebody"});
    let cards: Vec<_> = (0..bytes / 100).map(card).collect();
    let document = json!({"status": "ok", "version": "1.2", "cards": {"card": cards}});
    crate::long::peers::kept(200, &document.to_string())
}

/// The read of a caller of the file.
fn read_of(address: SocketAddr, name: &str) -> Vec<u8> {
    let token = format!("Authorization: Bearer {}\r\n", token_of(name));
    call(address, "get-user-locker", &json!({}), &token)
}

/// Five reads a second of a caller, who is never refused.
async fn quietly(address: SocketAddr, seconds: u32) -> Times {
    let (mut times, mut turn) = (Times::default(), interval(SECOND / 5));
    let mut wire = Wire::connect(address).await.unwrap();
    for _ in 0..5 * seconds {
        turn.tick().await;
        let started = Instant::now();
        let answer = wire.ask(&read_of(address, "quiet")).await.unwrap();
        assert!(answer.is_done(), "{answer:?}");
        times.add(started.elapsed());
    }
    times
}

/// A thousand reads a second of another, forty clients with twenty-five each; how many were made and refused.
fn noise(address: SocketAddr, over: &Arc<AtomicBool>) -> JoinSet<(usize, usize)> {
    let mut noise = JoinSet::new();
    for _ in 0..40 {
        let (over, request) = (Arc::clone(over), read_of(address, "noisy"));
        noise.spawn(async move {
            let (mut done, mut refused, mut turn) = (0, 0, interval(SECOND / 25));
            let mut wire = Wire::connect(address).await.unwrap();
            while !over.load(Ordering::SeqCst) {
                turn.tick().await;
                let answer = wire.ask(&request).await.unwrap();
                if answer.is_done() {
                    done += 1;
                } else {
                    let text = answer.text();
                    assert!(text.contains("reads too often"), "{text}");
                    assert!(text.contains("repeated in 1 second"), "{text}");
                    refused += 1;
                }
            }
            (done, refused)
        });
    }
    noise
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l7_a_noisy_neighbour() {
    let file = ["noisy", "quiet"]
        .map(|name| principal(name, &["reads"], ""))
        .concat();
    let page = locker(RELEASES);
    let upstream =
        Upstream::start(move |_, _| Plan::After(Duration::from_millis(50), page.clone())).await;
    let server = Process::start_with(&upstream.base_uri(), &[], &file, "").await;
    let address = server.mcp;
    let mut alone = quietly(address, 10).await;
    let over = Arc::new(AtomicBool::new(false));
    let noise = noise(address, &over);
    let cpu = server.cpu();
    let mut beside = quietly(address, 30).await;
    let cpu = server.cpu() - cpu;
    over.store(true, Ordering::SeqCst);
    let noise = noise.join_all().await;
    let done: usize = noise.iter().map(|(done, _)| done).sum();
    let refused: usize = noise.iter().map(|(_, refused)| refused).sum();
    println!("L7: the noisy one: {done} made, {refused} refused in 30 s; {cpu:.1?} of processor");
    println!("L7: the quiet one alone: {}", alone.shown());
    println!("L7: the quiet one beside it: {}", beside.shown());
    assert!(
        (300..=340).contains(&done),
        "ten a second and twenty at once: {done}"
    );
    assert!(beside.within(990) < SECOND, "{}", beside.shown());
}
