//! The receipt of a purchase: the only place that decides whether an answer says that a purchase was made.

use serde_json::{Value, json};

/// A purchase that was made, as far as the ledger keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// 7digital's purchase id.
    pub purchase_id: String,
    /// The answer without what was bought: its links are signed and don't belong into a ledger.
    pub document: Value,
}

impl Receipt {
    /// The receipt in an answer, if the purchase was made: only a purchase id says so, and only if no status beside it contradicts.
    pub fn from_document(document: &Value) -> Option<Self> {
        let purchase = document.get("purchase")?;
        let mut statuses = ["status", "paymentStatus"]
            .iter()
            .filter_map(|name| purchase.get(name));
        if !statuses.all(says_success) {
            return None;
        }
        let id = purchase
            .get("id")?
            .as_str()
            .filter(|id| !id.trim().is_empty())?;
        let mut kept = json!({"purchase": {"id": id}});
        if let Some(date) = purchase.get("purchaseDate")
            && let Some(Value::Object(purchase)) = kept.get_mut("purchase")
        {
            purchase.insert("purchaseDate".into(), date.clone());
        }
        for name in ["status", "version", "transactionId"] {
            if let (Some(value), Value::Object(kept)) = (document.get(name), &mut kept) {
                kept.insert(name.into(), value.clone());
            }
        }
        Some(Self {
            purchase_id: id.to_owned(),
            document: kept,
        })
    }
}

/// Whether a status is a known word for success: `pending`, `failure` and `false` are not, nor is any other value.
fn says_success(status: &Value) -> bool {
    match status {
        Value::Null => true,
        Value::String(status) => {
            let status = status.to_ascii_lowercase();
            matches!(
                status.as_str(),
                "ok" | "success" | "complete" | "completed" | ""
            )
        }
        _ => false,
    }
}
