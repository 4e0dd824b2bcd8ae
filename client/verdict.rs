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

/// The field of this name; where there is none, the one whose name differs from it in case only.
pub fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).or_else(|| {
        let mut others = fields.iter();
        let other = others.find(|(other, _)| other.eq_ignore_ascii_case(name));
        other.map(|(_, value)| value)
    })
}

/// What the value of a field like `status` says: in any spelling of a word, as a flag, and in a list of one.
pub fn word(value: &Value) -> Word {
    match value {
        Value::Null => Word::Empty,
        Value::Bool(false) => Word::Failure,
        Value::Array(all) => match all.as_slice() {
            [] => Word::Empty,
            [one] => word(one),
            _ => Word::Unknown,
        },
        Value::String(text) if text.trim().is_empty() => Word::Empty,
        Value::String(text) => spelt(text),
        Value::Bool(true) => Word::Success,
        Value::Number(_) | Value::Object(_) => Word::Unknown,
    }
}

/// What a word says, whatever its case and the signs in it.
fn spelt(text: &str) -> Word {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    let letters: String = letters.flat_map(char::to_lowercase).collect();
    match letters.as_str() {
        "ok" | "success" | "successful" | "succeeded" | "complete" | "completed" | "paid"
        | "approved" | "purchased" | "true" | "yes" => Word::Success,
        "error" | "failed" | "failure" | "fail" | "unsuccessful" | "declined" | "refused"
        | "rejected" | "denied" | "cancelled" | "canceled" | "void" | "voided" | "unpaid"
        | "refunded" | "reversed" | "expired" | "aborted" | "invalid" | "false" | "no" => {
            Word::Failure
        }
        "pending" | "processing" | "queued" | "inprogress" | "waiting" | "submitted" => {
            Word::Pending
        }
        _ => Word::Unknown,
    }
}

/// Whether a flag like `success` says no, as a flag, a word or a zero, by itself or among others.
pub fn denies(flag: &Value) -> bool {
    if let Value::Array(all) = flag {
        return all.iter().any(denies);
    }
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
    let status = field(document, "status").map_or(Word::Empty, word);
    let user = field(document, "user").and_then(Value::as_object);
    let flags = [
        field(document, "success"),
        field(document, "authenticated"),
        user.and_then(|user| field(user, "authenticated")),
    ];
    let denied = flags.into_iter().flatten().any(denies);
    if status == Word::Failure || denied {
        return Verdict::Failed { plainly: true };
    }
    let given = |name: &str| field(document, name).is_some_and(|value| !is_empty(value));
    if given("error") || given("errors") {
        let error = field(document, "error").and_then(Value::as_object);
        let plainly = status == Word::Empty && error.and_then(code).is_some();
        return Verdict::Failed { plainly };
    }
    match status {
        Word::Success => Verdict::Ok,
        Word::Empty if field(document, "code").is_some_and(is_error_code) => Verdict::Failed {
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
    let around = |name: &str| {
        ENVELOPE
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    };
    let mut fields = document.iter();
    fields.any(|(name, value)| !around(name) && !is_empty(value))
}

/// Whether the value of a `code` is one of an error: zero and HTTP's codes of success are none.
pub fn is_error_code(code: &Value) -> bool {
    match number(code) {
        Some(0 | 200..=299) => false,
        Some(_) => true,
        None => !is_empty(code),
    }
}

/// The numeric code of an error, which may be a number or a text.
pub fn code(error: &Map<String, Value>) -> Option<u32> {
    let code = field(error, "code")?;
    number(code).filter(|_| is_error_code(code))
}

fn number(code: &Value) -> Option<u32> {
    match code {
        Value::Number(code) => u32::try_from(code.as_u64()?).ok(),
        Value::String(code) => code.trim().parse().ok(),
        _ => None,
    }
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
            (json!({"status": true}), Verdict::Ok),
            (json!({"status": "Paid"}), Verdict::Ok),
            (json!({"Status": "O.K."}), Verdict::Ok),
            (json!({"code": 200, "locker": {"x": 1}}), Verdict::Unsaid),
            (json!({"code": "0"}), Verdict::Unsaid),
            (json!({"status": "7"}), Verdict::Unknown),
            (json!({"status": ["ok", "ok"]}), Verdict::Unknown),
            (json!({"status": "maybe"}), Verdict::Unknown),
            (json!({"status": {"a": 1}}), Verdict::Unknown),
            (json!({"status": "ERROR"}), plainly),
            (json!({"status": "ok", "success": "False"}), plainly),
            (json!({"success": 0}), plainly),
            (json!({"success": [true, false]}), plainly),
            (json!({"Status": "error", "Error": {"Code": 1}}), plainly),
            (json!({"ERROR": {"Code": 2001}}), plainly),
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
