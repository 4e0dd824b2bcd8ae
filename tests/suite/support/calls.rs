//! One good call of each tool, with the card's own inputs, in an order that hangs together.

use serde_json::{Value, json};

/// Stands for the id that `register-user-payment-card` gave.
pub(crate) const REGISTRATION: &str = "the-id-of-the-registration";

/// Tool and arguments, in the card's order.
pub(crate) fn calls() -> [(&'static str, Value); 17] {
    [
        ("get-user-unlimited-streaming", json!({})),
        (
            "update-user-unlimited-streaming",
            json!({"body": {
                "userId": "500123", "planCode": "premium-unlimited-streaming", "status": "active",
                "currency": "GBP", "recurringFee": 999, "country": "GB",
                "activatedAt": "2026-01-01T00:00:00Z", "currentPeriodStartDate": "2026-01-01T00:00:00Z",
                "expiryDate": "2026-01-31T00:00:00Z",
            }}),
        ),
        ("get-user-locker", json!({"page": 1, "pageSize": 3})),
        (
            "purchase-user-item",
            json!({"releaseId": "11700062", "trackId": "1170006201"}),
        ),
        ("purchase-user-rrp-item", json!({"releaseId": "11700063"})),
        (
            "purchase-user-basket",
            json!({"basketId": "0f8fad5b-d9cb-469f-a165-70867728950e"}),
        ),
        (
            "purchase-user-priced-item",
            json!({"releaseId": "11700064", "price": 999}),
        ),
        ("list-user-payment-cards", json!({})),
        (
            "select-user-payment-card",
            json!({"body": {"cardId": "8154431"}}),
        ),
        (
            "delete-user-payment-card",
            json!({"body": {"cardId": "8154430"}}),
        ),
        (
            "register-user-payment-card",
            json!({"body": {"redirectUrl": "https://shop.example/cards/done?a=1&b=ü"}}),
        ),
        ("get-user-card-registration", json!({"id": REGISTRATION})),
        ("deliver-user-item", json!({"releaseId": "11700065"})),
        (
            "signup-user",
            json!({"body": {"emailAddress": "new+one@example.com", "password": "p&ss w%rd=é~*"}}),
        ),
        ("create-user", json!({"email": "managed@example.com"})),
        ("get-user-details", json!({"userId": "500123"})),
        (
            "authenticate-user",
            json!({"body": {"emailAddress": "jane.smith@example.com", "password": "sandbox-pass"}}),
        ),
    ]
}

/// Makes the seventeen calls through `call`, which gives the whole result of one, and hands all results back.
pub(crate) async fn make_all(
    mut call: impl AsyncFnMut(&'static str, Value) -> Value,
) -> Vec<(&'static str, Value)> {
    let mut results = Vec::new();
    let mut registration = Value::Null;
    for (tool, mut arguments) in calls() {
        if let Some(id) = arguments.get_mut("id") {
            *id = registration.clone();
        }
        let result = call(tool, arguments).await;
        if tool == "register-user-payment-card" {
            registration = result["structuredContent"]["cardRegistration"]["id"].clone();
        }
        results.push((tool, result));
    }
    results
}
