//! What an answer must say to be a purchase.

use std::fmt::Write as _;

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{option, sample};
use serde_json::{Value, json};
use sevendigital::Answer;
use sevendigital::reply::Reply;
use sevendigital::response;
use sevendigital_tools::purchase_user_item::PurchaseUserItem;
use sevendigital_tools::{Standing, Tool as _};

use super::{check, document_of, escaped, same};
use crate::upstream::answers::hidden;

/// Whether there is a purchase, and an id in it.
#[derive(Debug, Clone)]
enum Named {
    Nothing,
    WithoutId,
    With(Value),
}

/// What an answer to a purchase may say.
#[derive(Debug, Clone)]
struct Sale {
    http: u16,
    envelope: Option<&'static str>,
    purchase: Named,
    said: Option<(&'static str, &'static str)>,
    is_xml: bool,
}

impl Sale {
    fn was_made(&self) -> bool {
        let id = match &self.purchase {
            Named::With(Value::String(id)) => !id
                .chars()
                .all(|c| c == '0' || c.is_whitespace() || hidden(c)),
            Named::With(Value::Number(_) | Value::Bool(_)) => true,
            Named::Nothing | Named::WithoutId | Named::With(_) => false,
        };
        let failed = self.said.is_some_and(|(_, said)| {
            !["", "ok", "success", "complete", "completed"].contains(&said.to_lowercase().as_str())
        });
        (200..300).contains(&self.http) && self.envelope != Some("error") && id && !failed
    }

    fn reply(&self) -> Reply {
        let body = if self.is_xml { self.xml() } else { self.json() };
        Reply {
            status: self.http,
            body: body.into_bytes(),
            ..Reply::default()
        }
    }

    fn xml(&self) -> String {
        let mut inner = String::new();
        if !matches!(self.purchase, Named::Nothing) {
            let text = match &self.purchase {
                Named::With(Value::String(id)) => format!(" id=\"{}\"", escaped(id)),
                Named::With(Value::Array(_) | Value::Object(_)) => " id=\"\"".to_owned(),
                Named::With(Value::Null) | Named::Nothing | Named::WithoutId => String::new(),
                Named::With(other) => format!(" id=\"{other}\""),
            };
            let said = self.said.map_or(String::new(), |(name, said)| {
                format!("<{name}>{said}</{name}>")
            });
            write!(
                inner,
                "<purchase{text}>{said}<purchaseDate>2009</purchaseDate></purchase>"
            )
            .unwrap();
        }
        let envelope = self
            .envelope
            .map_or(String::new(), |envelope| format!(" status=\"{envelope}\""));
        format!("<response{envelope} version=\"1.2\">{inner}</response>")
    }

    fn json(&self) -> String {
        let mut document = json!({"version": "1.2"});
        if let Some(envelope) = self.envelope {
            document["status"] = json!(envelope);
        }
        if !matches!(self.purchase, Named::Nothing) {
            document["purchase"] = json!({"purchaseDate": "2009"});
            if let Some((name, said)) = self.said {
                document["purchase"][name] = json!(said);
            }
            if let Named::With(id) = &self.purchase {
                document["purchase"]["id"] = id.clone();
            }
        }
        document.to_string()
    }
}

#[test]
fn only_an_answer_with_a_purchase_id_is_a_purchase() {
    let ids = vec![
        json!("49193524"),
        json!(49_193_524),
        json!("0"),
        json!("a b"),
        json!(""),
        json!(" \t"),
        json!("\u{200b}\u{feff}"),
        json!(null),
        json!([]),
        json!({}),
    ];
    let said = sample::select(vec![
        "ok",
        "OK",
        "success",
        "Success",
        "complete",
        "completed",
        "failure",
        "Failure",
        "pending",
        "declined",
        "error",
        "false",
    ]);
    let sale = (
        prop_oneof![4 => Just(200), 1 => sample::select(vec![201, 302, 400, 404, 429, 500, 503])],
        sample::select(vec![Some("ok"), Some("ok"), Some("error"), None]),
        prop_oneof![
            8 => sample::select(ids).prop_map(Named::With),
            1 => Just(Named::WithoutId),
            1 => Just(Named::Nothing),
        ],
        option::weighted(0.4, (sample::select(vec!["status", "paymentStatus"]), said)),
        any::<bool>(),
    );
    let sale = sale.prop_map(|(http, envelope, purchase, said, is_xml)| Sale {
        http,
        envelope,
        purchase,
        said,
        is_xml,
    });
    check(&sale, |sale| {
        let read = response::read(&sale.reply(), &PurchaseUserItem::CONTRACT.upstream);
        let answer = read.map(|read| Answer::new(document_of::<PurchaseUserItem>(&read)));
        let standing = answer.map_or(Standing::Unclear, |answer| Standing::from_answer(&answer));
        same(&matches!(standing, Standing::Made(_)), &sale.was_made())
    });
}
