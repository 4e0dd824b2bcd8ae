//! What the operator's limits let through, at their edges.

use serde_json::{Value, json};
use sevendigital_sandbox::demo;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{ITEM, TOOL};
use crate::support::upstream::{ANY, Act, Upstream, refusal};
use crate::support::{
    Client, Setting, World, age, fails_with, failure, folder, is_replayed, purchase_id, states,
    until, within, world_on,
};

const MINUTE: i64 = 60 * 1_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// A server with these limits, before an upstream that sells.
struct Shop {
    folder: TempDir,
    upstream: Upstream,
    world: World,
    caller: Client,
}

impl Shop {
    async fn with(settings: &[Setting<'_>]) -> Self {
        let (folder, upstream) = (folder(), Upstream::start().await);
        upstream.script(ANY, [Act::Sell]);
        let mut all = vec![("SEVENDIGITAL_MCP_USER_FROM_HEADERS", "true")];
        all.extend(settings);
        let world = world_on(folder.path(), &upstream.base_uri(), &all).await;
        Self {
            caller: Client::of(&world),
            folder,
            upstream,
            world,
        }
    }

    fn other_account(&self) -> Client {
        let user = demo::SECOND_USER_ID;
        Client::of(&self.world).with("x-7digital-user-id", user)
    }

    /// Buys a release.
    async fn buy(&self, number: usize) -> Value {
        self.caller.call(TOOL, &release(number)).await
    }

    /// Buys a release, which must work.
    async fn sells(&self, number: usize) {
        let result = self.buy(number).await;
        purchase_id(&result);
        assert!(!is_replayed(&result), "{result}");
    }

    /// Tries to buy a release, which that limit must prevent.
    async fn refuses(&self, number: usize, limit: &str) {
        let before = self.upstream.connections();
        check_limit(&self.buy(number).await, limit);
        assert_eq!(self.upstream.connections(), before, "{limit}");
    }
}

fn release(number: usize) -> Value {
    json!({"releaseId": format!("{number}")})
}

fn priced(number: usize, price: u32) -> Value {
    json!({"releaseId": format!("{number}"), "price": price})
}

fn check_limit(result: &Value, limit: &str) {
    fails_with(result, &[&format!("`{limit}`"), "Nothing was charged"]);
}

#[tokio::test]
async fn the_dearest_price_passes_and_one_more_does_not() {
    let shop = Shop::with(&[("SEVENDIGITAL_MCP_MAX_PRICE", "1000")]).await;
    let sale = |number: u32, price: u32| json!({"releaseId": number, "retailPrice": price, "currency": "GBP"});
    let basket = json!({"basketId": demo::BASKET_ID});
    let rows = [
        (TOOL, priced(1, 1_000), true),
        (TOOL, priced(2, 0), true),
        (TOOL, priced(3, 1_001), false),
        (TOOL, priced(4, 10_000_000), false),
        (TOOL, release(5), false),
        ("purchase-user-rrp-item", release(6), false),
        ("purchase-user-rrp-item", priced(7, 1_000), true),
        ("purchase-user-basket", basket, false),
        ("purchase-user-priced-item", priced(8, 1_000), true),
        ("purchase-user-priced-item", priced(9, 1_001), false),
        ("deliver-user-item", sale(10, 1_000), true),
        ("deliver-user-item", sale(11, 1_001), false),
    ];
    for (tool, arguments, passes) in rows {
        let result = shop.caller.call(tool, &arguments).await;
        if passes {
            purchase_id(&result);
        } else {
            check_limit(&result, "max_price");
        }
    }
    assert_eq!(states(shop.folder.path()), ["done"; 5]);
}

#[tokio::test]
async fn as_many_as_the_limit_pass_and_the_next_waits_for_its_window() {
    for (limit, window) in [
        ("max_charges_per_minute", MINUTE),
        ("max_charges_per_day", DAY),
    ] {
        let variable = format!("SEVENDIGITAL_MCP_{}", limit.to_uppercase());
        let shop = Shop::with(&[(&variable, "3")]).await;
        // A no of 7digital's does not count.
        shop.upstream
            .script(ITEM, [Act::Say(refusal(200, 3102)), Act::Sell]);
        failure(&shop.buy(1).await);
        for number in 1..=3 {
            shop.sells(number).await;
        }
        shop.refuses(4, limit).await;
        // A repeat is no charge, another account has its own count, and reading goes on.
        assert!(is_replayed(&shop.buy(1).await), "{limit}");
        purchase_id(&shop.other_account().call(TOOL, &release(1)).await);
        let locker = shop.caller.call("get-user-locker", &json!({})).await;
        assert_ne!(locker["isError"], true, "{locker}");
        age(shop.folder.path(), window - 30_000);
        shop.refuses(4, limit).await;
        age(shop.folder.path(), 30_001);
        shop.sells(4).await;
        // A clock that is set back refills nothing.
        age(shop.folder.path(), -3 * DAY);
        shop.refuses(5, limit).await;
    }
}

#[tokio::test]
async fn a_budget_is_spent_to_the_last_penny_and_no_further() {
    let budget = ("SEVENDIGITAL_MCP_DAILY_BUDGET", "2000");
    let shop = Shop::with(&[budget]).await;
    let buy = async |arguments: Value| shop.caller.call(TOOL, &arguments).await;
    check_limit(&buy(release(1)).await, "daily_budget");
    check_limit(&buy(priced(1, 2_001)).await, "daily_budget");
    purchase_id(&buy(priced(1, 1_500)).await);
    check_limit(&buy(priced(2, 501)).await, "daily_budget");
    purchase_id(&buy(priced(2, 500)).await);
    check_limit(&buy(priced(3, 1)).await, "daily_budget");
    purchase_id(&buy(priced(3, 0)).await);
    let other = shop.other_account().call(TOOL, &priced(1, 2_000)).await;
    purchase_id(&other);
    // A new server counts what the old one spent.
    let anew = world_on(shop.folder.path(), &shop.upstream.base_uri(), &[budget]).await;
    let result = Client::of(&anew).call(TOOL, &priced(4, 1)).await;
    check_limit(&result, "daily_budget");
    age(shop.folder.path(), DAY + 1);
    purchase_id(&buy(priced(4, 2_000)).await);
    assert_eq!(shop.upstream.arrivals(ITEM), 5);
}

#[tokio::test]
async fn what_may_have_been_charged_counts() {
    let shop = Shop::with(&[("SEVENDIGITAL_MCP_DAILY_BUDGET", "2000")]).await;
    let cut = Act::Reset(Vec::new());
    shop.upstream.script(ITEM, [cut, Act::Sell]);
    failure(&shop.caller.call(TOOL, &priced(1, 1_500)).await);
    assert_eq!(states(shop.folder.path()), ["unknown"]);
    let result = shop.caller.call(TOOL, &priced(2, 501)).await;
    check_limit(&result, "daily_budget");
    purchase_id(&shop.caller.call(TOOL, &priced(2, 500)).await);
}

#[tokio::test]
async fn of_twenty_at_once_as_many_pass_as_the_limit_says() {
    let shop = Shop::with(&[("SEVENDIGITAL_MCP_MAX_CHARGES_PER_MINUTE", "5")]).await;
    let mut calls = JoinSet::new();
    for number in 0..20 {
        let caller = shop.caller.clone();
        calls.spawn(async move { caller.call(TOOL, &release(number)).await });
    }
    for result in within("the answers", calls.join_all()).await {
        if result["isError"] == true {
            check_limit(&result, "max_charges_per_minute");
        }
    }
    assert_eq!(shop.upstream.arrivals(ITEM), 5);
    assert_eq!(states(shop.folder.path()), ["done"; 5]);
}

#[tokio::test]
async fn so_many_charges_are_in_flight_at_once_and_no_more() {
    let limit = "max_charges_in_flight";
    for (setting, most) in [("", 32), ("1", 1), ("40", 40)] {
        let shop = Shop::with(&[("SEVENDIGITAL_MCP_MAX_CHARGES_IN_FLIGHT", setting)]).await;
        shop.upstream.script(ITEM, [Act::Held(Box::new(Act::Sell))]);
        let mut calls = JoinSet::new();
        for number in 1..=most {
            let caller = shop.caller.clone();
            calls.spawn(async move { caller.call(TOOL, &release(number)).await });
        }
        shop.upstream.wait_for(ITEM, most).await;
        shop.refuses(most + 1, limit).await;
        // Another account has its own, and a repeat waits for the one in flight.
        let (other, repeat) = (shop.other_account(), shop.caller.clone());
        calls.spawn(async move { other.call(TOOL, &release(1)).await });
        calls.spawn(async move { repeat.call(TOOL, &release(1)).await });
        shop.upstream.wait_for(ITEM, most + 1).await;
        shop.upstream.open_gate();
        let results = within("the answers", calls.join_all()).await;
        assert_eq!(results.len(), most + 2);
        for result in results {
            purchase_id(&result);
        }
        let done = || {
            states(shop.folder.path())
                .iter()
                .all(|state| state == "done")
        };
        until("none in flight", done).await;
        shop.sells(most + 1).await;
    }
}
