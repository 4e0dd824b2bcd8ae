//! What a message must look like, whichever way it came: JSON within limits, one message of JSON-RPC, and `params` that its method has.

use std::fmt;

use rmcp::ErrorData;
use rmcp::model::{CallToolRequestParams, ErrorCode, InitializeRequestParams};
use serde::Deserialize as _;
use serde::de::{Deserializer as _, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::http::body::BodyReader;
use crate::http::json::shown;
use crate::problem::{Kind, Problem};

/// Levels of a message that are kept: the message, its `params`, and their fields.
const LEVELS: usize = 3;

/// Methods that are served: to rmcp one whose `params` it can't read is as unknown as one that does not exist.
const SERVED: [&str; 9] = [
    "completion/complete",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/templates/list",
    "server/discover",
    "tools/call",
    "tools/list",
];

/// The outline of what is one message. `id` becomes its id as soon as that is known, for the error too.
pub(super) fn outline(reader: &BodyReader, bytes: &[u8], id: &mut Value) -> Result<Value, Problem> {
    let invalid = |why: &str| Err(Problem::rejected(Kind::InvalidRequest, why));
    let message = reader.json(bytes, LEVELS).map_err(|why| {
        *id = readable_id(bytes);
        let why = format!("the message is not JSON that is accepted here: {why}");
        Problem::rejected(Kind::Unreadable, why)
    })?;
    if message.is_array() {
        return invalid("a batch is not accepted: send each message by itself");
    }
    let given = message.get("id");
    if let Some(given) = given.filter(|id| is_id(id)) {
        *id = given.clone();
    }
    if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return invalid("it is not a message with `\"jsonrpc\": \"2.0\"`");
    }
    if given.is_some_and(|id| !is_id(id)) {
        return invalid("`id` is a text or a whole number");
    }
    Ok(message)
}

/// The method of a message that its sender wants an answer to.
pub(super) fn requested(message: &Value) -> Option<&str> {
    message.get("id")?;
    message.get("method")?.as_str()
}

/// `params` that rmcp can read, where it would say less about what is wrong; of what [`outline`] has passed.
pub(super) fn check_params(message: &Value, bytes: &[u8]) -> Result<(), Problem> {
    match requested(message) {
        Some("tools/call") => call_params(message).map(drop),
        Some("initialize") => check_initialize(bytes),
        // rmcp takes a cursor that is no text for none.
        Some(method) if method.ends_with("/list") => {
            let cursor = message.pointer("/params/cursor");
            let is_one = cursor.is_none_or(|cursor| cursor.is_string() || cursor.is_null());
            is_one.then_some(()).ok_or_else(|| wrong_params(method))
        }
        _ => Ok(()),
    }
}

/// The `params` of a tool's call, as far as an outline has them.
pub(super) fn call_params(message: &Value) -> Result<CallToolRequestParams, Problem> {
    let params = message
        .get("params")
        .map(CallToolRequestParams::deserialize);
    params.and_then(Result::ok).ok_or_else(|| {
        let why = "`params` of `tools/call` are a `name`, and `arguments` that are an object";
        Problem::rejected(Kind::Argument, why)
    })
}

/// A field of `initialize`: where it stands, whether a value is one, and what it is in words.
type Field = (&'static str, fn(&Value) -> bool, &'static str);

const INITIALIZE: [Field; 5] = [
    (
        "protocolVersion",
        Value::is_string,
        "a text such as `2025-11-25`",
    ),
    (
        "capabilities",
        Value::is_object,
        "an object, which may be empty",
    ),
    (
        "clientInfo",
        Value::is_object,
        "an object with `name` and `version`",
    ),
    ("clientInfo.name", Value::is_string, "a text"),
    ("clientInfo.version", Value::is_string, "a text"),
];

/// The first field that is missing or wrong is named.
fn check_initialize(bytes: &[u8]) -> Result<(), Problem> {
    let wrong = |why: &str| Err(Problem::rejected(Kind::Argument, why));
    let message: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let params = message.get("params").unwrap_or(&Value::Null);
    for (path, is_one, what) in INITIALIZE {
        let found = path
            .split('.')
            .try_fold(params, |value, name| value.get(name));
        match found {
            None => {
                return wrong(&format!(
                    "`params.{path}` of `initialize` is missing: {what}"
                ));
            }
            Some(value) if !is_one(value) => {
                return wrong(&format!("`params.{path}` of `initialize` is {what}"));
            }
            Some(_) => {}
        }
    }
    if InitializeRequestParams::deserialize(params).is_err() {
        return wrong(
            "`capabilities` or `clientInfo` of `initialize` have a field that is not as MCP has it",
        );
    }
    Ok(())
}

/// Why rmcp can't read what [`outline`] has passed: where all else is a request's, its `params` are none.
pub(super) fn unreadable(message: &Value) -> Problem {
    let has = |name| message.get(name).is_some();
    let id = message.get("id");
    let is_request = id.is_some_and(|id| !id.is_u64() || id.is_i64());
    let method = requested(message).filter(|_| is_request && !has("result") && !has("error"));
    let why = "the message is not a request, notification or response as MCP has them";
    let other = || Problem::rejected(Kind::InvalidRequest, why);
    method.map_or_else(other, wrong_params)
}

fn wrong_params(method: &str) -> Problem {
    let why = format!(
        "`params` of {} are not as MCP has them",
        shown_method(method)
    );
    Problem::rejected(Kind::Argument, why)
}

/// What rmcp says of a method that it does not know, in words. Its own message is the method alone.
pub(super) fn explained(mut error: ErrorData) -> ErrorData {
    if error.code == ErrorCode::METHOD_NOT_FOUND {
        let problem = no_such_method(&error.message);
        if problem.kind == Kind::Argument {
            error.code = ErrorCode::INVALID_PARAMS;
        }
        error.message = problem.detail().into();
    }
    error
}

/// Why a method could not be found.
pub(super) fn no_such_method(method: &str) -> Problem {
    if SERVED.contains(&method) {
        return wrong_params(method);
    }
    let family = method.split('/').next().unwrap_or_default();
    let why = match family {
        "resources" if method.ends_with("subscribe") => {
            "this server tells nothing of changes of its resources: read them again".to_owned()
        }
        "logging" => "this server sends no log; it writes one for its operator".to_owned(),
        "subscriptions" => {
            "this server has nothing to subscribe to: its lists stay as they are".to_owned()
        }
        "tasks" => "this server has no tasks".to_owned(),
        "skills" => "this server has no skills".to_owned(),
        "initialize" => {
            "protocol 2026-07-28 has no `initialize`; each request says in `_meta` what that would"
                .to_owned()
        }
        "ping" => "protocol 2026-07-28 has no `ping`".to_owned(),
        _ => format!("this server has no method {}", shown_method(method)),
    };
    Problem::rejected(Kind::NoSuchRpcMethod, why)
}

/// A method that a client chose, as it may be shown.
fn shown_method(method: &str) -> String {
    let parts = method.split('/').take(8).map(shown);
    parts.collect::<Vec<_>>().join("/").replace("`/`", "/")
}

fn is_id(id: &Value) -> bool {
    id.is_string() || id.is_i64() || id.is_u64()
}

/// The id in what is no good message, if there is just one: a client waits for it.
///
/// It looks neither at escapes and bytes of texts nor at names that are given twice.
fn readable_id(bytes: &[u8]) -> Value {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let id = deserializer.deserialize_map(IdReader);
    let id = id.ok().filter(|_| deserializer.end().is_ok());
    id.flatten().unwrap_or_default()
}

struct IdReader;

impl<'de> Visitor<'de> for IdReader {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut id = None;
        while let Some(name) = fields.next_key::<String>()? {
            if name != "id" {
                fields.next_value::<IgnoredAny>()?;
            } else if id.replace(fields.next_value::<Value>()?).is_some() {
                return Err(A::Error::custom("two ids"));
            }
        }
        Ok(id.filter(is_id))
    }
}
