//! Reading a refusal: which errors a document reports, and whether it is certain that nothing was done.

use serde_json::{Map, Value};

use crate::error::{Delivery, Error, Refusal};
use crate::error_code::is_remote_fault;
use crate::reply::{Reply, by_status, unauthorised};
use crate::text::quotable;
use crate::verdict::{code, is_empty};

/// Words that speak of something done, or of something unfinished: with them a refusal contradicts itself.
const CONTRADICTIONS: [&str; 14] = [
    "success",
    "was charged",
    "been charged",
    "was taken",
    "been taken",
    "was made",
    "been made",
    "completed",
    "pending",
    "being processed",
    "still processing",
    "timed out",
    "timeout",
    "unexpected error",
];

/// The error in a document that reports a failure. `plainly`: by a status, a flag, or an error with a code.
///
/// The text of an error is `errorMessage` or `message`, its code a number or a string, and there may be several of them, in `error` and in `errors`.
pub(crate) fn read(reply: &Reply, document: &Map<String, Value>, plainly: bool) -> Error {
    let errors = errors(document);
    let mut codes = errors.iter().filter_map(|(code, _)| *code);
    let faulty = codes.clone().any(is_remote_fault);
    let code = codes.next();
    let message = quotable(&words(&errors));
    let lower = message.to_ascii_lowercase();
    // Beside a purchase nothing is certain, whatever the status and the words say.
    let untouched = document.get("purchase").is_none_or(is_empty);
    let certain = plainly && untouched && reply.status < 500 && !faulty && !contradicts(&lower);
    if certain || (!plainly && untouched) {
        // 7digital's own client reads a message about OAuth as one, whatever its code.
        match reply.status {
            429 => {
                let retry_after = reply.retry_after;
                return Error::Throttled { retry_after };
            }
            401 | 403 if code.is_none() => return unauthorised(reply, &message),
            _ if certain && lower.contains("oauth") => return unauthorised(reply, &message),
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
        delivery: if certain {
            Delivery::Rejected
        } else {
            Delivery::Unknown
        },
        retry_after: reply.retry_after,
    }))
}

/// Whether a refusal's words, in small letters, say something else than that nothing was done.
fn contradicts(words: &str) -> bool {
    let negated = |at: usize| {
        let before = words.get(..at).unwrap_or_default();
        ["not ", "n't ", "no ", "un"]
            .iter()
            .any(|negation| before.ends_with(negation))
    };
    CONTRADICTIONS
        .iter()
        .any(|said| words.match_indices(said).any(|(at, _)| !negated(at)))
}

/// Code and words of each error.
type Reported = (Option<u32>, Option<String>);

fn errors(document: &Map<String, Value>) -> Vec<Reported> {
    let listed = ["error", "errors"]
        .iter()
        .filter_map(|name| document.get(*name));
    let listed = listed.flat_map(|errors| match errors {
        Value::Array(all) => all.as_slice(),
        // A list of XML: `errors` with one child that comes several times.
        Value::Object(fields) if fields.len() == 1 => match fields.get("error") {
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

fn reported(error: &Value) -> Reported {
    match error {
        Value::Object(fields) => reported_by(fields),
        other => (None, text(other)),
    }
}

fn reported_by(fields: &Map<String, Value>) -> Reported {
    let mut names = ["errorMessage", "message", "description", "_"].iter();
    let words = names.find_map(|name| text(fields.get(*name)?));
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
