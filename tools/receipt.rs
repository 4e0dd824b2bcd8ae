//! The receipt of a purchase: the only place that decides whether an answer says that a purchase was made.

use serde_json::{Map, Value};
use sevendigital::Answer;
use sevendigital::verdict::{Word, denies, is_empty, word};

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
        let document = &answer.document;
        let Some(purchase) = document.get("purchase").and_then(Value::as_object) else {
            return Self::Unclear;
        };
        let words = [document.as_object(), Some(purchase)];
        let words: Vec<Word> = words.into_iter().flatten().flat_map(signs).collect();
        let id = purchase.get("id").and_then(Value::as_str).map(str::trim);
        if words.contains(&Word::Pending) {
            return Self::Pending;
        }
        match id.filter(|id| is_real(id)) {
            Some(id) if words.is_empty() && !answer.doubled && !has_odd_status(document) => {
                Self::Made(Receipt::new(id, document, purchase))
            }
            _ => Self::Unclear,
        }
    }
}

impl Receipt {
    fn new(id: &str, document: &Value, purchase: &Map<String, Value>) -> Self {
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

/// What speaks against success in an object: each status that is no known word for it, each error, each flag that says no.
fn signs(fields: &Map<String, Value>) -> impl Iterator<Item = Word> {
    let signs = fields
        .iter()
        .map(|(name, value)| match name.to_ascii_lowercase().as_str() {
            "status" | "state" | "paymentstatus" | "purchasestatus" => word(value),
            "error" | "errors" | "errorcode" | "errormessage" | "code" if !is_empty(value) => {
                Word::Failure
            }
            "success" if denies(value) => Word::Failure,
            _ => Word::Success,
        });
    signs.filter(|word| !matches!(word, Word::Success | Word::Empty))
}

/// Whether the envelope's status was of a kind that no status is.
fn has_odd_status(document: &Value) -> bool {
    let mut odd = document
        .get("unexpected")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    odd.any(|odd| odd.get("path").is_some_and(|path| path == "status"))
}

/// Whether an id can be one of a purchase: zeros, negative numbers and words for nothing can't.
fn is_real(id: &str) -> bool {
    let zeros = id.chars().all(|c| matches!(c, '0' | '.' | '-'));
    let negative = id.starts_with('-');
    let nothing = ["true", "false", "null", "none", "undefined", "nan"];
    !zeros && !negative && !nothing.iter().any(|word| id.eq_ignore_ascii_case(word))
}
