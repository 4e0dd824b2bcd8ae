//! Every documented field of every tool, answered otherwise than documented: no read fails, and nothing that was sent is lost.

use jsonschema::Validator;
use serde_json::{Value, json};
use sevendigital::{Client, Consumer, Credentials, Effect};
use sevendigital_tools::{AnyTool, Reply, Standing, TOOLS, ToolError};

use super::answers::ok;
use crate::support::calls::{good, tool};
use crate::support::upstream::{ANY, Act, Upstream, http, ok as http_ok};

/// What stands in a field's place. Its marks are counted in the result.
const MARK: &str = "odd-424242";

fn substitutions() -> [(&'static str, Value); 10] {
    [
        ("null", json!(null)),
        ("an empty text", json!("")),
        ("an empty list", json!([])),
        ("an empty object", json!({})),
        ("a number", json!(424_242)),
        ("a flag", json!(true)),
        ("a text", json!(MARK)),
        ("an object", json!({"inside": MARK})),
        ("a list of one", json!([MARK])),
        ("a list of two", json!([MARK, format!("{MARK}!")])),
    ]
}

fn marks(value: &Value) -> usize {
    let text = value.to_string();
    text.matches("424242").count()
}

/// A good document of that schema.
fn good_document(schema: &Value) -> Value {
    match schema["type"].as_str().unwrap_or("object") {
        "string" => json!("12"),
        "integer" => json!(1),
        "boolean" => json!(true),
        "array" => json!([good_document(&schema["items"])]),
        _ => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            let fields = fields.filter(|(name, _)| *name != "unexpected");
            fields
                .map(|(name, schema)| (name.clone(), good_document(schema)))
                .collect()
        }
    }
}

/// A good answer of the tool's, the content of a purchase as a locker has it.
fn good_answer(tool: &AnyTool) -> Value {
    let mut document = good_document(&tool.output_schema().into());
    document["status"] = json!("ok");
    if document["purchase"].is_object() {
        let locker = self::tool("get-user-locker").output_schema().into();
        let content = good_document(&locker)["locker"]["lockerReleases"].take();
        document["purchase"]["lockerReleases"] = content;
    }
    if document["cardRegistration"].is_object() {
        document["cardRegistration"]["status"] = json!("pending");
    }
    document
}

/// The pointer of each field in a document.
fn pointers(value: &Value, pointer: &str, all: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(place, item)| (place.to_string(), item))
            .collect(),
        _ => Vec::new(),
    };
    for (name, value) in children {
        let pointer = format!("{pointer}/{name}");
        all.push(pointer.clone());
        pointers(value, &pointer, all);
    }
}

/// An upstream and a client of it.
struct Stage {
    upstream: Upstream,
    client: Client,
}

impl Stage {
    async fn start() -> Self {
        let upstream = Upstream::start().await;
        let credentials = Credentials {
            consumer: Some(Consumer {
                key: "key".into(),
                secret: Some("secret".into()),
            }),
            user_id: Some("500123".to_owned()),
            ..Credentials::default()
        };
        let client = Client::builder(upstream.base_uri().parse().unwrap());
        let client = client.credentials(credentials).build().unwrap();
        Self { upstream, client }
    }

    async fn call(&self, tool: &AnyTool, answer: &Value) -> Result<Reply, ToolError> {
        let answer = http_ok(&answer.to_string());
        self.upstream.script(ANY, [Act::Say(answer)]);
        let arguments = good(tool.contract.name).as_object().unwrap().clone();
        tool.prepare(arguments)?.run(&self.client).await
    }
}

/// Nothing is lost or doubled, and the document is as it was promised.
fn check_document(cell: &str, sent: &Value, reply: &Reply, schema: &Validator) {
    let document = &reply.answer.document;
    assert_eq!(marks(document), marks(sent), "{cell}: {document}");
    if let Some(error) = schema.iter_errors(document).next() {
        panic!("{cell}: {error} in {document}");
    }
    let odd = document.get("unexpected").is_some();
    assert_eq!(odd, !reply.unexpected.is_empty(), "{cell}: {document}");
    let noted = reply.notes.iter().any(|note| note.contains("`unexpected`"));
    assert_eq!(noted, odd, "{cell}: {:?}", reply.notes);
}

/// What a purchase with this in the place of that field is.
fn is_made(pointer: &str, what: &str) -> bool {
    let nothing = ["null", "an empty text", "an empty list", "an empty object"].contains(&what);
    match pointer {
        // Only a known word for success is one, and no status says nothing.
        "/status" => nothing || what == "a flag",
        "/purchase" => false,
        "/purchase/id" => ["a number", "a text", "a list of one"].contains(&what),
        _ => true,
    }
}

#[tokio::test]
async fn no_field_of_odd_shape_makes_a_read_fail_or_is_lost() {
    let stage = Stage::start().await;
    let mut cells = 0;
    for tool in TOOLS {
        let contract = &tool.contract;
        let schema = jsonschema::validator_for(&tool.output_schema().into()).unwrap();
        let answer = good_answer(tool);
        let mut fields = vec!["/unexpected".to_owned()];
        pointers(&answer, "", &mut fields);
        for pointer in &fields {
            for (what, value) in substitutions() {
                let cell = format!("{} {pointer} {what}", contract.name);
                let mut sent = answer.clone();
                match sent.pointer_mut(pointer) {
                    Some(field) => *field = value,
                    None => sent["unexpected"] = value,
                }
                let result = stage.call(tool, &sent).await;
                cells += 1;
                match (contract.upstream.effect, result) {
                    (Effect::Reads, Err(error)) => panic!("{cell}: {error}"),
                    // That it was made must be certain.
                    (Effect::Writes | Effect::Charges, Err(error)) => {
                        let decides = ["/status", "/user"].contains(&pointer.as_str());
                        assert!(decides || pointer == "/user/id", "{cell}: {error}");
                    }
                    (Effect::Charges, Ok(reply)) => {
                        check_document(&cell, &sent, &reply, &schema);
                        let standing = Standing::from_answer(&reply.answer);
                        let made = matches!(standing, Standing::Made(_));
                        assert_eq!(made, is_made(pointer, what), "{cell}: {standing:?}");
                    }
                    (_, Ok(reply)) => check_document(&cell, &sent, &reply, &schema),
                }
            }
        }
    }
    println!("{cells} cells");
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
        let reply = stage.call(buy, &answer).await;
        let standing = match &reply {
            Ok(reply) => match Standing::from_answer(&reply.answer) {
                Standing::Made(_) => "made",
                Standing::Pending => "pending",
                Standing::Unclear => "unclear",
            },
            Err(ToolError::Client(error)) => {
                assert_eq!(
                    error.delivery(),
                    sevendigital::Delivery::Unknown,
                    "{answer}"
                );
                "failed"
            }
            Err(error) => panic!("{answer}: {error}"),
        };
        assert_eq!(standing, expected, "{answer}");
    }
}

#[tokio::test]
async fn a_name_that_decides_and_comes_twice_makes_a_purchase_unclear() {
    let stage = Stage::start().await;
    let buy = tool("purchase-user-item");
    for (made, answer) in [
        (
            false,
            r#"{"status": "ok", "purchase": {"id": "5", "id": "6"}}"#,
        ),
        (
            false,
            r#"{"status": "ok", "purchase": {"id": "5", "id": "5"}}"#,
        ),
        (
            false,
            r#"{"status": "ok", "status": "error", "purchase": {"id": "5"}}"#,
        ),
        (
            false,
            r#"{"status": "ok", "purchase": {"id": "5"}, "purchase": {"id": "6"}}"#,
        ),
        (
            false,
            r#"{"status": "ok", "error": null, "error": {"code": 1}, "purchase": {"id": "5"}}"#,
        ),
        (
            false,
            r#"{"success": true, "success": false, "purchase": {"id": "5"}}"#,
        ),
        (
            true,
            r#"{"version": "1", "version": "2", "purchase": {"id": "5", "note": 1, "note": 2}}"#,
        ),
    ] {
        stage.upstream.script(ANY, [Act::Say(http_ok(answer))]);
        let arguments = good("purchase-user-item").as_object().unwrap().clone();
        let reply = buy.prepare(arguments).unwrap().run(&stage.client).await;
        let standing = reply.map(|reply| Standing::from_answer(&reply.answer));
        assert_eq!(matches!(standing, Ok(Standing::Made(_))), made, "{answer}");
    }
}

#[tokio::test]
async fn an_id_that_came_as_a_number_has_no_fraction() {
    let stage = Stage::start().await;
    let answer = json!({"version": 1.0, "user": {"id": 812_485_994.0}});
    let reply = stage.call(tool("get-user-details"), &answer).await.unwrap();
    assert_eq!(
        reply.answer.document,
        json!({"version": "1.0", "user": {"id": "812485994"}})
    );
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
            let body = http(
                status,
                "Content-Type: application/json\r\n",
                answer.to_string(),
            );
            stage.upstream.script(ANY, [Act::Say(body)]);
            let arguments = good("purchase-user-item").as_object().unwrap().clone();
            let prepared = buy.prepare(arguments).unwrap();
            match prepared.run(&stage.client).await {
                Err(ToolError::Client(error)) => {
                    let delivery = error.delivery();
                    assert_eq!(
                        delivery,
                        sevendigital::Delivery::Unknown,
                        "{status} {answer}"
                    );
                }
                other => panic!("{status} {answer}: {other:?}"),
            }
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

#[tokio::test]
async fn what_people_write_for_lists_numbers_and_flags_is_read() {
    let stage = Stage::start().await;
    let locker = tool("get-user-locker");
    let release =
        |release: Value| json!({"locker": {"lockerReleases": {"lockerRelease": release}}});
    let available = |flag: Value| release(json!([{"available": flag}]));
    let page =
        |page: Value| json!({"locker": {"lockerReleases": {"page": page, "lockerRelease": []}}});
    let tracks = |tracks: Value| release(json!([{"lockerTracks": tracks}]));
    #[rustfmt::skip]
    let rows = [
        (available(json!("True")), available(json!(true))),
        (available(json!(" yes ")), available(json!(true))),
        (available(json!(0)), available(json!(false))),
        (available(json!("1.0")), available(json!(true))),
        (page(json!(" 12 ")), page(json!(12))),
        (page(json!("12.0")), page(json!(12))),
        (page(json!(12.0)), page(json!(12))),
        (page(json!(["12"])), page(json!(12))),
        (tracks(json!([{"purchaseId": 1}])), tracks(json!({"lockerTrack": [{"purchaseId": "1"}]}))),
        (tracks(json!([{"lockerTrack": {"purchaseId": 1}}])), tracks(json!({"lockerTrack": [{"purchaseId": "1"}]}))),
        (tracks(json!("")), tracks(json!({"lockerTrack": []}))),
        (release(json!({"available": true})), release(json!([{"available": true}]))),
        (release(json!([null, {"available": true}, ""])), release(json!([{"available": true}]))),
        (release(json!([{"release": ""}, {"release": []}])), release(json!([{}, {}]))),
        (release(json!([{"release": [{"id": 1}]}])), release(json!([{"release": {"id": "1"}}]))),
        (release(json!([{"release": {"ID": 1, "Title": "a"}}])), release(json!([{"release": {"id": "1", "title": "a"}}]))),
        (json!({"locker": {"lockerReleases": [{"available": true}]}}), release(json!([{"available": true}]))),
    ];
    for (sent, expected) in rows {
        let reply = stage.call(locker, &ok(&sent)).await.unwrap();
        assert_eq!(reply.answer.document, ok(&expected), "{sent}");
        assert!(reply.unexpected.is_empty(), "{sent}");
    }
    let odd = release(
        json!([{"lockerTracks": {"lockerTrack": [{"track": {"id": "1", "duration": "3:05"}}]}}]),
    );
    let reply = stage.call(locker, &ok(&odd)).await.unwrap();
    let place = "locker.lockerReleases.lockerRelease[0].lockerTracks.lockerTrack[0].track.duration";
    let unexpected = &reply.answer.document["unexpected"];
    assert_eq!(*unexpected, json!([{"path": place, "value": "3:05"}]));
}
