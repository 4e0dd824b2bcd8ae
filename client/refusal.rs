//! Reading a refusal: which errors a document reports, and whether it is certain that nothing was done.

use serde_json::{Map, Value};

use crate::contradiction::contradicts;
use crate::error::{Delivery, Error, Refusal};
use crate::error_code::is_remote_fault;
use crate::reply::{Reply, by_status, unauthorised};
use crate::text::quotable;
use crate::verdict::{Word, code, field, is_empty, word};

/// The error in a document that reports a failure. `plainly`: by a status, a flag, or an error with a code.
///
/// The text of an error is `errorMessage` or `message`, its code a number or a string, and there may be several of them, in `error` and in `errors`.
pub(crate) fn read(reply: &Reply, document: &Map<String, Value>, plainly: bool) -> Error {
    let errors = errors(document);
    let mut codes = errors.iter().filter_map(|(code, _)| *code);
    let faulty = codes.clone().any(is_remote_fault);
    let code = codes.next();
    let message = quotable(&words(&errors));
    // Beside a purchase, or words of one, nothing is certain, whatever the status and the code say.
    let sold = field(document, "purchase").is_some_and(|purchase| !is_empty(purchase));
    let success = field(document, "success").is_some_and(|flag| word(flag) == Word::Success);
    let untouched = !sold && !success && !contradicts(document);
    let sound = untouched && reply.status < 500 && !faulty;
    if sound {
        // 7digital's own client reads a message about OAuth as one, whatever its code.
        match reply.status {
            429 => {
                let retry_after = reply.retry_after;
                return Error::Throttled { retry_after };
            }
            401 | 403 if code.is_none() => return unauthorised(reply, &message),
            _ if plainly && message.to_ascii_lowercase().contains("oauth") => {
                return unauthorised(reply, &message);
            }
            _ => {}
        }
    }
    if errors.is_empty()
        && !plainly
        && untouched
        && let Some(error) = by_status(reply)
    {
        return error;
    }
    Error::Rejected(Box::new(Refusal {
        status: reply.status,
        code,
        message,
        delivery: if sound && plainly {
            Delivery::Rejected
        } else {
            Delivery::Unknown
        },
        retry_after: reply.retry_after,
    }))
}

/// 7digital's numeric code and its words, as they came.
pub type Reported = (Option<u32>, Option<String>);

fn errors(document: &Map<String, Value>) -> Vec<Reported> {
    let listed = ["error", "errors"]
        .iter()
        .filter_map(|name| field(document, name));
    let listed = listed.flat_map(|errors| match errors {
        Value::Array(all) => all.as_slice(),
        // A list of XML: `errors` with one child that comes several times.
        Value::Object(fields) if fields.len() == 1 => match field(fields, "error") {
            Some(Value::Array(all)) => all.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => std::slice::from_ref(errors),
        },
        one => std::slice::from_ref(one),
    });
    let mut found: Vec<Reported> = listed.map(reported).collect();
    found.push(reported_by(document));
    found.retain(|(code, words)| code.is_some() || words.is_some());
    found
}

/// Code and words of an error, which may be a text, an object or a list of which the first counts.
pub fn reported(error: &Value) -> Reported {
    match error {
        Value::Object(fields) => reported_by(fields),
        Value::Array(all) => all.first().map_or((None, None), reported),
        other => (None, text(other)),
    }
}

fn reported_by(fields: &Map<String, Value>) -> Reported {
    let mut names = ["errorMessage", "message", "description", "_"].iter();
    let words = names.find_map(|name| text(field(fields, name)?));
    (code(fields), words)
}

/// A text, which in XML may have attributes beside it.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Object(element) => element.get("_")?.as_str().map(str::to_owned),
        _ => None,
    }
}

/// The words of all errors; where there are several, each with its code.
fn words(errors: &[Reported]) -> String {
    let worded = |(code, words): &Reported| match (code, words) {
        (Some(code), Some(words)) if errors.len() > 1 => Some(format!("{code} {words}")),
        (_, Some(words)) => Some(words.clone()),
        (Some(code), None) if errors.len() > 1 => Some(code.to_string()),
        (_, None) => None,
    };
    let all: Vec<String> = errors.iter().filter_map(worded).collect();
    all.join("; ")
}
