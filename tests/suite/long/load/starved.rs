//! A server that has run out of descriptors: it waits without fuss, takes connections again, and knows what it has bought.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::json;
use tokio::net::TcpStream;

use super::super::bench::Process;
use super::super::peers::{Plan, Upstream, Wire, call, kept, locker, read};
use super::{RELEASES, SECOND, keep_calling};
use crate::support::{rows, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l9_a_server_with_two_hundred_and_fifty_six_descriptors() {
    const BUYERS: usize = 20;
    let (page, sold) = (locker(RELEASES), Arc::new(Mutex::new(Vec::new())));
    let sales = Arc::clone(&sold);
    let upstream = Upstream::start(move |path, query| {
        if !path.starts_with("/user/purchase/") {
            return Plan::Say(page.clone());
        }
        let mut sales = sales.lock().unwrap();
        let release = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("releaseId="));
        sales.push(format!("release {}", release.unwrap()));
        let id = 9_000_000 + sales.len();
        let purchase = json!({"id": id.to_string(), "purchaseDate": "2026-03-01T12:00:00Z"});
        let document = json!({"status": "ok", "version": "1.2", "purchase": purchase});
        Plan::Say(kept(200, &document.to_string()))
    })
    .await;
    let base_uri = upstream.base_uri();
    let server = Process::start_with(&base_uri, &[], "", "ulimit -n 256;").await;
    let address = server.mcp;
    let buy = |release: usize| {
        let release = json!({"releaseId": format!("{release}")});
        call(address, "purchase-user-item", &release, "")
    };
    let mut buyers = Vec::new();
    for number in 0..BUYERS {
        let mut wire = Wire::connect(address).await.unwrap();
        if number == 0 {
            assert!(wire.ask(&buy(1)).await.unwrap().is_done());
        } else {
            assert!(wire.ask(&read(address)).await.unwrap().is_done());
        }
        buyers.push(wire);
    }
    let quiet = server.descriptors();
    // More silent connections than there are descriptors. Each is closed after ten seconds, and the next one accepted.
    let crowd = async |many: usize| {
        let mut crowd = Vec::new();
        for _ in 0..many {
            crowd.push(TcpStream::connect(address).await.unwrap());
        }
        crowd
    };
    let crowd_of_one_kind = crowd(600).await;
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
    // Whoever is connected buys all the while: it works, or nothing was sent and that is told.
    let (mut made, mut refused) = (vec!["release 1".to_owned()], Vec::new());
    for (number, wire) in buyers.iter_mut().enumerate() {
        let answer = within("an answer", wire.ask(&buy(100 + number)))
            .await
            .unwrap();
        let item = format!("release {}", 100 + number);
        if answer.is_done() {
            made.push(item);
        } else {
            let text = answer.text().into_owned();
            assert!(text.contains("Nothing was charged"), "{text}");
            refused.push(item);
        }
    }
    println!(
        "L9: starved, {} purchases were made and {} not, such as: {:?}",
        made.len() - 1,
        refused.len(),
        refused.first()
    );
    assert_eq!(*sold.lock().unwrap(), made);
    drop(crowd_of_one_kind);
    let took = server.descriptors_fall_to(quiet + 5).await;
    println!(
        "L9: {} descriptors again after {took:.1?}",
        server.descriptors()
    );
    // Accepting goes on, and so does all else; nothing that was refused is bought without being asked for.
    let (mut times, failed) = keep_calling(&server, 64, 3 * SECOND).await;
    println!("L9: afterwards: {}", times.shown());
    assert_eq!(failed, 0);
    for (number, wire) in buyers.iter_mut().enumerate() {
        let answer = within("an answer", wire.ask(&buy(100 + number)))
            .await
            .unwrap();
        assert!(answer.is_done(), "{}", answer.text());
    }
    let mut items = sold.lock().unwrap().clone();
    items.sort();
    let all = items.len();
    items.dedup();
    assert_eq!((all, items.len()), (BUYERS + 1, BUYERS + 1), "each once");
    let written = rows(server.folder.path());
    let done = written.iter().filter(|row| row.state == "done");
    let mut done: Vec<_> = done.map(|row| row.item.clone()).collect();
    done.sort();
    assert_eq!(done, items, "the ledger says the same");
    assert!(
        written
            .iter()
            .all(|row| row.state == "done" || row.state == "not_sent")
    );
}
