//! What one caller began is no good for another: a yes to a question, and the name of a purchase. Not even where both act on one account.

use serde_json::json;
use sevendigital_sandbox::demo;

use crate::identity::{BY_TOKEN, OFTEN, TOKEN, principal, token_of};
use crate::support::rest::get;
use crate::support::{Client, Setting, World, failure, problem, question};

const CONFIRM: Setting<'static> = ("SEVENDIGITAL_MCP_SPENDING", "confirm");
const BUY: &str = "/v1/user/purchase/item?releaseId=11700062";
const OTHER: &str = "/v1/user/purchase/item?releaseId=11700063";

/// `one` and `twin` act on the demo user's account by its token, as those do who are not bound; `other` acts on another.
fn file() -> String {
    let pair = |token: &str, secret: &str| {
        format!("access_token = {token:?}\naccess_token_secret = {secret:?}")
    };
    let demo = pair(demo::ACCESS_TOKEN, demo::ACCESS_TOKEN_SECRET);
    let second = pair(demo::SECOND_ACCESS_TOKEN, demo::SECOND_ACCESS_TOKEN_SECRET);
    let allow = ["reads", "cards", "spend"];
    [
        principal("one", &allow, &demo),
        principal("twin", &allow, &demo),
        principal("other", &allow, &second),
        principal("free", &allow, ""),
        principal("free-too", &allow, ""),
    ]
    .concat()
}

/// Two callers, the first of whom begins.
const PAIRS: [[&str; 2]; 9] = [
    ["one", "twin"],
    ["one", "other"],
    ["other", "one"],
    ["one", "free"],
    ["free", "one"],
    ["free", "free-too"],
    ["free", ""],
    ["", "free"],
    ["", "one"],
];

/// The token of a caller; the operator has no name.
fn token(name: &str) -> String {
    if name.is_empty() {
        TOKEN.to_owned()
    } else {
        token_of(name)
    }
}

async fn world(settings: &[Setting<'_>]) -> World {
    World::with_file(&[&OFTEN[..], settings, &[BY_TOKEN]].concat(), &file()).await
}

/// How often something was bought or deleted.
fn deeds(world: &World) -> usize {
    let arrivals = world.arrivals();
    let deeds = arrivals.iter().filter(|arrival| {
        ["/1.2/user/purchase/item", "/1.2/user/payment/card/delete"]
            .contains(&arrival.path.as_str())
    });
    deeds.count()
}

#[tokio::test]
async fn a_yes_of_one_caller_is_none_of_another() {
    for [asked, other] in PAIRS {
        for (tool, arguments) in [
            ("purchase-user-item", json!({"releaseId": "11700062"})),
            (
                "delete-user-payment-card",
                json!({"body": {"cardId": demo::OTHER_CARD}}),
            ),
        ] {
            let world = world(&[CONFIRM]).await;
            let row = format!("{tool}: `{asked}`, then `{other}`");
            let caller = |name: &str| {
                Client::of(&world)
                    .that_can_ask()
                    .with("authorization", &format!("Bearer {}", token(name)))
            };
            let (_, sealed) = question(&caller(asked).call(tool, &arguments).await);
            let result = caller(other).agree(tool, &arguments, &sealed).await;
            assert!(
                failure(&result).contains("confirmation is not valid"),
                "{row}: {result}"
            );
            let over_rest = Client::of(&world)
                .showing(&token(other))
                .with("x-confirmation", &sealed);
            let reply = over_rest.rest(tool, &arguments).await;
            problem(&reply, 409, "confirmation-invalid");
            assert_eq!(deeds(&world), 0, "{row}");
            // It is still good for the caller that was asked.
            let result = caller(asked).agree(tool, &arguments, &sealed).await;
            assert_eq!(deeds(&world), 1, "{row}: {result}");
        }
    }
}

#[tokio::test]
async fn a_confirmation_over_rest_is_the_callers_own_too() {
    for [asked, other] in PAIRS {
        let world = world(&[CONFIRM]).await;
        let row = format!("`{asked}`, then `{other}`");
        let header = |name: &str| format!("Bearer {}", token(name));
        let (asked, other) = (header(asked), header(other));
        let reply = get(&world, BUY, &[("authorization", &asked)]).await;
        let document = problem(&reply, 409, "confirmation-needed");
        let sealed = document["confirmation"].as_str().unwrap();
        let with = |caller| [("authorization", caller), ("x-confirmation", sealed)];
        problem(
            &get(&world, BUY, &with(other.as_str())).await,
            409,
            "confirmation-invalid",
        );
        assert_eq!(deeds(&world), 0, "{row}");
        get(&world, BUY, &with(asked.as_str())).await;
        assert_eq!(deeds(&world), 1, "{row}");
    }
}

#[tokio::test]
async fn the_name_of_a_purchase_is_its_callers_own() {
    for [first, second] in PAIRS {
        let world = world(&[]).await;
        let row = format!("`{first}`, then `{second}`");
        let header = |name: &str| format!("Bearer {}", token(name));
        let (first, second) = (header(first), header(second));
        let with = |caller| [("authorization", caller), ("idempotency-key", "order-1")];
        get(&world, BUY, &with(first.as_str())).await;
        assert_eq!(deeds(&world), 1, "{row}");
        // The same name is another purchase's with another caller.
        let reply = get(&world, OTHER, &with(second.as_str())).await;
        assert!(!reply.text.contains("key-reused"), "{row}: {reply:?}");
        assert!(
            !reply.headers.contains_key("idempotency-replayed"),
            "{row}: {reply:?}"
        );
        assert_eq!(deeds(&world), 2, "{row}");
        // And still the first one's with the first.
        let reply = get(&world, OTHER, &with(first.as_str())).await;
        problem(&reply, 422, "key-reused");
        let reply = get(&world, BUY, &with(second.as_str())).await;
        problem(&reply, 422, "key-reused");
        assert_eq!(deeds(&world), 2, "{row}");
    }
}
