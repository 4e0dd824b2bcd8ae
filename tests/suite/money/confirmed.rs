//! What a confirmation is good for: the very call that was asked about, once, for some minutes.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sevendigital_sandbox::demo;
use sha2::Sha256;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::confirmation::{CONFIRM, actions, asking};
use super::{ITEM, TOOL, release, second_user};
use crate::support::upstream::{Act, Upstream};
use crate::support::{
    Client, age, check_one, fails_with, failure, folder, open, purchase_id, question, rows, within,
    world_on,
};

const INVALID: &str = "confirmation is not valid";
const DAY: i64 = 24 * 60 * 60 * 1_000;

#[tokio::test]
async fn a_hundred_replays_of_one_confirmation_buy_once() {
    for tool in [TOOL, "delete-user-payment-card"] {
        let arguments = match tool {
            TOOL => release(),
            _ => json!({"body": {"cardId": demo::OTHER_CARD}}),
        };
        let folder = folder();
        let world = asking(&folder).await;
        let caller = Client::of(&world).that_can_ask();
        let (_, sealed) = question(&caller.call(tool, &arguments).await);
        let mut replays = JoinSet::new();
        for _ in 0..100 {
            let (caller, sealed, arguments) = (caller.clone(), sealed.clone(), arguments.clone());
            replays.spawn(async move { caller.agree(tool, &arguments, &sealed).await });
        }
        let results = within("the answers", replays.join_all()).await;
        assert_eq!(actions(&world), 1, "{tool}");
        if tool == TOOL {
            check_one(&results);
        } else {
            let failed = results.iter().filter(|result| result["isError"] == true);
            let told: Vec<&str> = failed.map(failure).collect();
            assert_eq!(told.len(), 99);
            assert!(told.iter().all(|told| told.contains("was used before")));
        }
    }
}

#[tokio::test]
async fn a_confirmation_with_any_byte_changed_buys_nothing() {
    let folder = folder();
    let world = asking(&folder).await;
    let caller = Client::of(&world).that_can_ask();
    let (_, sealed) = question(&caller.call(TOOL, &release()).await);
    let mut forged = vec![
        String::new(),
        format!("{sealed}A"),
        format!("{sealed}.{sealed}"),
    ];
    for (at, byte) in sealed.bytes().enumerate() {
        forged.push(sealed[..at].to_owned());
        for bit in 0..7 {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = byte ^ (1 << bit);
            forged.push(String::from_utf8(bytes).unwrap());
        }
    }
    let forgeries = forged.len();
    let mut tries = JoinSet::new();
    // As many at once as there are permits for charges.
    let permits = Arc::new(Semaphore::new(50));
    for sealed in forged {
        let (caller, permits) = (caller.clone(), Arc::clone(&permits));
        tries.spawn(async move {
            let _permit = permits.acquire().await;
            (caller.agree(TOOL, &release(), &sealed).await, sealed)
        });
    }
    for (result, sealed) in tries.join_all().await {
        let told = failure(&result);
        assert!(told.contains(INVALID), "{sealed}: {told}");
    }
    assert_eq!(actions(&world), 0);
    println!("{forgeries} forgeries of {} bytes", sealed.len());
    // The true one is still good.
    purchase_id(&caller.agree(TOOL, &release(), &sealed).await);
}

#[tokio::test]
async fn a_confirmation_of_one_call_is_none_of_another() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    for path in [ITEM, "/user/purchase/rrpitem", "/user/deliveritem"] {
        upstream.script(path, [Act::Sell]);
    }
    let settings = [CONFIRM, ("SEVENDIGITAL_MCP_USER_FROM_HEADERS", "true")];
    let world = world_on(folder.path(), &upstream.base_uri(), &settings).await;
    let own = Client::of(&world).that_can_ask();
    let second = second_user(&own);
    let managed = own.with("x-7digital-user-id", demo::USER_ID);
    let card = json!({"body": {"cardId": demo::OTHER_CARD}});
    #[rustfmt::skip]
    let others = [
        ("another item", &own, TOOL, json!({"releaseId": "11700063"})),
        ("a track of it", &own, TOOL, json!({"releaseId": "11700062", "trackId": "1"})),
        ("another price", &own, TOOL, json!({"releaseId": "11700062", "price": 1})),
        ("another country", &own, TOOL, json!({"releaseId": "11700062", "country": "US"})),
        ("another tool", &own, "purchase-user-rrp-item", release()),
        ("a sale", &own, "deliver-user-item", release()),
        ("a deletion", &own, "delete-user-payment-card", card),
        ("another user", &second, TOOL, release()),
        ("a managed user", &managed, TOOL, release()),
    ];
    let (_, sealed) = question(&own.call(TOOL, &release()).await);
    let reads = |upstream: &Upstream| {
        let paths = [
            "/user/locker",
            "/user/payment/card",
            "/release/details",
            "/track/details",
        ];
        paths
            .iter()
            .map(|path| upstream.arrivals(path))
            .sum::<usize>()
    };
    let check_others = async |when: &str| {
        for (name, caller, tool, arguments) in &others {
            let result = caller.agree(tool, arguments, &sealed).await;
            let told = failure(&result);
            assert!(told.contains(INVALID), "{name} {when}: {told}");
        }
    };
    check_others("before it was used").await;
    assert_eq!(upstream.counts().values().sum::<usize>(), reads(&upstream));
    purchase_id(&own.agree(TOOL, &release(), &sealed).await);
    check_others("after it was used").await;
    // After a day the same may be bought again, but not with the old confirmation.
    age(folder.path(), DAY + 1);
    let result = own.agree(TOOL, &release(), &sealed).await;
    fails_with(&result, &["was used before"]);
    assert_eq!(upstream.arrivals(ITEM), 1);
    assert_eq!(
        upstream.counts().values().sum::<usize>(),
        reads(&upstream) + 1
    );
}

#[tokio::test]
async fn a_confirmation_is_good_for_ten_minutes() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(ITEM, [Act::Sell]);
    let world = world_on(folder.path(), &upstream.base_uri(), &[CONFIRM]).await;
    let caller = Client::of(&world).that_can_ask();
    let (_, sealed) = question(&caller.call(TOOL, &release()).await);
    purchase_id(&caller.agree(TOOL, &release(), &sealed).await);
    age(folder.path(), DAY + 1);
    // The server's own key and the call's own digest make seals whose time is up, or not.
    let ledger = open(folder.path());
    let key: Vec<u8> = ledger
        .query_row("SELECT key FROM signing_key", [], |row| row.get(0))
        .unwrap();
    let subject = format!("{} 0 operator", rows(folder.path()).remove(0).key);
    let now = chrono::Utc::now().timestamp_millis();
    let late = signed(&key, &subject, now - 1);
    let result = caller.agree(TOOL, &release(), &late).await;
    fails_with(&result, &["is too old"]);
    assert_eq!(upstream.arrivals(ITEM), 1);
    purchase_id(
        &caller
            .agree(TOOL, &release(), &signed(&key, &subject, now + 60_000))
            .await,
    );
    assert_eq!(upstream.arrivals(ITEM), 2);

    // What the server itself gives is good for ten minutes.
    let expires: i64 = sealed.split('.').nth(1).unwrap().parse().unwrap();
    let left = expires - chrono::Utc::now().timestamp_millis();
    assert!((540_000..=600_000).contains(&left), "{left} ms");
}

/// A confirmation token as the server signs it, with that expiry.
fn signed(key: &[u8], subject: &str, expiry: i64) -> String {
    let offer = URL_SAFE_NO_PAD.encode("{}");
    let token = format!("{expiry:032x}.{expiry}.{offer}");
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(format!("{token}\0{subject}").as_bytes());
    let mac = mac.finalize().into_bytes();
    let start = format!("{token}.");
    mac.iter()
        .fold(start, |token, byte| format!("{token}{byte:02x}"))
}

#[tokio::test]
async fn a_confirmation_outlives_a_restart_and_works_in_another_process() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script(ITEM, [Act::Sell]);
    let base_uri = upstream.base_uri();
    let world = world_on(folder.path(), &base_uri, &[CONFIRM]).await;
    let caller = Client::of(&world).that_can_ask();
    let (_, sealed) = question(&caller.call(TOOL, &release()).await);
    drop(world);
    let (one, other) = tokio::join!(
        world_on(folder.path(), &base_uri, &[CONFIRM]),
        world_on(folder.path(), &base_uri, &[CONFIRM])
    );
    let [one, other] = [&one, &other].map(|world| Client::of(world).that_can_ask());
    let arguments = release();
    let (first, second) = tokio::join!(
        one.agree(TOOL, &arguments, &sealed),
        other.agree(TOOL, &arguments, &sealed)
    );
    check_one(&[first, second]);
    assert_eq!(upstream.arrivals(ITEM), 1);
}
