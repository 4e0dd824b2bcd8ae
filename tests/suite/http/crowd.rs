//! More connections than there may be: those that came first are served, the others wait, and none is lost.

use std::time::{Duration, Instant};

use serde_json::json;
use sevendigital_sandbox::Sandbox;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::draft::{Draft, Wire};
use crate::support::{Server, World, folder, until, within};

const TEN: (&str, &str) = ("SEVENDIGITAL_MCP_LIMIT_MAX_CONNECTIONS", "10");

#[tokio::test]
async fn one_connection_more_waits_and_is_served_once_another_closes() {
    let world = World::with(&[TEN]).await;
    let calls = [
        Draft::call(&world.url, "get-user-locker", &json!({})),
        Draft::new(&world.rest, "GET", "/v1/user/locker"),
    ];
    for good in calls {
        let mut served = Vec::new();
        for _ in 0..10 {
            let mut wire = Wire::open(&good.address).await;
            wire.send(good.bytes()).await.unwrap();
            assert_eq!(wire.answer().await.unwrap().status, 200);
            served.push(wire);
        }
        let before = world.arrivals().len();
        let mut more = Wire::open(&good.address).await;
        more.send(good.bytes()).await.unwrap();
        let moment = Duration::from_millis(300);
        assert!(timeout(moment, more.answer()).await.is_err());
        // Those that are there are served meanwhile.
        for wire in &mut served {
            wire.send(good.bytes()).await.unwrap();
            assert_eq!(wire.answer().await.unwrap().status, 200);
        }
        assert_eq!(world.arrivals().len(), before + 10);
        drop(served.pop());
        assert_eq!(more.answer().await.unwrap().status, 200);
        assert_eq!(world.arrivals().len(), before + 11);
    }
}

#[tokio::test]
async fn each_port_has_its_own_connections() {
    let world = World::with(&[TEN]).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        let mcp = Draft::new(&world.url, "GET", "/healthz");
        silent.push(Wire::open(&mcp.address).await);
    }
    let rest = Draft::new(&world.rest, "GET", "/v1/user/locker");
    assert_eq!(rest.send().await.status, 200);
}

#[tokio::test]
async fn a_hundred_come_through_ten_connections_one_after_the_other() {
    let world = World::with(&[TEN]).await;
    let good = Draft::call(&world.url, "get-user-locker", &json!({})).and("Connection", "close");
    let mut all = JoinSet::new();
    for _ in 0..100 {
        let good = good.clone();
        all.spawn(async move { good.send().await.status });
    }
    let statuses = within("all answers", all.join_all()).await;
    assert_eq!(statuses, [200; 100]);
    assert_eq!(world.arrivals().len(), 100);
}

#[tokio::test]
async fn a_server_without_descriptors_to_spare_serves_on_once_it_has_some() {
    let (folder, sandbox) = (folder(), Sandbox::start().await.unwrap());
    let few = "ulimit -n 48; SEVENDIGITAL_MCP_LIMIT_HEADER_TIMEOUT=1500ms exec \"$0\" \"$@\"";
    let server = Server::start_with(few, folder.path(), &sandbox.base_uri()).await;
    let good = Draft::call(&server.url, "get-user-locker", &json!({}));
    assert_eq!(good.send().await.status, 200);
    let (started, mut silent) = (Instant::now(), Vec::new());
    for _ in 0..100 {
        silent.push(Wire::open(&good.address).await);
    }
    let is_told = || server.log().contains("no connection can be accepted");
    until("the server to say so", is_told).await;
    // It has its turn behind them, once each of them has had its time.
    assert_eq!(good.send().await.status, 200);
    for mut wire in silent {
        assert!(wire.answers().await.is_empty());
    }
    let told = server.log();
    let times = told.matches("no connection can be accepted").count();
    println!("said {times} times");
    // It waits between two attempts.
    let most = started.elapsed().as_millis() / 20;
    assert!((times as u128) < most, "{times} of {most}");
    assert_eq!(good.send().await.status, 200);
}
