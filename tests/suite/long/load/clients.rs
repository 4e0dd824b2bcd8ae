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

use super::super::bench::{MIB, Process, Times, mib};
use super::super::peers::{Plan, Upstream, Wire, call, locker, read};
use super::{RELEASES, SECOND};
use crate::identity::{principal, token_of};
use crate::support::within;

/// A client that asks and reads nothing, with as little room for the answer as the system grants.
async fn ask_and_wait(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut socket = socket.connect(address).await.unwrap();
    let request = call(address, "list-user-payment-cards", &json!({}), "");
    socket.write_all(&request).await.unwrap();
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l6_three_hundred_clients_that_never_read_their_answers() {
    const READERS: usize = 300;
    for kib in [256, 1_024] {
        // The document stands twice in a result.
        let (small, large) = (locker(RELEASES), cards(kib * 1_024 / 2));
        let upstream = Upstream::start(move |path, _| {
            Plan::Say(match path {
                "/user/locker" => small.clone(),
                _ => large.clone(),
            })
        })
        .await;
        let server = Process::start(&upstream.base_uri(), &[]).await;
        let whole = Wire::ask_once(
            server.mcp,
            &call(server.mcp, "list-user-payment-cards", &json!({}), ""),
        )
        .await
        .unwrap();
        assert!(whole.is_done());
        let result = whole.body.len() as u64;
        let mut quiet = good_for(server.mcp, 3 * SECOND).await;
        server.forget_peak();
        let (before, over) = (server.descriptors(), Arc::new(AtomicBool::new(false)));
        let good = tokio::spawn(good_client(server.mcp, Arc::clone(&over)));
        let started = Instant::now();
        let mut readers = JoinSet::new();
        for _ in 0..READERS {
            readers.spawn(ask_and_wait(server.mcp));
        }
        let readers = within("the readers", readers.join_all()).await;
        let sent = started.elapsed();
        server.is_quiet().await;
        let with_all = server.resident();
        // They are cut off when they have taken nothing for 30 s.
        let cut = loop {
            if server.descriptors() <= before + 64 + 5 {
                break started.elapsed();
            }
            assert!(started.elapsed() < 90 * SECOND, "they are cut off");
            tokio::time::sleep(SECOND / 10).await;
        };
        over.store(true, Ordering::SeqCst);
        let mut beside = good.await.unwrap();
        println!(
            "L6: {READERS} readers of {}: {} with all, {} at most; asked in {sent:.1?}, cut off after {cut:.1?}; {} afterwards",
            mib(result),
            mib(with_all),
            mib(server.peak()),
            mib(server.resident())
        );
        println!("L6: a good client before: {}", quiet.shown());
        println!("L6: a good client beside: {}", beside.shown());
        let most = if kib == 256 { 128 } else { 1_024 };
        assert!(server.peak() <= most * MIB, "{}", mib(server.peak()));
        assert!(cut <= sent + 33 * SECOND, "{cut:?}");
        assert!(beside.within(990) < SECOND, "{}", beside.shown());
        let mut left = 0;
        for mut reader in readers {
            let mut bytes = Vec::new();
            let whole = reader.read_to_end(&mut bytes).await.is_ok();
            left += usize::from(whole && bytes.len() as u64 > result);
        }
        println!("L6: {left} had their answer in the system's own buffers");
    }
}

/// An answer with that many bytes of payment cards.
fn cards(bytes: usize) -> Vec<u8> {
    let card = |number: usize| json!({"id": format!("{number}"), "type": "VISA", "last4digits": "1111", "expiryDate": "203012", "cardHolderName": "Somebody"});
    let cards: Vec<_> = (0..bytes / 100).map(card).collect();
    let document = json!({"status": "ok", "version": "1.2", "cards": {"card": cards}});
    super::super::peers::kept(200, &document.to_string())
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
    let request = move |name: &str| {
        let token = format!("Authorization: Bearer {}\r\n", token_of(name));
        call(address, "get-user-locker", &json!({}), &token)
    };
    let quietly = async |seconds: u32| {
        let (mut times, mut turn) = (Times::default(), interval(SECOND / 5));
        let mut wire = Wire::connect(address).await.unwrap();
        for _ in 0..5 * seconds {
            turn.tick().await;
            let started = Instant::now();
            let answer = wire.ask(&request("quiet")).await.unwrap();
            assert!(answer.is_done(), "{answer:?}");
            times.add(started.elapsed());
        }
        times
    };
    let mut alone = quietly(10).await;
    // A thousand a second: forty clients with twenty-five each.
    let over = Arc::new(AtomicBool::new(false));
    let mut noise = JoinSet::new();
    for _ in 0..40 {
        let (over, request) = (Arc::clone(&over), request("noisy"));
        noise.spawn(async move {
            let (mut done, mut refused, mut turn) = (0, 0, interval(SECOND / 25));
            let mut wire = Wire::connect(address).await.unwrap();
            while !over.load(Ordering::SeqCst) {
                turn.tick().await;
                let answer = wire.ask(&request).await.unwrap();
                if answer.is_done() {
                    done += 1;
                } else {
                    assert_eq!(answer.status, 429, "{answer:?}");
                    assert!(answer.retry_after().is_some());
                    refused += 1;
                }
            }
            (done, refused)
        });
    }
    let cpu = server.cpu();
    let mut beside = quietly(30).await;
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
