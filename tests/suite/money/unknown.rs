//! An unknown outcome blocks a repeat until the locker or the operator settles it.

use std::path::Path;

use serde_json::{Value, json};
use sevendigital_sandbox::{Fault, demo};
use tempfile::TempDir;

use super::{ITEM, TOOL, release};
use crate::support::upstream::{Act, Upstream, http};
use crate::support::{
    Client, World, fails_with, failure, folder, is_replayed, ledger, purchase_id, states, world_on,
};

/// A world before its own sandbox, with its ledger in a folder.
async fn world(folder: &TempDir) -> World {
    let state = folder.path().to_str().unwrap();
    World::with(&[("SEVENDIGITAL_MCP_STATE_DIR", state)]).await
}

#[tokio::test]
async fn an_unknown_outcome_is_settled_by_the_locker_without_a_second_purchase() {
    let track = json!({"releaseId": "11700062", "trackId": "1170006202"});
    let priced = json!({"releaseId": "11700064", "price": 1099});
    let rrp = "purchase-user-rrp-item";
    #[rustfmt::skip]
    let rows = [
        ("purchaseUserItem", TOOL, release()),
        ("purchaseUserItem", TOOL, track),
        ("purchaseUserRrpItem", rrp, json!({"releaseId": "11700063"})),
        ("purchaseUserPricedItem", "purchase-user-priced-item", priced),
        ("deliverUserItem", "deliver-user-item", json!({"releaseId": "11700065"})),
    ];
    for fault in [Fault::CutAfterHeaders, Fault::Reset] {
        for (operation, tool, arguments) in &rows {
            let folder = folder();
            let world = world(&folder).await;
            world.sandbox.script(operation, fault.clone(), 1);
            let lost = world.call(tool, arguments.clone()).await;
            fails_with(&lost, &["Money may have been spent"]);
            assert_eq!(states(folder.path()), ["unknown"], "{tool}");
            for _ in 0..2 {
                let again = world.call(tool, arguments.clone()).await;
                assert!(is_replayed(&again), "{tool}: {again}");
                let made = &world.sandbox.sales()[0];
                assert_eq!(purchase_id(&again), made.purchase_id.to_string(), "{tool}");
            }
            assert_eq!(states(folder.path()), ["done"], "{tool}");
            assert_eq!(world.arrived(operation), 1, "{tool}");
            assert_eq!(world.sandbox.sales().len(), 1, "{tool}");
        }
    }
}

#[tokio::test]
async fn what_the_locker_does_not_prove_stays_unknown() {
    let lost = || Fault::Status(503, "text/plain", String::new());
    let basket = json!({"basketId": demo::BASKET_ID});
    // Owned for a month; in a basket, whose items are not known; and not to be found out, since the locker fails.
    let owned = json!({"releaseId": "11600001"});
    let track = json!({"releaseId": "11600001", "trackId": "1160000101"});
    #[rustfmt::skip]
    let rows = [
        ("purchaseUserItem", TOOL, owned, lost(), None),
        ("purchaseUserItem", TOOL, track, lost(), None),
        ("purchaseUserBasket", "purchase-user-basket", basket, Fault::Reset, None),
        ("purchaseUserItem", TOOL, release(), Fault::Reset, Some(lost())),
    ];
    for (operation, tool, arguments, fault, locker) in rows {
        let folder = folder();
        let world = world(&folder).await;
        world.sandbox.script(operation, fault, 1);
        if let Some(locker) = locker {
            world.sandbox.script("getUserLocker", locker, 10);
        }
        failure(&world.call(tool, arguments.clone()).await);
        for _ in 0..2 {
            let again = world.call(tool, arguments.clone()).await;
            let parts = [
                "It is not sent again",
                "ledger forget 1",
                "Money may have been spent",
            ];
            fails_with(&again, &parts);
        }
        assert_eq!(states(folder.path()), ["unknown"], "{tool}");
        assert_eq!(world.arrived(operation), 1, "{tool}");
    }
}

/// A moment that many seconds from now, as 7digital's header has it and as its documents have it.
fn in_seconds(seconds: i64) -> (String, String) {
    let then = chrono::Utc::now() + chrono::Duration::seconds(seconds);
    let header = then.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    (header, then.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[tokio::test]
async fn only_a_purchase_of_just_this_item_after_the_charge_settles_it() {
    const RELEASE: &str = "11700062";
    const TRACK: &str = "1170006201";
    // Seconds by which 7digital's clock is ahead of ours, seconds from the charge to the purchase in the locker by 7digital's clock, release and track there, whether the whole release was bought, purchase ids.
    #[rustfmt::skip]
    let rows = [
        (true, "the release", 0, 1, RELEASE, None, true, &["77"][..]),
        (true, "its id in another spelling", 0, 1, "011700062", None, true, &["77"]),
        (true, "our clock behind by an hour", 3_600, 1, RELEASE, None, true, &["77"]),
        (true, "our clock ahead by an hour", -3_600, 1, RELEASE, None, true, &["77"]),
        (true, "the track", 0, 1, RELEASE, Some(TRACK), false, &["77"]),
        (false, "a track of the release", 0, 1, RELEASE, None, false, &["77"]),
        (false, "another release", 0, 1, "11700063", None, true, &["77"]),
        (false, "an earlier purchase", 0, -10, RELEASE, None, true, &["77"]),
        (false, "an earlier one, our clock behind", 3_600, -1_800, RELEASE, None, true, &["77"]),
        (false, "another track", 0, 1, RELEASE, Some("1170006202"), false, &["77"]),
        (false, "the track with its whole release", 0, 1, RELEASE, Some(TRACK), true, &["77"]),
        (false, "two purchases", 0, 1, RELEASE, None, true, &["77", "78"]),
        (false, "none with an id", 0, 1, RELEASE, None, true, &[]),
    ];
    for (settles, what, ahead, later, there, track, whole, ids) in rows {
        let (folder, upstream) = (folder(), Upstream::start().await);
        upstream.script(ITEM, [Act::Reset(Vec::new())]);
        let world = world_on(folder.path(), &upstream.base_uri(), &[]).await;
        let bought = match track {
            Some(_) => json!({"releaseId": RELEASE, "trackId": TRACK}),
            None => release(),
        };
        let (date, _) = in_seconds(ahead);
        let (_, at) = in_seconds(ahead + later);
        let owned = |id: Option<&&str>| {
            let track = track.unwrap_or("1170006201");
            json!({"track": {"id": track}, "purchaseId": id, "purchaseDate": at, "completeAlbumPurchase": whole})
        };
        let mut tracks: Vec<Value> = ids.iter().map(|id| owned(Some(id))).collect();
        if tracks.is_empty() {
            tracks.push(owned(None));
        }
        let locker = json!({"status": "ok", "locker": {"lockerReleases": {"lockerRelease": [{"release": {"id": there}, "lockerTracks": {"lockerTrack": tracks}}]}}});
        let answer = http(200, &format!("Date: {date}\r\n"), locker.to_string());
        upstream.script("/user/locker", [Act::Say(answer)]);
        failure(&world.call(TOOL, bought.clone()).await);
        let again = world.call(TOOL, bought).await;
        assert_eq!(is_replayed(&again), settles, "{what}: {again}");
        let state = if settles { "done" } else { "unknown" };
        assert_eq!(states(folder.path()), [state], "{what}");
        if settles {
            assert_eq!(purchase_id(&again), "77", "{what}");
        }
        assert_eq!(upstream.arrivals(ITEM), 1, "{what}");
    }
}

#[tokio::test]
async fn a_purchase_that_is_known_does_not_settle_another() {
    let folder = folder();
    let world = world(&folder).await;
    purchase_id(&world.call("deliver-user-item", release()).await);
    let lost = Fault::Status(503, "text/plain", String::new());
    world.sandbox.script("purchaseUserItem", lost, 1);
    failure(&world.call(TOOL, release()).await);
    failure(&world.call(TOOL, release()).await);
    assert_eq!(states(folder.path()), ["done", "unknown"]);
    assert_eq!(world.arrived("purchaseUserItem"), 1);
}

#[tokio::test]
async fn the_operator_sees_what_was_bought_and_frees_what_is_unknown() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script("/user/purchase/rrpitem", [Act::Sell]);
    let held = Act::Held(Box::new(Act::Sell));
    upstream.script(ITEM, [Act::Reset(Vec::new()), held]);
    let world = world_on(folder.path(), &upstream.base_uri(), &[]).await;
    let caller = Client::of(&world);
    let other = json!({"releaseId": "11700063"});
    let bought = caller.call("purchase-user-rrp-item", &other).await;
    failure(&caller.call(TOOL, &release()).await);

    let id = purchase_id(&bought);
    let list = answered(folder.path(), &["list"]).await;
    let lines = list.lines().map(|line| line.split_whitespace().collect());
    let lines: Vec<Vec<&str>> = lines.collect();
    let [_, newest, oldest] = &lines[..] else {
        panic!("{list}")
    };
    assert_eq!((newest[0], oldest[0]), ("2", "1"), "newest first: {list}");
    let unknown = ["unknown", TOOL, "release", "11700062", "-", "-"];
    assert_eq!(newest[2..], unknown);
    let done = ["done", "purchase-user-rrp-item", "release", "11700063", "-"];
    assert_eq!(oldest[2..], [&done[..], &[id]].concat());
    let one = answered(folder.path(), &["list", "--limit", "1"]).await;
    assert_eq!(one.lines().count(), 2, "a header, and the newest");

    let shown = answered(folder.path(), &["show", "1"]).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let made = (&shown["state"], &shown["purchase_id"]);
    assert_eq!(made, (&json!("done"), &json!(id)));
    let exported = answered(folder.path(), &["export"]).await;
    let exported = exported
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let exported: Vec<Value> = exported.collect();
    assert_eq!(exported[0], shown, "oldest first");
    assert_eq!(exported[1]["state"], "unknown");
    assert_eq!(exported.len(), 2);

    for command in ["show", "forget"] {
        let (code, _, told) = ledger(folder.path(), &[command, "3"]).await;
        assert_eq!(code, 2, "{command}");
        assert!(told.contains("charge 3"), "{told}");
    }
    let forgotten = answered(folder.path(), &["forget", "2"]).await;
    assert!(forgotten.contains("charge 2 is forgotten"), "{forgotten}");

    // Free again, and while it is in flight it can't be forgotten.
    let again = tokio::spawn(async move { caller.call(TOOL, &release()).await });
    upstream.wait_for(ITEM, 2).await;
    let (code, _, told) = ledger(folder.path(), &["forget", "3"]).await;
    assert_eq!(code, 2);
    assert!(told.contains("in flight"), "{told}");
    upstream.open_gate();
    purchase_id(&again.await.unwrap());
    assert_eq!(states(folder.path()), ["done", "done"]);
}

#[tokio::test]
async fn the_ledger_says_where_it_is_and_asks_before_it_drops_what_is_done() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    let empty = folder.path().join("empty");
    let list = answered(&empty, &["list"]).await;
    let place = empty.join("ledger.sqlite");
    let expected = format!(
        "nothing was bought yet; the ledger is {}\n",
        place.display()
    );
    assert_eq!(list, expected);
    assert!(!empty.exists(), "who looks creates nothing");
    upstream.script(ITEM, [Act::Sell]);
    let world = world_on(folder.path(), &upstream.base_uri(), &[]).await;
    let priced = json!({"releaseId": "11700062", "price": 1099});
    purchase_id(&world.call(TOOL, priced).await);
    let list = answered(folder.path(), &["list"]).await;
    assert!(list.lines().next().unwrap().contains("PRICE"), "{list}");
    assert!(list.contains("10.99 GBP"), "{list}");
    let status = answered(folder.path(), &["status"]).await;
    let path = folder.path().join("ledger.sqlite");
    assert_eq!(status, format!("{}\ndone      1\n", path.display()));
    for (since, lines) in [("2026-01-01", 1), ("2999-01-01", 0)] {
        let exported = answered(folder.path(), &["export", "--since", since]).await;
        assert_eq!(exported.lines().count(), lines, "{since}");
        assert!(
            lines == 0 || exported.contains("\"started\":\"20"),
            "{exported}"
        );
    }
    let (code, _, told) = ledger(folder.path(), &["forget", "1"]).await;
    assert_eq!(code, 2);
    assert!(told.contains("is done, and stays: `--yes`"), "{told}");
    assert_eq!(states(folder.path()), ["done"]);
    answered(folder.path(), &["forget", "1", "--yes"]).await;
    assert!(states(folder.path()).is_empty());
}

/// What the `ledger` command writes where it succeeds.
async fn answered(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, told) = ledger(folder, arguments).await;
    assert_eq!(code, 0, "{told}");
    out
}
