//! What models and hosts make of arguments: what they fill in and add is not sent.

use serde_json::{Value, json};
use sevendigital_sandbox::Arrival;

use crate::support::World;
use crate::support::rest::{JSON, LOCKER, SELECT, ask, get};

/// What n8n's AI Agent puts beside the arguments of each call, and Gemini CLI's scheduler.
fn by_hosts() -> Value {
    json!({
        "sessionId": "1bd19f08a0474d6a", "action": "sendMessage", "chatInput": "my card is 4111 1111 1111 1111",
        "toolCallId": "call_0BCIShth4lx", "wait_for_previous": true,
    })
}

/// The parameters of a request but for OAuth's.
fn parameters(arrival: &Arrival) -> Vec<String> {
    let all = arrival.query.iter().chain(&arrival.form);
    let own = all.filter(|(name, _)| !name.starts_with("oauth_"));
    let mut own: Vec<String> = own.map(|(name, value)| format!("{name}={value}")).collect();
    own.sort();
    own
}

#[tokio::test]
async fn what_models_fill_in_and_hosts_add_is_not_sent() {
    let world = World::start().await;
    let filled = json!({
        "page": 2.0, "pageSize": "3", "releaseId": "", "trackId": null, "purchaseId": "None", "sort": "null",
        "usageTypes": [], "imageSize": "", "country": "undefined", "userId": "none", "shopId": {},
    });
    let card =
        json!({"body": {"cardId": 8_154_431.0, "userId": "", "country": null, "shopId": []}});
    let rows = [
        ("get-user-locker", filled, "country=GB page=2 pageSize=3"),
        (
            "select-user-payment-card",
            card,
            "cardId=8154431 country=GB",
        ),
        (
            "get-user-details",
            json!({"userId": 500_123.0}),
            "country=GB userId=500123",
        ),
    ];
    for (tool, mut arguments, sent) in rows {
        let added = by_hosts().as_object().cloned().unwrap();
        arguments.as_object_mut().unwrap().extend(added);
        let before = world.arrivals().len();
        let result = world.call(tool, arguments).await;
        assert_ne!(result["isError"], true, "{tool}: {result}");
        let arrivals = world.arrivals().split_off(before);
        let arrived: Vec<String> = arrivals.iter().flat_map(parameters).collect();
        assert_eq!(arrived.join(" "), sent, "{tool}");
    }
    let query = format!("{LOCKER}?page=2.0&releaseId=&sort=null&toolCallId=call_1");
    let reply = get(&world, &query, &[]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let body = r#"{"cardId": 8154431.0, "userId": null, "country": ""}"#;
    let reply = ask(&world, "POST", SELECT, &[JSON], body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}
