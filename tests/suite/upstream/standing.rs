//! What an answer says of a purchase or a change: that it was made, that it was not, or neither.

use serde_json::{Value, json};
use sevendigital::Delivery;
use sevendigital_tools::{Reply, Standing, ToolError};

use super::matrix::Stage;
use crate::support::calls::tool;
use crate::support::upstream::{http, ok as http_ok};

/// The call failed, and may have been carried out.
fn check_unknown(reply: &Result<Reply, ToolError>, answer: &Value) {
    match reply {
        Err(ToolError::Client(error)) => {
            assert_eq!(error.delivery(), Delivery::Unknown, "{answer}");
        }
        other => panic!("{answer}: {other:?}"),
    }
}

#[tokio::test]
async fn a_purchase_is_made_only_where_nothing_speaks_against_it() {
    let stage = Stage::start().await;
    let buy = tool("purchase-user-item");
    let sale = |inside: Value| json!({"status": "ok", "purchase": inside});
    #[rustfmt::skip]
    let rows = [
        ("made", json!({"version": {"major": 1}, "purchase": {"id": "5"}})),
        ("made", sale(json!({"id": 5, "purchaseDate": ["2026-03-01T12:00:00Z"]}))),
        ("made", sale(json!([{"id": "5"}]))),
        ("made", sale(json!({"id": "5", "status": " COMPLETE ", "error": null, "errors": []}))),
        ("made", sale(json!({"id": "a-b"}))),
        ("made", json!({"purchase": {"id": "5"}})),
        ("made", json!({"status": true, "purchase": {"id": "5"}})),
        ("made", json!({"status": "Paid", "purchase": {"id": "5", "state": "Paid"}})),
        ("made", json!({"Status": "OK", "Purchase": {"Id": 5}})),
        ("made", sale(json!({"id": "5", "price": {"currency": {"code": "GBP"}, "state": "CA"}}))),
        ("made", sale(json!({"id": "5", "payment": {"status": "Paid"}}))),
        ("pending", sale(json!({"id": "5", "payment": {"status": "in-progress"}}))),
        ("unclear", sale(json!({"id": "5", "payment": {"status": "declined"}}))),
        ("unclear", sale(json!({"id": "5", "payments": [{"status": "ok"}, {"state": "Void"}]}))),
        ("unclear", json!({"status": "ok", "purchase": {"id": "5"}, "Purchase": {"id": "6"}})),
        ("unclear", sale(json!({"id": "5", "ID": "6"}))),
        ("failed", json!({"Status": "error", "Error": {"Code": 3003}, "purchase": {"id": "5"}})),
        ("pending", sale(json!({"id": "5", "status": "Pending"}))),
        ("pending", json!({"status": "pending", "purchase": {"id": "5"}})),
        ("pending", sale(json!({"paymentStatus": "processing"}))),
        ("unclear", sale(json!({"id": "0"}))),
        ("unclear", sale(json!({"id": 0}))),
        ("unclear", sale(json!({"id": -5}))),
        ("unclear", sale(json!({"id": "00000000-0000-0000-0000-000000000000"}))),
        ("unclear", sale(json!({"id": "null"}))),
        ("unclear", sale(json!({"id": "5", "state": "declined"}))),
        ("unclear", sale(json!({"id": "5", "purchaseStatus": "whatever"}))),
        ("unclear", sale(json!({"id": "5", "error": {"code": 3003}}))),
        ("unclear", sale(json!({"id": "5", "errors": ["x"]}))),
        ("unclear", sale(json!({"id": "5", "success": "False"}))),
        ("unclear", sale(json!([{"id": "5"}, {"id": "6"}]))),
        ("unclear", json!({"status": "ok", "code": 3003, "message": "no", "purchase": {"id": "5"}})),
        ("unclear", sale(json!({"id": "5", "errorCode": 3003, "errorMessage": "no"}))),
        ("unclear", json!({"status": {"word": "ok"}, "purchase": {"id": "5"}})),
        ("failed", json!({"status": "ok", "success": false, "purchase": {"id": "5"}})),
        ("failed", json!({"status": "ok", "error": {"code": 3003}, "purchase": {"id": "5"}})),
    ];
    for (expected, answer) in rows {
        let standing = match stage.call(buy, &answer).await {
            Ok(reply) => match Standing::from_answer(&reply.answer) {
                Standing::Made(_) => "made",
                Standing::Pending => "pending",
                Standing::Unclear => "unclear",
            },
            failed => {
                check_unknown(&failed, &answer);
                "failed"
            }
        };
        assert_eq!(standing, expected, "{answer}");
    }
}

#[tokio::test]
async fn a_name_that_decides_and_comes_twice_makes_a_purchase_unclear() {
    let stage = Stage::start().await;
    let buy = tool("purchase-user-item");
    #[rustfmt::skip]
    let rows = [
        (false, r#"{"status": "ok", "purchase": {"id": "5", "id": "6"}}"#),
        (false, r#"{"status": "ok", "purchase": {"id": "5", "id": "5"}}"#),
        (false, r#"{"status": "ok", "status": "error", "purchase": {"id": "5"}}"#),
        (false, r#"{"status": "ok", "purchase": {"id": "5"}, "purchase": {"id": "6"}}"#),
        (false, r#"{"status": "ok", "error": null, "error": {"code": 1}, "purchase": {"id": "5"}}"#),
        (false, r#"{"success": true, "success": false, "purchase": {"id": "5"}}"#),
        (true, r#"{"version": "1", "version": "2", "purchase": {"id": "5", "note": 1, "note": 2}}"#),
    ];
    for (made, answer) in rows {
        let reply = stage.call_with(buy, http_ok(answer)).await;
        let standing = reply.map(|reply| Standing::from_answer(&reply.answer));
        assert_eq!(matches!(standing, Ok(Standing::Made(_))), made, "{answer}");
    }
}

#[tokio::test]
async fn a_new_user_is_proved_by_an_ok_or_by_the_user() {
    let stage = Stage::start().await;
    let create = tool("create-user");
    for (proved, answer) in [
        (true, json!({"status": "ok"})),
        (true, json!({"user": {"id": "1"}})),
        (false, json!({})),
        (false, json!({"version": "1.2"})),
        (false, json!({"userName": "x"})),
    ] {
        let reply = stage.call(create, &answer).await;
        assert_eq!(reply.is_ok(), proved, "{answer}: {reply:?}");
    }
}

#[tokio::test]
async fn beside_a_purchase_no_status_says_that_nothing_was_charged() {
    let stage = Stage::start().await;
    let buy = tool("purchase-user-item");
    for status in [400, 401, 403, 404, 409, 429, 500, 503] {
        for answer in [
            json!({"status": "ok", "purchase": {"id": "5"}}),
            json!({"purchase": {"id": "5"}}),
            json!({"status": "error", "error": {"code": 3003}, "purchase": {"id": "5"}}),
            json!({"status": "ok", "error": {"code": 3003}, "purchase": {"id": "5"}}),
            json!({"status": "pending", "purchase": {"id": "5"}}),
        ] {
            let head = "Content-Type: application/json\r\n";
            let reply = stage.call_with(buy, http(status, head, answer.to_string()));
            check_unknown(&reply.await, &answer);
        }
    }
}

#[tokio::test]
async fn a_change_is_done_only_where_the_answer_says_so() {
    let stage = Stage::start().await;
    let user = json!({"user": {"id": "1"}});
    #[rustfmt::skip]
    let rows = [
        ("select-user-payment-card", json!({"status": "ok"}), true),
        ("select-user-payment-card", json!({"status": " OK ", "message": "done"}), true),
        ("select-user-payment-card", json!({}), false),
        ("select-user-payment-card", json!({"hello": "world"}), false),
        ("select-user-payment-card", json!({"message": "Forbidden"}), false),
        ("select-user-payment-card", json!({"code": 2001, "message": "no"}), false),
        ("select-user-payment-card", json!({"status": "ok", "success": false}), false),
        ("update-user-unlimited-streaming", json!({"streaming": {"level": "premium"}}), true),
        ("create-user", json!({}), false),
        ("create-user", user.clone(), true),
        ("authenticate-user", user.clone(), true),
        ("authenticate-user", json!({"status": "ok"}), false),
        ("authenticate-user", json!({"status": "ok", "user": ""}), false),
        ("authenticate-user", json!({"authenticated": "False", "user": {"id": "1"}}), false),
        ("authenticate-user", json!({"user": {"id": "1", "authenticated": 0}}), false),
    ];
    for (name, answer, done) in rows {
        let result = stage.call(tool(name), &answer).await;
        assert_eq!(result.is_ok(), done, "{name} {answer}: {result:?}");
    }
}
