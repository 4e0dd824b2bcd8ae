//! The receipt of a purchase: the only place that decides whether an answer says that a purchase was made.

use serde_json::{Map, Value};
use sevendigital::Answer;
use sevendigital::verdict::{Word, denies, is_empty, is_error_code, word};

/// A purchase that was made, as far as the ledger keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// 7digital's purchase id.
    pub purchase_id: String,
    /// The answer without what was bought: its links are signed and don't belong into a ledger.
    pub document: Value,
}

/// What an answer says of a purchase.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// It was made.
    Made(Receipt),
    /// 7digital has not decided on it yet.
    Pending,
    /// The answer does not say whether it was made.
    Unclear,
}

impl Standing {
    /// What an answer in its shape says: a purchase was made if the answer has one purchase with a real id, and no sign of failure beside or inside it.
    pub fn from_answer(answer: &Answer<Value>) -> Self {
        let document = answer.document.as_object();
        let bought =
            document.and_then(|document| Some((document, document.get("purchase")?.as_object()?)));
        let Some((document, purchase)) = bought else {
            return Self::Unclear;
        };
        let mut signs = Vec::new();
        find_signs(document, Depth::Near, &mut signs);
        if signs.contains(&Word::Pending) {
            return Self::Pending;
        }
        let id = purchase.get("id").and_then(Value::as_str).map(str::trim);
        let one = is_once(document, "purchase") && is_once(purchase, "id");
        match id.filter(|id| is_real(id)) {
            Some(id) if signs.is_empty() && one => Self::Made(Receipt::new(id, document, purchase)),
            _ => Self::Unclear,
        }
    }
}

impl Receipt {
    fn new(id: &str, document: &Map<String, Value>, purchase: &Map<String, Value>) -> Self {
        let mut inside = Map::from_iter([("id".to_owned(), Value::from(id))]);
        let date = purchase.get("purchaseDate");
        inside.extend(date.map(|date| ("purchaseDate".to_owned(), date.clone())));
        let around = ["status", "version", "transactionId"].into_iter();
        let around = around.filter_map(|name| Some((name.to_owned(), document.get(name)?.clone())));
        let whole = [("purchase".to_owned(), Value::Object(inside))];
        Self {
            purchase_id: id.to_owned(),
            document: whole.into_iter().chain(around).collect(),
        }
    }
}

/// How near to the purchase a field stands.
#[derive(Clone, Copy, PartialEq)]
enum Depth {
    /// In the document or in its purchase: a word that is not known counts against success.
    Near,
    /// Further in: only a known word does. A `state` may be one of a country there.
    Deep,
}

/// What speaks against success in an object, but for what was bought: each status that is no known word for it, each error, each flag that says no.
fn find_signs(fields: &Map<String, Value>, depth: Depth, found: &mut Vec<Word>) {
    for (name, value) in fields {
        match name.to_ascii_lowercase().as_str() {
            "lockerreleases" => {}
            "purchase" if depth == Depth::Near => match value {
                Value::Object(purchase) => find_signs(purchase, Depth::Near, found),
                other => find_inside(other, found),
            },
            // What did not fit counts in the place that it had.
            "unexpected" => {
                let odd = value.as_array().into_iter().flatten();
                for (path, value) in odd.filter_map(|odd| odd.get("path").zip(odd.get("value"))) {
                    let path = path.as_str().unwrap_or_default();
                    let name = path.rsplit('.').next().unwrap_or_default();
                    if !path.contains("lockerRelease") {
                        find_sign(name, value, Depth::Near, found);
                    }
                }
            }
            name => find_sign(name, value, depth, found),
        }
    }
}

fn find_sign(name: &str, value: &Value, depth: Depth, found: &mut Vec<Word>) {
    let near = depth == Depth::Near;
    let word = match name.to_ascii_lowercase().as_str() {
        "status" | "state" | "paymentstatus" | "purchasestatus" => word(value),
        "error" | "errors" | "errorcode" | "errormessage" if !is_empty(value) => Word::Failure,
        "code" if near && is_error_code(value) => Word::Failure,
        "success" if denies(value) => Word::Failure,
        _ => Word::Success,
    };
    let counts = match word {
        Word::Failure | Word::Pending => true,
        Word::Unknown => near,
        Word::Success | Word::Empty => false,
    };
    found.extend(counts.then_some(word));
    find_inside(value, found);
}

fn find_inside(value: &Value, found: &mut Vec<Word>) {
    match value {
        Value::Object(fields) => find_signs(fields, Depth::Deep, found),
        Value::Array(all) => all.iter().for_each(|value| find_inside(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether just one field has this name, in whatever case.
fn is_once(fields: &Map<String, Value>, name: &str) -> bool {
    let names = fields.keys();
    names
        .filter(|known| known.eq_ignore_ascii_case(name))
        .count()
        == 1
}

/// Whether an id can be one of a purchase: zeros, negative numbers and words for nothing can't.
fn is_real(id: &str) -> bool {
    let zeros = id.chars().all(|c| matches!(c, '0' | '.' | '-'));
    let negative = id.starts_with('-');
    let nothing = ["true", "false", "null", "none", "undefined", "nan"];
    !zeros && !negative && !nothing.iter().any(|word| id.eq_ignore_ascii_case(word))
}
