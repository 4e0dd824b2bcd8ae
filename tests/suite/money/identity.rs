//! One purchase, one charge, however it is spelled.

use serde_json::{Value, json};

use super::confirmation::{CONFIRM, asking};
use crate::support::upstream::{ANY, Act, Upstream};
use crate::support::{
    Client, Place, World, fails_with, folder, is_replayed, purchase_id, question, text,
};

const ITEM: &str = "purchase-user-item";
const RRP: &str = "purchase-user-rrp-item";
const PRICED: &str = "purchase-user-priced-item";
const SALE: &str = "deliver-user-item";
const BASKET: &str = "purchase-user-basket";

/// Calls that buy what release 11700062 of this user's is, by the user's card.
fn same_release() -> Vec<(&'static str, Value)> {
    let id = |id: &str| json!({"releaseId": id});
    let with = |name: &str, value: Value| json!({"releaseId": "11700062", name: value});
    vec![
        (ITEM, id("11700062")),
        (ITEM, id("011700062")),
        (ITEM, id("00011700062")),
        (ITEM, id("11700062.0")),
        (ITEM, id("011700062.00")),
        (ITEM, json!({"releaseId": 11_700_062})),
        (ITEM, with("price", json!(799))),
        (ITEM, with("price", json!("799"))),
        (ITEM, with("price", json!(1))),
        (ITEM, with("shopId", json!("34"))),
        (ITEM, with("country", json!("GB"))),
        (ITEM, with("country", json!("de"))),
        (ITEM, with("tags", json!("a=b"))),
        (ITEM, with("trackId", json!(null))),
        (RRP, id("11700062")),
        (RRP, id("011700062")),
        (RRP, with("price", json!(799))),
        (RRP, with("country", json!("GB"))),
        (PRICED, with("price", json!(799))),
        (PRICED, with("price", json!(100))),
        (PRICED, json!({"releaseId": "011700062", "price": 799})),
    ]
}

/// Further purchases, each in two spellings.
fn pairs() -> Vec<[(&'static str, Value); 2]> {
    let track = |release: &str, track: &str| json!({"releaseId": release, "trackId": track});
    let basket = |id: &str| json!({"basketId": id});
    let sale = |more: Value| {
        let mut sale = json!({"releaseId": "11700065", "retailPrice": 799, "currency": "GBP"});
        sale.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        sale
    };
    vec![
        [
            (ITEM, track("11700062", "1170006201")),
            (RRP, track("011700062", "01170006201")),
        ],
        [
            (BASKET, basket("0f8fad5b-d9cb-469f-a165-70867728950e")),
            (BASKET, basket("0F8FAD5BD9CB469FA16570867728950E")),
        ],
        [(BASKET, basket("7")), (BASKET, basket("07"))],
        [
            (BASKET, basket("8")),
            (BASKET, json!({"basketId": "8", "country": "FR"})),
        ],
        [
            (SALE, sale(json!({}))),
            (SALE, sale(json!({"packageId": "2"}))),
        ],
        [
            (SALE, sale(json!({"transactionId": "t-1"}))),
            (
                SALE,
                sale(json!({"transactionId": "t-1", "retailPrice": 1})),
            ),
        ],
    ]
}

#[tokio::test]
async fn where_nobody_is_asked_a_purchase_is_made_once_in_all_spellings() {
    for place in Place::all().await {
        let upstream = Upstream::start().await;
        upstream.script(ANY, [Act::Sell]);
        let base_uri = upstream.base_uri();
        let own = [("SEVENDIGITAL_BASE_URI", &*base_uri)];
        let world = World::with(&place.with(&own)).await;
        let caller = Client::of(&world);
        let mut first: Option<String> = None;
        for (tool, arguments) in same_release() {
            let result = caller.call(tool, &arguments).await;
            let id = purchase_id(&result).to_owned();
            if let Some(first) = &first {
                assert_eq!(id, *first, "{tool} {arguments}");
                assert!(is_replayed(&result), "{tool} {arguments}: {result}");
                let told = result["content"][1]["text"].as_str().unwrap();
                let said =
                    format!("as purchase {id}, with purchase-user-item; nothing was charged now.");
                assert!(
                    told.starts_with("Already bought ") && told.ends_with(&said),
                    "{told}"
                );
            }
            first.get_or_insert(id);
        }
        assert_eq!(place.states().await, ["done"]);
        for [(one, arguments), (other, spelled)] in pairs() {
            let bought = caller.call(one, &arguments).await;
            assert!(
                !is_replayed(&bought),
                "{one} {arguments}: {}",
                text(&bought)
            );
            let again = caller.call(other, &spelled).await;
            assert!(is_replayed(&again), "{other} {spelled}: {}", text(&again));
            assert_eq!(purchase_id(&again), purchase_id(&bought));
        }
        let sales = place.states().await.len();
        let other = json!({"releaseId": "11700065", "retailPrice": 799, "transactionId": "t-2"});
        let sold = caller.call(SALE, &other).await;
        assert!(
            !is_replayed(&sold),
            "another reference is another sale: {sold}"
        );
        assert_eq!(place.states().await.len(), sales + 1);
    }
}

#[tokio::test]
async fn while_an_outcome_is_unknown_no_spelling_is_sent() {
    for place in Place::all().await {
        let upstream = Upstream::start().await;
        upstream.script(ANY, [Act::Reset(Vec::new())]);
        let base_uri = upstream.base_uri();
        let own = [("SEVENDIGITAL_BASE_URI", &*base_uri)];
        let world = World::with(&place.with(&own)).await;
        let caller = Client::of(&world);
        for (tool, arguments) in same_release() {
            let result = caller.call(tool, &arguments).await;
            let how = "`sevendigital-mcp ledger forget 1`";
            if tool == ITEM && arguments == json!({"releaseId": "11700062"}) {
                fails_with(&result, &["Money may have been spent"]);
            } else {
                fails_with(
                    &result,
                    &[
                        "Charge 1 (release 11700062)",
                        how,
                        "Money may have been spent",
                    ],
                );
            }
        }
        let sent: usize = ["item", "rrpitem", "priceditem"]
            .iter()
            .map(|kind| upstream.arrivals(&format!("/user/purchase/{kind}")))
            .sum();
        assert_eq!(sent, 1);
        assert_eq!(place.states().await, ["unknown"]);
    }
}

/// Buys with the user's yes; gives the purchase id.
async fn agreed(caller: &Client, tool: &str, arguments: &Value) -> String {
    let (_, token) = question(&caller.call(tool, arguments).await);
    purchase_id(&caller.agree(tool, arguments, &token).await).to_owned()
}

/// That a call is asked about as one that was made before.
async fn asks_again(caller: &Client, tool: &str, arguments: &Value, id: &str) {
    let (message, _) = question(&caller.call(tool, arguments).await);
    let again = message.contains("AGAIN: the same item was bought") && message.contains(id);
    assert!(again, "{tool} {arguments}: {message}");
}

#[tokio::test]
async fn where_the_user_is_asked_every_other_spelling_is_asked_about_as_again() {
    for place in Place::all().await {
        let upstream = Upstream::start().await;
        upstream.script(ANY, [Act::Sell]);
        let base_uri = upstream.base_uri();
        let own = [("SEVENDIGITAL_BASE_URI", &*base_uri), CONFIRM];
        let world = World::with(&place.with(&own)).await;
        let caller = Client::of(&world).that_can_ask();
        let id = agreed(&caller, ITEM, &json!({"releaseId": "11700062"})).await;
        for (tool, arguments) in same_release() {
            let mut plain = arguments.clone();
            let fields = plain.as_object_mut().unwrap();
            fields.retain(|_, value| !value.is_null() && value != "GB");
            let same = [
                json!({"releaseId": "11700062"}),
                json!({"releaseId": 11_700_062}),
            ];
            if tool == ITEM && same.contains(&plain) {
                let result = caller.call(tool, &arguments).await;
                assert!(is_replayed(&result), "{arguments}: {result}");
            } else {
                asks_again(&caller, tool, &arguments, &id).await;
            }
        }
        for [(one, arguments), (other, spelled)] in pairs() {
            let id = agreed(&caller, one, &arguments).await;
            asks_again(&caller, other, &spelled, &id).await;
        }
    }
}

#[tokio::test]
async fn where_the_user_is_asked_they_are_told_that_it_may_have_been_bought() {
    for place in Place::all().await {
        let upstream = Upstream::start().await;
        upstream.script("/user/purchase/item", [Act::Reset(Vec::new()), Act::Sell]);
        let base_uri = upstream.base_uri();
        let own = [("SEVENDIGITAL_BASE_URI", &*base_uri), CONFIRM];
        let world = World::with(&place.with(&own)).await;
        let caller = Client::of(&world).that_can_ask();
        let first = json!({"releaseId": "11700062"});
        let (_, token) = question(&caller.call(ITEM, &first).await);
        let lost = caller.agree(ITEM, &first, &token).await;
        fails_with(&lost, &["Money may have been spent"]);
        for spelled in [&first, &json!({"releaseId": "011700062"})] {
            let (message, _) = question(&caller.call(ITEM, spelled).await);
            let told = message.contains("AGAIN: the same item may have been bought");
            assert!(told, "{message}");
        }
        assert_eq!(place.states().await, ["unknown"]);
        agreed(&caller, ITEM, &first).await;
        assert_eq!(upstream.arrivals("/user/purchase/item"), 2);
        assert_eq!(place.states().await, ["unknown", "done"]);
    }
}

#[tokio::test]
async fn a_yes_that_did_not_know_of_a_purchase_is_none_to_buy_it_again() {
    for (first_answer, state) in [(Act::Reset(Vec::new()), "unknown"), (Act::Sell, "done")] {
        for place in Place::all().await {
            let upstream = Upstream::start().await;
            upstream.script(ANY, [first_answer.clone(), Act::Sell]);
            let base_uri = upstream.base_uri();
            let own = [("SEVENDIGITAL_BASE_URI", &*base_uri), CONFIRM];
            let world = World::with(&place.with(&own)).await;
            let caller = Client::of(&world).that_can_ask();
            let release = json!({"releaseId": "11700062"});
            let calls = [
                (ITEM, release.clone()),
                (RRP, release.clone()),
                (ITEM, json!({"releaseId": "011700062", "price": 799})),
            ];
            let mut tokens = Vec::new();
            for (tool, arguments) in &calls {
                let (message, token) = question(&caller.call(tool, arguments).await);
                assert!(!message.contains("AGAIN"), "{message}");
                tokens.push(token);
            }
            upstream.script("/user/purchase/item", [first_answer.clone()]);
            caller.agree(ITEM, &release, &tokens[0]).await;
            assert_eq!(place.states().await, [state]);
            for ((tool, arguments), token) in calls.iter().zip(&tokens).skip(1) {
                let late = caller.agree(tool, arguments, token).await;
                fails_with(&late, &["confirmation is not valid"]);
                let (message, _) = question(&caller.call(tool, arguments).await);
                assert!(message.contains("AGAIN"), "{message}");
            }
            assert_eq!(place.states().await, [state]);
        }
    }
}

#[tokio::test]
async fn beside_a_token_a_call_names_no_other_user() {
    let folder = folder();
    let world = asking(&folder).await;
    let caller = Client::of(&world).that_can_ask();
    let card = |name: &str| json!({"body": {"cardId": "8154430", name: "500123"}});
    for (tool, arguments) in [
        (ITEM, json!({"releaseId": "11700062", "userId": "500123"})),
        ("get-user-locker", json!({"userId": "500123"})),
        ("select-user-payment-card", card("userId")),
    ] {
        let result = caller.call(tool, &arguments).await;
        fails_with(
            &result,
            &["an access token signs the call", "Leave `userId` out"],
        );
    }
    for name in ["userid", "USER_ID"] {
        let result = caller.call("select-user-payment-card", &card(name)).await;
        fails_with(&result, &["the name of this field is `userId`"]);
    }
    assert_eq!(world.arrivals().len(), 0);
}
