//! A server that has run out of descriptors: it waits without fuss, takes connections again, and knows what it has bought.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::json;
use tokio::net::TcpStream;

use super::{RELEASES, SECOND, keep_calling};
use crate::long::bench::Process;
use crate::long::peers::{Answer, Plan, Upstream, Wire, call, kept, locker, read};
use crate::support::{rows, within};

const BUYERS: usize = 20;

/// What was sold, in order.
type Sold = Arc<Mutex<Vec<String>>>;

/// 7digital, which sells whatever release it is asked for.
async fn shop(sold: &Sold) -> Upstream {
    let (page, sales) = (locker(RELEASES), Arc::clone(sold));
    Upstream::start(move |path, query| {
        if !path.starts_with("/user/purchase/") {
            return Plan::Say(page.clone());
        }
        let mut sales = sales.lock().unwrap();
        let mut pairs = query.split('&');
        let release = pairs.find_map(|pair| pair.strip_prefix("releaseId="));
        sales.push(format!("release {}", release.unwrap()));
        let id = 9_000_000 + sales.len();
        let purchase = json!({"id": id.to_string(), "purchaseDate": "2026-03-01T12:00:00Z"});
        let document = json!({"status": "ok", "version": "1.2", "purchase": purchase});
        Plan::Say(kept(200, &document.to_string()))
    })
    .await
}

/// Buys a release over that connection.
async fn buy(wire: &mut Wire, address: SocketAddr, release: usize) -> Answer {
    let release = json!({"releaseId": format!("{release}")});
    let request = call(address, "purchase-user-item", &release, "");
    within("an answer", wire.ask(&request)).await.unwrap()
}

/// Clients that are connected; the first has bought a release.
async fn buyers(address: SocketAddr) -> Vec<Wire> {
    let mut buyers = Vec::new();
    for number in 0..BUYERS {
        let mut wire = Wire::connect(address).await.unwrap();
        let answer = if number == 0 {
            buy(&mut wire, address, 1).await
        } else {
            wire.ask(&read(address)).await.unwrap()
        };
        assert!(answer.is_done(), "{}", answer.text());
        buyers.push(wire);
    }
    buyers
}

/// While descriptors are short, each client buys: it works, or nothing was sent and the answer says so. Gives what was bought.
async fn buy_starved(buyers: &mut [Wire], address: SocketAddr) -> Vec<String> {
    let (mut made, mut refused) = (vec!["release 1".to_owned()], Vec::new());
    for (wire, release) in buyers.iter_mut().zip(100..) {
        let answer = buy(wire, address, release).await;
        if answer.is_done() {
            made.push(format!("release {release}"));
        } else {
            let text = answer.text().into_owned();
            assert!(text.contains("Nothing was charged"), "{text}");
            refused.push(text);
        }
    }
    println!(
        "L9: starved, {} purchases were made and {} not, such as: {:?}",
        made.len() - 1,
        refused.len(),
        refused.first()
    );
    made
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l9_a_server_with_two_hundred_and_fifty_six_descriptors() {
    let sold = Sold::default();
    let upstream = shop(&sold).await;
    let base_uri = upstream.base_uri();
    let server = Process::start_with(&base_uri, &[], "", "ulimit -n 256;").await;
    let address = server.mcp;
    let mut buyers = buyers(address).await;
    let quiet = server.descriptors();
    // More silent connections than there are descriptors. Each is closed after ten seconds, and the next one accepted.
    let mut crowd = Vec::new();
    for _ in 0..600 {
        crowd.push(TcpStream::connect(address).await.unwrap());
    }
    tokio::time::sleep(SECOND).await;
    let taken = server.descriptors();
    assert!(taken >= 250, "{taken} of 256 descriptors are in use");
    let (cpu, logged, started) = (server.cpu(), server.logged(), Instant::now());
    tokio::time::sleep(5 * SECOND).await;
    let cpu = (server.cpu() - cpu).as_secs_f64() / started.elapsed().as_secs_f64();
    println!(
        "L9: {taken} descriptors of 256 in use; {:.1} % of a processor, {} lines logged in 5 s",
        cpu * 100.0,
        server.logged() - logged
    );
    assert!(cpu <= 0.2, "{cpu}");
    let made = buy_starved(&mut buyers, address).await;
    assert_eq!(*sold.lock().unwrap(), made);
    drop(crowd);
    let took = server.descriptors_fall_to(quiet + 5).await;
    println!(
        "L9: {} descriptors again after {took:.1?}",
        server.descriptors()
    );
    // Accepting goes on, and so does all else; nothing that was refused is bought without being asked for.
    let (mut times, failed) = keep_calling(&server, 64, 3 * SECOND).await;
    println!("L9: afterwards: {}", times.shown());
    assert_eq!(failed, 0);
    for (wire, release) in buyers.iter_mut().zip(100..) {
        let answer = buy(wire, address, release).await;
        assert!(answer.is_done(), "{}", answer.text());
    }
    check_books(&sold, &server);
}

/// Each was sold once, and the ledger says the same.
fn check_books(sold: &Sold, server: &Process) {
    let mut items = sold.lock().unwrap().clone();
    items.sort();
    let all = items.len();
    items.dedup();
    assert_eq!((all, items.len()), (BUYERS + 1, BUYERS + 1), "each once");
    let written = rows(server.folder.path());
    let known = |state: &str| state == "done" || state == "not_sent";
    assert!(written.iter().all(|row| known(&row.state)));
    let done = written.iter().filter(|row| row.state == "done");
    let mut done: Vec<_> = done.map(|row| row.item.clone()).collect();
    done.sort();
    assert_eq!(done, items, "the ledger says the same");
}
