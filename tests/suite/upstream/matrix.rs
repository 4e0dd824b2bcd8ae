//! Every documented field of every tool, answered otherwise than documented: no read fails, and nothing that was sent is lost.

use jsonschema::Validator;
use serde_json::{Value, json};
use sevendigital::{Client, Consumer, Credentials, Effect};
use sevendigital_tools::{AnyTool, Reply, Standing, TOOLS, ToolError};

use super::answers::ok;
use crate::support::calls::{good, tool};
use crate::support::upstream::{ANY, Act, Upstream, ok as http_ok};

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
pub(super) struct Stage {
    upstream: Upstream,
    client: Client,
}

impl Stage {
    pub(super) async fn start() -> Self {
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

    pub(super) async fn call(&self, tool: &AnyTool, answer: &Value) -> Result<Reply, ToolError> {
        self.call_with(tool, http_ok(&answer.to_string())).await
    }

    /// The same, with the whole reply.
    pub(super) async fn call_with(
        &self,
        tool: &AnyTool,
        reply: Vec<u8>,
    ) -> Result<Reply, ToolError> {
        self.upstream.script(ANY, [Act::Say(reply)]);
        let arguments = good(tool.contract.name).as_object().unwrap().clone();
        tool.prepare(arguments)?.run(&self.client).await
    }
}

/// Nothing is lost or doubled, and the document is as it was promised.
fn check_document(cell: &str, sent: &Value, reply: &Reply, schemas: &[Validator]) {
    let document = &reply.answer.document;
    assert_eq!(marks(document), marks(sent), "{cell}: {document}");
    for schema in schemas {
        if let Some(error) = schema.iter_errors(document).next() {
            panic!("{cell}: {error} in {document}");
        }
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
        // What is listed is met by whatever meets the whole.
        let schemas = [tool.output_schema(), tool.listed_output_schema()]
            .map(|schema| jsonschema::validator_for(&schema.into()).unwrap());
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
                        check_document(&cell, &sent, &reply, &schemas);
                        let standing = Standing::from_answer(&reply.answer);
                        let made = matches!(standing, Standing::Made(_));
                        assert_eq!(made, is_made(pointer, what), "{cell}: {standing:?}");
                    }
                    (_, Ok(reply)) => check_document(&cell, &sent, &reply, &schemas),
                }
            }
        }
    }
    println!("{cells} cells");
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
