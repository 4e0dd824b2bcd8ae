//! What models and hosts fill in where nothing is meant, and how they write whole numbers.

use serde_json::{Map, Value};

use crate::ToolError;
use crate::coercion::{says_nothing, whole};
use crate::declared::{Declared, Kind};

/// Takes out the optional arguments that say nothing, and writes a float that is whole as the number that it is; in `body` as well.
///
/// A required argument that says nothing is an error that names it.
pub(crate) fn settle(
    arguments: &mut Map<String, Value>,
    declared: &Declared,
) -> Result<(), ToolError> {
    settle_at("", arguments, declared)
}

fn settle_at(
    path: &str,
    arguments: &mut Map<String, Value>,
    declared: &Declared,
) -> Result<(), ToolError> {
    arguments.retain(|name, value| {
        let argument = declared.get(name);
        argument.is_none_or(|argument| argument.required || !is_left_out(value, &argument.kind))
    });
    for (name, value) in arguments.iter_mut() {
        let Some(argument) = declared.get(name) else {
            continue;
        };
        let path = format!("{path}{name}");
        match (&argument.kind, &mut *value) {
            (kind, value) if is_left_out(value, kind) => {
                return Err(ToolError::input(&path, "a value is needed here"));
            }
            (Kind::Object(declared), Value::Object(fields)) => {
                settle_at(&format!("{path}."), fields, declared)?;
            }
            (kind, Value::Number(number)) if number.is_f64() => {
                match (whole(number.as_f64()), kind) {
                    (Some(whole), _) => *value = whole,
                    // A float holds the first sixteen digits: it would be another's id that is sent.
                    (None, Kind::Id | Kind::CardId) => {
                        return Err(ToolError::input(&path, INEXACT));
                    }
                    (None, _) => {}
                }
            }
            _ => {}
        }
    }
    Ok(())
}

const INEXACT: &str =
    "expected an id; one that is no whole number, or has more than 15 digits, is given as a text";

/// Whether a value is how models and hosts say that there is none.
fn is_left_out(value: &Value, kind: &Kind) -> bool {
    match (value, kind) {
        // Any other text may be a password, blanks and `null` too.
        (Value::String(text), Kind::Password) => text.is_empty(),
        (Value::String(text), _) => text.trim().is_empty() || is_word_for_nothing(text, kind),
        // A body may be empty: each of its fields is optional.
        (Value::Object(_), Kind::Object(_)) => false,
        _ => says_nothing(value),
    }
}

/// The words of programs for nothing: JSON's and JavaScript's, and Python's as it stands in a text.
///
/// Ids could be spelled so, but none are: 7digital's are numbers and GUIDs, and a partner whose user is called `null` has a fault of its own.
/// `none` is also a word of people's: a status or a plan may be called that, so in a text without a known form it stays.
fn is_word_for_nothing(text: &str, kind: &Kind) -> bool {
    match text.trim().to_ascii_lowercase().as_str() {
        "null" | "undefined" => true,
        "none" => !matches!(kind, Kind::Text),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Arguments, Prepared, TOOLS};

    fn prepare(tool: &str, arguments: &Value) -> Result<Prepared, ToolError> {
        let mut tools = TOOLS.iter();
        let tool = tools.find(|each| each.contract.name == tool).unwrap();
        tool.prepare(arguments.as_object().unwrap().clone())
    }

    fn canonical(tool: &str, arguments: &Value) -> Value {
        let prepared = prepare(tool, arguments);
        let prepared = prepared.unwrap_or_else(|error| panic!("{tool} {arguments}: {error}"));
        prepared.canonical.into()
    }

    /// A value, in a list for each way to write it.
    fn nothings() -> Vec<Value> {
        let words = ["", " ", "null", "NULL", "none", "None", "undefined"].map(Value::from);
        let empty = [Value::Null, json!([]), json!({})];
        words.into_iter().chain(empty).collect()
    }

    /// The fields of a tool's input: where they stand, and which are required.
    fn fields(tool: &crate::AnyTool) -> (bool, Vec<(String, bool)>) {
        let schema = Value::Object(tool.input_schema());
        let in_body = schema["properties"].get("body").is_some();
        let fields = if in_body {
            &schema["properties"]["body"]
        } else {
            &schema
        };
        let required = fields["required"].as_array().cloned().unwrap_or_default();
        let names = fields["properties"].as_object().unwrap().keys();
        let names = names.map(|name| (name.clone(), required.contains(&json!(name))));
        (in_body, names.collect())
    }

    #[test]
    fn every_optional_argument_that_says_nothing_is_not_given() {
        let mut tried = 0;
        for tool in TOOLS {
            let name = tool.contract.name;
            let (_, example) = tool
                .contract
                .description
                .split_once("Example: ")
                .unwrap_or(("", "{}"));
            let mut good = serde_json::Deserializer::from_str(example).into_iter::<Arguments>();
            let good = Value::Object(good.next().unwrap().unwrap());
            let (in_body, fields) = fields(tool);
            for (field, required) in fields {
                for nothing in nothings() {
                    let free = [
                        "planCode",
                        "status",
                        "activatedAt",
                        "currentPeriodStartDate",
                        "expiryDate",
                        "trialEndsAt",
                    ];
                    let text = nothing.as_str().unwrap_or_default().to_lowercase();
                    if field == "password" && !text.is_empty()
                        || free.contains(&field.as_str()) && text == "none"
                    {
                        continue;
                    }
                    let (mut with, mut without) = (good.clone(), good.clone());
                    let place = |all: &mut Value, value: Option<Value>| {
                        let all = if in_body { &mut all["body"] } else { all };
                        let all = all.as_object_mut().unwrap();
                        all.remove(&field);
                        all.extend(value.map(|value| (field.clone(), value)));
                    };
                    place(&mut with, Some(nothing.clone()));
                    place(&mut without, None);
                    tried += 1;
                    match (prepare(name, &with), prepare(name, &without)) {
                        (Ok(with), Ok(without)) if !required => {
                            assert_eq!(
                                with.canonical, without.canonical,
                                "{name} {field} {nothing}"
                            );
                        }
                        (Err(with), Err(without)) => {
                            assert!(with.to_string().contains(&field), "{with}");
                            assert!(required || with == without, "{with} / {without}");
                        }
                        _ => panic!("{name} {field} {nothing}"),
                    }
                }
            }
        }
        assert!(tried > 500, "{tried}");
    }

    #[test]
    fn a_text_that_may_be_meant_stays() {
        let body = |field: &str, value: &str| json!({"body": {field: value}});
        let given = body("status", "none");
        assert_eq!(canonical("update-user-unlimited-streaming", &given), given);
        for (field, word) in [("status", "null"), ("planCode", "undefined")] {
            let left = canonical("update-user-unlimited-streaming", &body(field, word));
            assert_eq!(left, json!({"body": {}}));
        }
    }

    #[test]
    fn a_float_that_is_whole_is_that_number() {
        let id = json!("11700062");
        for number in ["11700062.0", "1.1700062e7", "11700062"] {
            let number: Value = serde_json::from_str(number).unwrap();
            let item = canonical("purchase-user-item", &json!({"releaseId": number}));
            assert_eq!(item, json!({"releaseId": id}));
            let card = json!({"body": {"cardId": number, "userId": number}});
            let card = canonical("select-user-payment-card", &card);
            assert_eq!(card, json!({"body": {"cardId": id, "userId": id}}));
        }
        let page = canonical("get-user-locker", &json!({"page": 2.0, "pageSize": 1e1}));
        assert_eq!(page, json!({"page": 2, "pageSize": 10}));
        let text = canonical(
            "get-user-locker",
            &json!({"page": "2.0", "pageSize": "1e1"}),
        );
        assert_eq!(text, page);
    }

    #[test]
    fn a_number_that_a_float_does_not_hold_is_no_id() {
        for number in ["123456789012345678901", "1.2345678901234567e19", "0.5"] {
            let number: Value = serde_json::from_str(number).unwrap();
            let error = prepare("get-user-details", &json!({"userId": number})).unwrap_err();
            assert!(
                error.to_string().starts_with("userId: expected an id"),
                "{error}"
            );
        }
        let exact = json!({"userId": 1_234_567_890_123_456_789_u64});
        assert_eq!(
            canonical("get-user-details", &exact),
            json!({"userId": "1234567890123456789"})
        );
    }

    #[test]
    fn what_hosts_add_is_passed_over_at_the_top_level_only() {
        let given = json!({"releaseId": "1", "toolCallId": "call_1", "sessionId": "s", "action": "sendMessage",
            "chatInput": "my card is 4111111111111111", "wait_for_previous": true, "_meta": {}, "tool_call_description": "x", "_as_extra": {}});
        assert_eq!(
            canonical("purchase-user-item", &given),
            json!({"releaseId": "1"})
        );
        let beside = json!({"body": {"cardId": "1"}, "toolCallId": "call_1"});
        let inside = json!({"body": {"cardId": "1", "action": "x"}});
        let card = canonical("select-user-payment-card", &beside);
        assert_eq!(card, json!({"body": {"cardId": "1"}}));
        assert_eq!(canonical("select-user-payment-card", &inside), inside);
    }

    #[test]
    fn an_unknown_name_is_an_error_that_names_the_near_one() {
        for (tool, name, told) in [
            (
                "purchase-user-item",
                "releaseIds",
                "unknown field `releaseIds`: did you mean `releaseId`?",
            ),
            (
                "purchase-user-item",
                "release_id",
                "unknown field `release_id`: did you mean `releaseId`?",
            ),
            (
                "purchase-user-item",
                "USERID",
                "unknown field `USERID`: did you mean `userId`?",
            ),
            (
                "purchase-user-item",
                "toolcallid",
                "unknown field `toolcallid`, expected one of `country`, `price`, `releaseId`",
            ),
            (
                "get-user-locker",
                "pages",
                "unknown field `pages`: did you mean `page`?",
            ),
            (
                "select-user-payment-card",
                "cardId",
                "unknown field `cardId`: did you mean `body.cardId`?",
            ),
            (
                "select-user-payment-card",
                "card_id",
                "unknown field `card_id`: did you mean `body.cardId`?",
            ),
            (
                "select-user-payment-card",
                "what",
                "unknown field `what`, expected `body`",
            ),
        ] {
            let error = prepare(tool, &json!({name: "1"})).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
    }
}
