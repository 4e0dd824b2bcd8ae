//! Several servers on one ledger: in PostgreSQL, or on one folder.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::confirmation::CONFIRM;
use super::{ITEM, TOOL, release};
use crate::support::upstream::{Act, Upstream};
use crate::support::{
    Client, OwnPostgres, Place, Server, World, check_one, fails_with, folder, is_replayed,
    purchase_id, question, within,
};

/// Servers in this process that share a ledger.
async fn replicas(place: &Place, upstream: &Upstream, more: &[(&str, &str)]) -> Vec<World> {
    let base_uri = upstream.base_uri();
    let own = [&[("SEVENDIGITAL_BASE_URI", &*base_uri)], more].concat();
    let mut worlds = Vec::new();
    for _ in 0..3 {
        worlds.push(World::with(&place.with(&own)).await);
    }
    worlds
}

#[tokio::test]
async fn fifty_identical_purchases_over_three_replicas_arrive_once() {
    for place in Place::all().await {
        let upstream = Upstream::start().await;
        upstream.script(ITEM, [Act::SellSlowly(Duration::from_millis(50))]);
        let worlds = replicas(&place, &upstream, &[]).await;
        let mut calls = JoinSet::new();
        for number in 0..50 {
            let caller = Client::of(&worlds[number % 3]);
            calls.spawn(async move { caller.call(TOOL, &release()).await });
        }
        let results = within("the answers", calls.join_all()).await;
        check_one(&results);
        assert_eq!(upstream.arrivals(ITEM), 1);
        assert_eq!(place.states().await, ["done"]);
    }
}

#[tokio::test]
async fn a_confirmation_that_one_replica_asked_for_is_good_once_at_another() {
    for place in Place::all().await {
        let upstream = Upstream::start().await;
        upstream.script(ITEM, [Act::Sell]);
        let worlds = replicas(&place, &upstream, &[CONFIRM]).await;
        let callers: Vec<Client> = worlds
            .iter()
            .map(|world| Client::of(world).that_can_ask())
            .collect();
        let other = json!({"releaseId": "11700063"});
        let (_, token) = question(&callers[0].call(TOOL, &release()).await);
        purchase_id(&callers[1].agree(TOOL, &release(), &token).await);
        let (_, fresh) = question(&callers[2].call(TOOL, &other).await);
        fails_with(
            &callers[0].agree(TOOL, &other, &token).await,
            &["confirmation is not valid"],
        );
        purchase_id(&callers[0].agree(TOOL, &other, &fresh).await);
        assert_eq!(upstream.arrivals(ITEM), 2);
    }
}

#[tokio::test]
async fn a_limit_is_the_same_for_all_replicas() {
    for place in Place::all().await {
        let upstream = Upstream::start().await;
        upstream.script(ITEM, [Act::Sell]);
        let limit = ("SEVENDIGITAL_MCP_MAX_CHARGES_PER_DAY", "4");
        let worlds = replicas(&place, &upstream, &[limit]).await;
        let mut calls = JoinSet::new();
        for number in 0..12 {
            let caller = Client::of(&worlds[number % 3]);
            let item = json!({"releaseId": number.to_string()});
            calls.spawn(async move { caller.call(TOOL, &item).await });
        }
        for result in within("the answers", calls.join_all()).await {
            if result["isError"] == true {
                fails_with(&result, &["max_charges_per_day"]);
            }
        }
        assert_eq!(upstream.arrivals(ITEM), 4);
    }
}

fn numbered(number: usize) -> Value {
    json!({"releaseId": number.to_string()})
}

/// What a purchase is, when it is asked for again after all that happened.
fn kind(again: &Value, arrived: usize) -> &'static str {
    if again["isError"] == true {
        fails_with(again, &["Money may have been spent"]);
        ["unknown, and it had not arrived", "unknown, and it had"][arrived]
    } else if is_replayed(again) {
        assert_eq!(arrived, 1, "{again}");
        "done before"
    } else {
        assert_eq!(arrived, 0, "{again}");
        "bought only now"
    }
}

#[tokio::test]
async fn where_a_replica_is_killed_another_buys_its_purchase_at_most_once() {
    let Some(place) = Place::shared().await else {
        return;
    };
    let upstream = Upstream::start().await;
    let mut random = StdRng::seed_from_u64(20_261_126);
    let base_uri = upstream.base_uri();
    let start = async || {
        let folder = folder();
        let server = Server::start(folder.path(), &base_uri, &place.settings()).await;
        (folder, server)
    };
    let (_folder, survivor) = start().await;
    let mut kinds = BTreeMap::new();
    for number in 1..=50 {
        upstream.script(ITEM, [Act::SellSlowly(Duration::from_millis(15))]);
        let before = upstream.arrivals(ITEM);
        let (_folder, mut victim) = start().await;
        let caller = victim.caller();
        let call = tokio::spawn(async move {
            let params = json!({"arguments": numbered(number)});
            drop(caller.reply(TOOL, params).await);
        });
        let pause = Duration::from_micros(random.random_range(0..60_000));
        tokio::time::sleep(pause).await;
        victim.signal("KILL");
        victim.ended().await;
        call.abort();
        let arrived = upstream.arrivals(ITEM) - before;
        let again = survivor.caller().call(TOOL, &numbered(number)).await;
        assert!(upstream.arrivals(ITEM) - before <= 1, "{number}: {again}");
        *kinds.entry(kind(&again, arrived)).or_insert(0) += 1;
    }
    println!("{kinds:?}");
    assert!(place.states().await.iter().all(|state| state != "sending"));
}

#[tokio::test]
async fn a_database_that_goes_away_in_mid_purchase_loses_and_repeats_nothing() {
    let Some(postgres) = OwnPostgres::start().await else {
        return;
    };
    let upstream = Upstream::start().await;
    let mut random = StdRng::seed_from_u64(20_261_127);
    let (folder, base_uri) = (folder(), upstream.base_uri());
    let settings = [("SEVENDIGITAL_MCP_LEDGER_URL", &*postgres.url)];
    let server = Server::start(folder.path(), &base_uri, &settings).await;
    let caller = server.caller();
    let mut kinds = BTreeMap::new();
    for number in 1..=60 {
        upstream.script(ITEM, [Act::SellSlowly(Duration::from_millis(15))]);
        let before = upstream.arrivals(ITEM);
        let first = caller.clone();
        let call = tokio::spawn(async move { first.call(TOOL, &numbered(number)).await });
        let pause = Duration::from_micros(random.random_range(0..30_000));
        tokio::time::sleep(pause).await;
        match number % 3 {
            0 => postgres.control(&["restart", "--mode", "fast"]).await,
            1 => postgres.control(&["restart", "--mode", "immediate"]).await,
            _ => {
                postgres.control(&["stop", "--mode", "fast"]).await;
                postgres.control(&["start"]).await;
            }
        }
        let told = within("the answer", call).await.unwrap();
        let arrived = upstream.arrivals(ITEM) - before;
        if told["isError"] != true {
            purchase_id(&told);
            assert_eq!(arrived, 1, "{number}");
        } else if arrived == 0 {
            fails_with(&told, &["can't be written down", "Nothing was charged"]);
        }
        let again = caller.call(TOOL, &numbered(number)).await;
        assert!(upstream.arrivals(ITEM) - before <= 1, "{number}: {again}");
        assert!(
            told["isError"] == true || is_replayed(&again),
            "{number}: {again}"
        );
        *kinds.entry(kind(&again, arrived)).or_insert(0) += 1;
    }
    println!("{kinds:?}");
    // An outcome that could not be written was kept, and written when the database was back.
    assert!(!kinds.contains_key("unknown, and it had"), "{kinds:?}");
}

#[tokio::test]
async fn a_server_stopped_without_its_database_writes_its_outcome_first() {
    let Some(postgres) = OwnPostgres::start().await else {
        return;
    };
    let upstream = Upstream::start().await;
    upstream.script(ITEM, [Act::Held(Box::new(Act::Sell))]);
    let (folder, base_uri) = (folder(), upstream.base_uri());
    let settings = [("SEVENDIGITAL_MCP_LEDGER_URL", &*postgres.url)];
    let mut server = Server::start(folder.path(), &base_uri, &settings).await;
    let caller = server.caller();
    let call = tokio::spawn(async move { caller.call(TOOL, &release()).await });
    upstream.wait_for(ITEM, 1).await;
    postgres.control(&["stop", "--mode", "fast"]).await;
    upstream.open_gate();
    purchase_id(&within("the answer", call).await.unwrap());
    server.signal("TERM");
    server.until_logged("could not be written down yet").await;
    postgres.control(&["start"]).await;
    assert_eq!(server.ended().await.code(), Some(0));
    let next = Server::start(folder.path(), &base_uri, &settings).await;
    let again = next.caller().call(TOOL, &release()).await;
    assert!(is_replayed(&again), "{again}");
    assert_eq!(upstream.arrivals(ITEM), 1);
}
