//! MCP over HTTP, in bytes on a real port: both eras of the protocol, and how answers look.

use serde_json::{Value, json};
use sevendigital::Effect;
use sevendigital_tools::TOOLS;

use crate::support::calls::{REGISTRATION, calls, calls_with, make_all};
use crate::support::{LEGACY, MODERN, World, call_with, fails_with, failure, lifecycles, text};

const NAME: &str = "sevendigital-mcp";

/// A good result of a tool: conforms to what was promised, and says the same as text and as structure.
fn check_success(tool: &str, result: &Value, served: &[Value]) {
    assert_ne!(result["isError"], true, "{tool}: {result}");
    let document = &result["structuredContent"];
    let told: Value = serde_json::from_str(text(result)).unwrap();
    assert_eq!(&told, document, "{tool}");
    let contract = served.iter().find(|other| other["name"] == tool).unwrap();
    let schema = jsonschema::validator_for(&contract["outputSchema"]).unwrap();
    let errors: Vec<String> = schema
        .iter_errors(document)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{tool}: {errors:?} in {document}");
    assert_ne!(document, &json!({}), "{tool}");
}

#[tokio::test]
async fn without_a_handshake_every_result_says_whose_it_is() {
    let world = World::start().await;
    let discover = world.modern("server/discover", json!({})).await;
    let list = world.modern("tools/list", json!({})).await;
    let params = json!({"name": "get-user-locker", "arguments": {}});
    let call = world.modern("tools/call", params).await;
    let params = json!({"name": "get-user-locker", "arguments": {"page": "x"}});
    let failed = world.modern("tools/call", params).await;
    for reply in [&discover, &list, &call, &failed] {
        assert_eq!(reply.kind(), "application/json", "{reply:?}");
        let result = reply.result();
        assert_eq!(result["resultType"], "complete", "{result}");
        let server = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
        assert_eq!(server["name"], NAME, "{result}");
        assert_eq!(server["version"], env!("CARGO_PKG_VERSION"), "{result}");
    }
    // The tools are those of the caller, and so are the words about them.
    for reply in [&discover, &list] {
        let result = reply.result();
        assert!(result["ttlMs"].as_u64().unwrap() > 0, "{result}");
        assert_eq!(result["cacheScope"], "private", "{result}");
    }
    let discovered = discover.result();
    let versions = discovered["supportedVersions"].as_array().unwrap();
    for version in [MODERN].iter().chain(&LEGACY) {
        assert!(
            versions.contains(&json!(version)),
            "{version}: {discovered}"
        );
    }
    assert!(discovered["capabilities"]["tools"].is_object());
    assert_eq!(
        list.result()["tools"].as_array().unwrap().len(),
        TOOLS.len()
    );
}

#[tokio::test]
async fn each_tool_works_without_a_handshake() {
    let world = World::start().await;
    let served = world.tools().await;
    let results = make_all(async |tool, arguments| world.call(tool, arguments).await).await;
    for (tool, result) in results {
        check_success(tool, &result, &served);
    }
}

#[tokio::test]
async fn each_tool_works_in_a_session() {
    for version in LEGACY {
        let world = World::start().await;
        let session = world.legacy_session(version).await;
        let hello = &session.initialized;
        assert_eq!(hello["protocolVersion"], version);
        assert_eq!(hello["serverInfo"]["name"], NAME);
        assert_eq!(hello["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
        assert!(hello["capabilities"]["tools"].is_object());
        let instructions = hello["instructions"].as_str().unwrap();
        assert!(instructions.contains("999 is 9.99"), "{instructions}");

        let list = session.ask(json!(1), "tools/list", json!({})).await;
        let served = list.result()["tools"].as_array().unwrap().clone();
        assert_eq!(served.len(), TOOLS.len());
        let mut id = 1;
        let results = make_all(async |tool, arguments| {
            id += 1;
            session.call(id, tool, arguments).await
        });
        for (tool, result) in results.await {
            check_success(tool, &result, &served);
        }
        assert!((200..300).contains(&session.end().await));
        let after = session.ask(json!(99), "tools/list", json!({})).await;
        assert_eq!(after.status, 404, "an ended session is unknown: {after:?}");
    }
}

#[tokio::test]
async fn each_tool_works_through_rmcps_client_in_both_eras() {
    for mode in lifecycles() {
        let world = World::start().await;
        let served = world.tools().await;
        let client = world.client(mode).await;
        assert_eq!(client.list_all_tools().await.unwrap().len(), TOOLS.len());
        let results =
            make_all(async |tool, arguments| call_with(&client, tool, arguments).await).await;
        for (tool, result) in results {
            check_success(tool, &result, &served);
        }
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn what_was_bought_is_in_the_locker_and_what_was_selected_is_the_default() {
    let world = World::start().await;
    let results = make_all(async |tool, arguments| world.call(tool, arguments).await).await;
    let locker = world.call("get-user-locker", json!({"pageSize": 50})).await;
    let shelf = text(&locker);
    for (tool, arguments) in calls_with(&[Effect::Charges]) {
        // What is in a basket is not written in the call.
        let release = arguments["releaseId"].as_str().unwrap_or_default();
        assert!(shelf.contains(release), "{tool}: {release}");
    }
    let cards = world.call("list-user-payment-cards", json!({})).await;
    let cards = cards["structuredContent"]["cards"]["card"]
        .as_array()
        .unwrap();
    assert_eq!(cards.len(), 1);
    assert_eq!(cards[0]["id"], "8154431");
    assert_eq!(cards[0]["default"], true);
    let bought = results
        .iter()
        .filter(|(tool, _)| tool.starts_with("purchase-"));
    for (tool, result) in bought {
        let id = &result["structuredContent"]["purchase"]["id"];
        assert!(id.is_string(), "{tool}: {result}");
    }
    let charges = calls_with(&[Effect::Charges]).len();
    assert_eq!(world.sandbox.sales().len(), charges);
}

#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error_in_both_eras() {
    let world = World::start().await;
    for name in ["no-such-tool", "", "get_user_locker", "GET-USER-LOCKER"] {
        let params = json!({"name": name, "arguments": {}});
        let modern = world.modern("tools/call", params.clone()).await;
        let session = world.legacy_session(LEGACY[0]).await;
        let legacy = session.ask(json!(1), "tools/call", params).await;
        for reply in [modern, legacy] {
            assert_eq!(
                reply.message()["error"]["code"],
                -32602,
                "{name}: {reply:?}"
            );
        }
    }
    assert_eq!(world.arrivals().len(), 0);
}

#[tokio::test]
async fn a_wrong_argument_is_named_to_the_model_and_nothing_is_sent() {
    #[rustfmt::skip]
    let rows = [
        ("get-user-locker", json!({"page": "two"}), "page: expected a whole number"),
        ("get-user-locker", json!({"page": 0}), "page: expected 1 or more"),
        ("get-user-locker", json!({"pageSize": 51}), "pageSize: expected 1 to 50"),
        ("get-user-locker", json!({"pages": 1}), "unknown field `pages`"),
        ("get-user-locker", json!({"country": "GBR"}), "country: expected a country as two letters"),
        ("get-user-details", json!({"userId": ""}), "userId: a value is needed here"),
        ("purchase-user-item", json!({}), "releaseId: give `releaseId`"),
        ("purchase-user-item", json!({"releaseId": ["1"]}), "releaseId"),
        ("purchase-user-rrp-item", json!({"releaseId": "1/2"}), "releaseId: expected 1 to 128"),
        ("purchase-user-basket", json!({}), "missing field `basketId`"),
        ("purchase-user-priced-item", json!({"releaseId": "1", "price": 9.99}), "write 999 and not 9.99"),
        ("purchase-user-priced-item", json!({"releaseId": "1"}), "missing field `price`"),
        ("get-user-card-registration", json!({"id": "../x"}), "id: expected 1 to 128"),
        ("deliver-user-item", json!({"releaseId": "1", "currency": "pounds"}), "currency: expected a currency"),
        ("create-user", json!({"email": "jane"}), "email: expected an e-mail address"),
        ("get-user-details", json!({"userId": null}), "userId"),
        ("select-user-payment-card", json!({}), "missing field `body`"),
        ("select-user-payment-card", json!({"body": "x"}), "body"),
        ("select-user-payment-card", json!({"cardId": "1"}), "unknown field `cardId`"),
        ("select-user-payment-card", json!({"body": {"cardId": "1/2"}}), "body.cardId: expected 1 to 128"),
        ("select-user-payment-card", json!({"body": {"oauth_token": "x"}}), "oauth_token"),
        ("select-user-payment-card", json!({"body": {"extra": {"a": 1}}}), "extra"),
        ("signup-user", json!({"body": {"cardNumber": "1"}}), "body.cardNumber: card data is not accepted"),
    ];
    let world = World::start().await;
    let session = world.legacy_session(LEGACY[1]).await;
    for (id, (tool, arguments, expected)) in rows.into_iter().enumerate() {
        let modern = world.call(tool, arguments.clone()).await;
        let legacy = session.call(id + 1, tool, arguments.clone()).await;
        for result in [modern, legacy] {
            let told = failure(&result);
            assert!(told.contains(expected), "{tool} {arguments}: {told}");
            assert!(told.contains("Correct it and call again"), "{told}");
        }
    }
    assert_eq!(world.arrivals().len(), 0);
}

#[tokio::test]
async fn a_refusal_of_7digitals_is_reported_with_its_code() {
    #[rustfmt::skip]
    let rows = [
        ("get-user-details", json!({"userId": "nobody"}), "2001"),
        ("purchase-user-item", json!({"releaseId": "11700066"}), "2002"),
        ("purchase-user-item", json!({"releaseId": "11700062", "price": 1}), "3004"),
        ("signup-user", json!({"body": {"emailAddress": "jane.smith@example.com", "password": "x"}}), "2003"),
        ("select-user-payment-card", json!({"body": {}}), "1001"),
        ("get-user-card-registration", json!({"id": REGISTRATION}), "2001"),
    ];
    let world = World::start().await;
    for (tool, arguments, code) in rows {
        let result = world.call(tool, arguments).await;
        fails_with(&result, &[&format!("Code {code}.")]);
    }
    assert_eq!(world.sandbox.sales().len(), 0);
}

#[tokio::test]
async fn without_a_key_tools_are_listed_and_each_call_names_the_setting() {
    // The base URI is the live one: nothing is sent there without a key.
    let world = World::with(&[
        ("SEVENDIGITAL_BASE_URI", ""),
        ("SEVENDIGITAL_CONSUMER_KEY", ""),
        ("SEVENDIGITAL_CONSUMER_SECRET", ""),
        ("SEVENDIGITAL_ACCESS_TOKEN", ""),
        ("SEVENDIGITAL_ACCESS_TOKEN_SECRET", ""),
    ])
    .await;
    assert_eq!(world.tools().await.len(), TOOLS.len());
    for (tool, arguments) in calls() {
        fails_with(
            &world.call(tool, arguments).await,
            &["SEVENDIGITAL_CONSUMER_KEY"],
        );
    }
}

#[tokio::test]
async fn clients_that_use_the_same_id_at_once_each_get_their_own_answer() {
    let world = World::start().await;
    let page =
        |result: Value| result["structuredContent"]["locker"]["lockerReleases"]["page"].clone();
    let one = world.legacy_session(LEGACY[0]).await;
    let other = world.legacy_session(LEGACY[0]).await;
    assert_ne!(one.id, other.id);
    let ask =
        |page: u32| json!({"name": "get-user-locker", "arguments": {"page": page, "pageSize": 2}});
    for _ in 0..5 {
        let (first, second, third, fourth) = tokio::join!(
            one.call(7, "get-user-locker", json!({"page": 1, "pageSize": 2})),
            other.call(7, "get-user-locker", json!({"page": 2, "pageSize": 2})),
            world.modern_as(&[], json!(7), "tools/call", ask(3)),
            world.modern_as(&[], json!("7"), "tools/call", ask(4)),
        );
        assert_eq!(third.message()["id"], 7);
        assert_eq!(fourth.message()["id"], "7");
        let pages = [first, second, third.result(), fourth.result()].map(page);
        assert_eq!(json!(pages), json!([1, 2, 3, 4]));
    }
}
