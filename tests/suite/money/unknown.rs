//! An unknown outcome blocks a repeat until the locker or the operator settles it.

use serde_json::{Value, json};
use sevendigital_sandbox::{Fault, demo};
use tempfile::TempDir;

use crate::support::upstream::{Act, Upstream};
use crate::support::{
    Caller, World, failure, folder, is_replayed, ledger, purchase_id, states, world_on,
};

const ITEM: &str = "/user/purchase/item";
const TOOL: &str = "purchase-user-item";

fn release() -> Value {
    json!({"releaseId": "11700062"})
}

/// A world before its own sandbox, with its ledger in a folder.
async fn world(folder: &TempDir) -> World {
    World::with(&[(
        "SEVENDIGITAL_MCP_STATE_DIR",
        folder.path().to_str().unwrap(),
    )])
    .await
}

fn arrivals(world: &World, operation: &str) -> usize {
    let arrivals = world.arrivals().into_iter();
    arrivals
        .filter(|arrival| arrival.operation == Some(operation))
        .count()
}

#[tokio::test]
async fn an_unknown_outcome_is_settled_by_the_locker_without_a_second_purchase() {
    let track = json!({"releaseId": "11700062", "trackId": "1170006202"});
    let priced = json!({"releaseId": "11700064", "price": 1099});
    let rrp = "purchase-user-rrp-item";
    let rows = [
        ("purchaseUserItem", TOOL, release()),
        ("purchaseUserItem", TOOL, track),
        ("purchaseUserRrpItem", rrp, json!({"releaseId": "11700063"})),
        (
            "purchaseUserPricedItem",
            "purchase-user-priced-item",
            priced,
        ),
        (
            "deliverUserItem",
            "deliver-user-item",
            json!({"releaseId": "11700065"}),
        ),
    ];
    for fault in [Fault::CutAfterHeaders, Fault::Reset] {
        for (operation, tool, arguments) in &rows {
            let folder = folder();
            let world = world(&folder).await;
            world.sandbox.script(operation, fault.clone(), 1);
            let lost = world.call(tool, arguments.clone()).await;
            let told = failure(&lost);
            assert!(told.contains("Money may have been spent"), "{told}");
            assert_eq!(states(folder.path()), ["unknown"], "{tool}");
            for _ in 0..2 {
                let again = world.call(tool, arguments.clone()).await;
                assert!(is_replayed(&again), "{tool}: {again}");
                let made = &world.sandbox.sales()[0];
                assert_eq!(purchase_id(&again), made.purchase_id.to_string(), "{tool}");
            }
            assert_eq!(states(folder.path()), ["done"], "{tool}");
            assert_eq!(arrivals(&world, operation), 1, "{tool}");
            assert_eq!(world.sandbox.sales().len(), 1, "{tool}");
        }
    }
}

#[tokio::test]
async fn what_the_locker_does_not_prove_stays_unknown() {
    let lost = || Fault::Status(503, "text/plain", String::new());
    let basket = json!({"basketId": demo::BASKET_ID});
    // Owned for a month; in a basket, whose items nobody knows; and not to be found out, since the locker fails.
    let rows = [
        (
            "purchaseUserItem",
            TOOL,
            json!({"releaseId": "11600001"}),
            lost(),
            None,
        ),
        (
            "purchaseUserItem",
            TOOL,
            json!({"releaseId": "11600001", "trackId": "1160000101"}),
            lost(),
            None,
        ),
        (
            "purchaseUserBasket",
            "purchase-user-basket",
            basket,
            Fault::Reset,
            None,
        ),
        (
            "purchaseUserItem",
            TOOL,
            release(),
            Fault::Reset,
            Some(lost()),
        ),
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
            let told = failure(&again);
            assert!(told.contains("It is not sent again"), "{told}");
            assert!(told.contains("ledger forget 1"), "{told}");
            assert!(told.contains("Money may have been spent"), "{told}");
        }
        assert_eq!(states(folder.path()), ["unknown"], "{tool}");
        assert_eq!(arrivals(&world, operation), 1, "{tool}");
    }
}

#[tokio::test]
async fn a_purchase_that_is_known_does_not_settle_another() {
    let folder = folder();
    let world = world(&folder).await;
    purchase_id(&world.call("purchase-user-rrp-item", release()).await);
    let lost = Fault::Status(503, "text/plain", String::new());
    world.sandbox.script("purchaseUserItem", lost, 1);
    failure(&world.call(TOOL, release()).await);
    failure(&world.call(TOOL, release()).await);
    assert_eq!(states(folder.path()), ["done", "unknown"]);
    assert_eq!(arrivals(&world, "purchaseUserItem"), 1);
}

#[tokio::test]
async fn the_operator_sees_what_was_bought_and_frees_what_is_unknown() {
    let (folder, upstream) = (folder(), Upstream::start().await);
    upstream.script("/user/purchase/rrpitem", [Act::Sell]);
    upstream.script(
        ITEM,
        [Act::Reset(Vec::new()), Act::Held(Box::new(Act::Sell))],
    );
    let world = world_on(folder.path(), &upstream.base_uri(), &[]).await;
    let caller = Caller::of(&world);
    let bought = caller.call("purchase-user-rrp-item", &release()).await;
    failure(&caller.call(TOOL, &release()).await);

    let (code, list, _) = ledger(folder.path(), &["list"]).await;
    let lines: Vec<Vec<&str>> = list
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(code, 0);
    assert_eq!(lines.len(), 2, "{list}");
    assert_eq!(
        (lines[0][0], lines[1][0]),
        ("2", "1"),
        "newest first: {list}"
    );
    assert_eq!(
        lines[0][2..],
        ["unknown", TOOL, "release", "11700062"],
        "{list}"
    );
    let id = purchase_id(&bought);
    assert_eq!(
        lines[1][2..],
        [
            "done",
            "purchase-user-rrp-item",
            "release",
            "11700062",
            "purchase",
            id
        ],
        "{list}"
    );
    let (_, one, _) = ledger(folder.path(), &["list", "--limit", "1"]).await;
    assert_eq!(one.lines().count(), 1);

    let (code, shown, _) = ledger(folder.path(), &["show", "1"]).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(code, 0);
    assert_eq!(shown["state"], "done");
    assert_eq!(shown["purchase_id"], id);
    let (code, exported, _) = ledger(folder.path(), &["export"]).await;
    let exported: Vec<Value> = exported
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(code, 0);
    assert_eq!(exported[0], shown, "oldest first");
    assert_eq!(exported[1]["state"], "unknown");
    assert_eq!(exported.len(), 2);

    for command in ["show", "forget"] {
        let (code, _, told) = ledger(folder.path(), &[command, "3"]).await;
        assert_eq!(code, 2, "{command}");
        assert!(told.contains("charge 3"), "{told}");
    }
    let (code, told, _) = ledger(folder.path(), &["forget", "2"]).await;
    assert_eq!((code, told.contains("charge 2 is forgotten")), (0, true));

    // Free again, and while it is under way it can't be forgotten.
    let again = tokio::spawn(async move { caller.call(TOOL, &release()).await });
    upstream.wait_for(ITEM, 2).await;
    let (code, _, told) = ledger(folder.path(), &["forget", "3"]).await;
    assert_eq!(code, 2);
    assert!(told.contains("under way"), "{told}");
    upstream.open_gate();
    purchase_id(&again.await.unwrap());
    assert_eq!(states(folder.path()), ["done", "done"]);
}
