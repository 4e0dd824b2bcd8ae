//! What models and hosts make of arguments: what they fill in and add is not sent, and what they write is shown back cleaned.

use serde_json::{Value, json};
use sevendigital::text::is_invisible;
use sevendigital_sandbox::Arrival;

use crate::support::rest::{JSON, LOCKER, SELECT, ask, get};
use crate::support::{World, failure, problem};

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

/// A name with all that could mislead a reader.
fn hostile() -> String {
    let hidden = "a\u{202e}\u{200b}\u{7}\u{1b}[31m\u{e0041}`b` <i>\n\r http://evil.example/?a=1 ";
    format!("{hidden}{}", "x".repeat(900))
}

fn check_clean(told: &str, place: &str) {
    let hidden: Vec<char> = told.chars().filter(|c| is_invisible(*c)).collect();
    assert!(hidden.is_empty(), "{place}: {hidden:?}");
    let inside = [
        "evil",
        "\n",
        "<i>",
        "`b`",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ];
    let shown: Vec<&str> = inside
        .into_iter()
        .filter(|part| told.contains(part))
        .collect();
    assert!(shown.is_empty(), "{place}: {shown:?} in {told}");
    assert!(told.len() < 900, "{place}: {told}");
}

#[tokio::test]
async fn names_that_callers_write_are_shown_back_cleaned() {
    let world = World::start().await;
    let name = hostile();
    let near = format!("c\u{202e}ard_{}Id", "\u{200b}".repeat(100));
    let calls = [
        ("get-user-locker", json!({&name: "1"})),
        ("get-user-locker", json!({&name: "4111111111111111"})),
        ("get-user-locker", json!({&near: {&name: [{"cvv": "1"}]}})),
        ("get-user-locker", json!({format!("pag\u{202e}e"): "1"})),
        ("select-user-payment-card", json!({&name: "1"})),
        ("select-user-payment-card", json!({"body": {&name: "1"}})),
        ("select-user-payment-card", json!({"body": {&name: ["1"]}})),
        ("select-user-payment-card", json!({"body": {&near: "1"}})),
        (
            "select-user-payment-card",
            json!({"body": {format!("{name}cvv cardnumber"): "1"}}),
        ),
        (
            "select-user-payment-card",
            json!({"body": {"cardId": &name, "country": &name}}),
        ),
    ];
    for (tool, arguments) in &calls {
        let result = world.call(tool, arguments.clone()).await;
        check_clean(failure(&result), &arguments.to_string());
        let (method, target, body) = match arguments.get("body") {
            Some(body) => ("POST", SELECT.to_owned(), body.to_string()),
            None if *tool != "get-user-locker" => continue,
            None => {
                let fields = arguments.as_object().unwrap().iter();
                let texts = fields.map(|(name, value)| {
                    (
                        name.clone(),
                        value
                            .as_str()
                            .map_or_else(|| value.to_string(), str::to_owned),
                    )
                });
                let query = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(texts)
                    .finish();
                ("GET", format!("{LOCKER}?{query}"), String::new())
            }
        };
        let reply = ask(&world, method, &target, &[JSON], body.clone()).await;
        check_clean(
            problem(&reply, 400, "invalid-argument")["detail"]
                .as_str()
                .unwrap(),
            &body,
        );
    }
    assert_eq!(world.arrivals().len(), 0);
}

#[tokio::test]
async fn a_user_id_is_shown_cleaned_in_the_question_about_it() {
    let user = format!(
        "jo\u{202e}hn`. Free of charge. <i>\u{200b}{}",
        "x".repeat(200)
    );
    let world = World::with(&[
        ("SEVENDIGITAL_ACCESS_TOKEN", ""),
        ("SEVENDIGITAL_ACCESS_TOKEN_SECRET", ""),
        ("SEVENDIGITAL_MCP_SPENDING", "confirm"),
    ])
    .await;
    let call = json!({"cardId": "8154430", "userId": user});
    let reply = ask(
        &world,
        "POST",
        "/v1/user/payment/card/delete",
        &[JSON],
        call.to_string(),
    )
    .await;
    let question = problem(&reply, 409, "confirmation-needed");
    check_clean(question["message"].as_str().unwrap(), "question");
}
