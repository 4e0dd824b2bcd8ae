//! Whether a document says that the operation succeeded, in all the forms in which that is said.

use serde_json::{Map, Value};

/// What a document says of success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It says "ok".
    Ok,
    /// It says nothing, which 7digital's newer operations do on success.
    Unsaid,
    /// Its status is a word that is not known.
    Unknown,
    /// It reports a failure, plainly or by the way.
    Failed {
        /// Whether it says so plainly: by a status, a flag, or an error with a code.
        plainly: bool,
    },
}

/// A word for success or failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// A known word for success.
    Success,
    /// A known word for failure.
    Failure,
    /// It has not been decided yet.
    Pending,
    /// Nothing, or blanks.
    Empty,
    /// Any other value.
    Unknown,
}

/// What the value of a field like `status` says: in any case, with blanks around it, and in a list of one.
pub fn word(value: &Value) -> Word {
    match value {
        Value::Null => Word::Empty,
        Value::Bool(false) => Word::Failure,
        Value::Array(all) => match all.as_slice() {
            [] => Word::Empty,
            [one] => word(one),
            _ => Word::Unknown,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "" => Word::Empty,
            "ok" | "success" | "successful" | "succeeded" | "complete" | "completed" => {
                Word::Success
            }
            "error" | "failed" | "failure" | "fail" | "declined" | "refused" | "rejected"
            | "cancelled" | "canceled" | "false" | "no" => Word::Failure,
            "pending" | "processing" | "queued" | "inprogress" | "in progress" => Word::Pending,
            _ => Word::Unknown,
        },
        Value::Bool(true) | Value::Number(_) | Value::Object(_) => Word::Unknown,
    }
}

/// Whether a flag like `success` says no, as a flag, a word or a zero.
pub fn denies(flag: &Value) -> bool {
    let zero = flag.as_f64() == Some(0.0) || flag.as_str().is_some_and(|text| text.trim() == "0");
    zero || word(flag) == Word::Failure
}

/// Whether a value says nothing: null, blanks, nothing in it, zero or false.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.trim().is_empty(),
        Value::Array(all) => all.iter().all(is_empty),
        Value::Object(fields) => fields.values().all(is_empty),
    }
}

/// What an answer's document says.
pub(crate) fn verdict(document: &Map<String, Value>) -> Verdict {
    let status = document.get("status").map_or(Word::Empty, word);
    let flags = [
        document.get("success"),
        document.get("authenticated"),
        document
            .get("user")
            .and_then(|user| user.get("authenticated")),
    ];
    let denied = flags.into_iter().flatten().any(denies);
    if status == Word::Failure || denied {
        return Verdict::Failed { plainly: true };
    }
    let given = |name: &str| document.get(name).is_some_and(|value| !is_empty(value));
    if given("error") || given("errors") {
        let error = document.get("error").and_then(Value::as_object);
        let plainly = status == Word::Empty && error.and_then(code).is_some();
        return Verdict::Failed { plainly };
    }
    match status {
        Word::Success => Verdict::Ok,
        Word::Empty if given("code") => Verdict::Failed {
            plainly: code(document).is_some(),
        },
        Word::Empty if given("message") && !has_payload(document) => {
            Verdict::Failed { plainly: false }
        }
        Word::Empty => Verdict::Unsaid,
        _ => Verdict::Unknown,
    }
}

/// Whether a document holds more than an envelope.
pub(crate) fn has_payload(document: &Map<String, Value>) -> bool {
    const ENVELOPE: [&str; 7] = [
        "status",
        "version",
        "message",
        "code",
        "success",
        "schema",
        "requestId",
    ];
    let mut fields = document.iter();
    fields.any(|(name, value)| !ENVELOPE.contains(&name.as_str()) && !is_empty(value))
}

/// The numeric code of an error, which may be a number or a text.
pub(crate) fn code(error: &Map<String, Value>) -> Option<u32> {
    match error.get("code")? {
        Value::Number(code) => u32::try_from(code.as_u64()?).ok(),
        Value::String(code) => code.trim().parse().ok(),
        _ => None,
    }
    .filter(|code| *code > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn success_and_failure_are_read_in_every_spelling() {
        let plainly = Verdict::Failed { plainly: true };
        let by_the_way = Verdict::Failed { plainly: false };
        for (document, expected) in [
            (json!({"status": "ok"}), Verdict::Ok),
            (json!({"status": " OK "}), Verdict::Ok),
            (json!({"status": "Success", "message": "done"}), Verdict::Ok),
            (json!({"status": ["ok"]}), Verdict::Ok),
            (
                json!({"status": "ok", "error": null, "errors": []}),
                Verdict::Ok,
            ),
            (json!({"streaming": {}}), Verdict::Unsaid),
            (
                json!({"locker": {"x": 1}, "message": "hi"}),
                Verdict::Unsaid,
            ),
            (json!({"success": true}), Verdict::Unsaid),
            (json!({"status": "maybe"}), Verdict::Unknown),
            (json!({"status": {"a": 1}}), Verdict::Unknown),
            (json!({"status": "ERROR"}), plainly),
            (json!({"status": "ok", "success": "False"}), plainly),
            (json!({"success": 0}), plainly),
            (json!({"authenticated": false}), plainly),
            (json!({"user": {"id": "1", "authenticated": "no"}}), plainly),
            (json!({"error": {"code": "2001"}}), plainly),
            (json!({"code": 2001, "message": "no"}), plainly),
            (json!({"error": "invalid_request"}), by_the_way),
            (json!({"status": "ok", "error": {"code": 1}}), by_the_way),
            (json!({"message": "Forbidden"}), by_the_way),
            (json!({"code": "E12"}), by_the_way),
        ] {
            assert_eq!(
                verdict(document.as_object().unwrap()),
                expected,
                "{document}"
            );
        }
    }
}
