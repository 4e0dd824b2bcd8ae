//! What a call that charges or deletes would do: in checked words for a person, and in ids for the ledger.

use serde_json::{Value, json};
use sevendigital::Client;
use sevendigital::text::quotable;

use crate::get_user_locker::GetUserLocker;
use crate::list_user_payment_cards::ListUserPaymentCards;
use crate::tool::{Arguments, Tool, ToolError, fields};
use crate::values::{Currency, Id, Price};

/// What a call would do. Every word of it is our own or an id that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// What is done, as the start of a sentence: `Buy release 11700062`.
    pub what: String,
    /// What it is done to, in ids: `release 11700062`. Other tools name the same item alike.
    pub item: String,
    /// The price, where it is known before.
    pub price: Option<Price>,
    /// The price's currency, where it is given.
    pub currency: Option<Currency>,
    /// Who pays, if anybody.
    pub payer: Payer,
}

impl Deed {
    /// What a tool does that says nothing of its deed.
    pub fn of_nothing(tool: &str) -> Self {
        Self {
            what: format!("Call {tool}"),
            item: tool.to_owned(),
            price: None,
            currency: None,
            payer: Payer::Nobody,
        }
    }

    /// The price for people, such as `7.99 GBP`: in its own currency, or else the country's.
    pub fn shown_price(&self, country: Option<&str>) -> Option<String> {
        self.price
            .map(|price| price.shown(self.currency.as_ref(), country))
    }
}

/// Who pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payer {
    /// The user's default card.
    Card,
    /// The partner, whom 7digital bills.
    Partner,
    /// Nobody: something is deleted.
    Nobody,
}

/// A purchase that was made, as far as the ledger keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// 7digital's purchase id.
    pub purchase_id: String,
    /// The answer without what was bought: its links are signed and don't belong into a ledger.
    pub document: Value,
}

/// A release, or a track of one, in ids.
pub(crate) fn item(release: Option<&Id>, track: Option<&Id>) -> String {
    match (release, track) {
        (Some(release), Some(track)) => {
            format!("track {} of release {}", track.as_str(), release.as_str())
        }
        (Some(release), None) => format!("release {}", release.as_str()),
        (None, Some(track)) => format!("track {}", track.as_str()),
        (None, None) => "nothing".to_owned(),
    }
}

/// A release or a track must be named: 7digital can't be asked to sell nothing.
pub(crate) fn named(release: Option<&Id>, track: Option<&Id>) -> Result<(), ToolError> {
    match (release, track) {
        (None, None) => Err(ToolError::input(
            "releaseId",
            "give `releaseId`, or `releaseId` and `trackId`",
        )),
        _ => Ok(()),
    }
}

/// A purchase that the user's card pays.
pub(crate) fn purchase(item: String, price: Option<Price>) -> Deed {
    Deed {
        what: format!("Buy {item}"),
        item,
        price,
        currency: None,
        payer: Payer::Card,
    }
}

/// A sale that the partner is billed for.
pub(crate) fn sale(item: String, price: Option<Price>, currency: Option<Currency>) -> Deed {
    Deed {
        what: format!("Log a sale of {item}"),
        item,
        price,
        currency,
        payer: Payer::Partner,
    }
}

/// A card that is taken away for good.
pub(crate) fn deletion(card: Option<&Id>) -> Deed {
    let item = card.map_or_else(
        || "a card that is not named".to_owned(),
        |card| format!("card {}", card.as_str()),
    );
    Deed {
        what: format!("Delete {item}"),
        item,
        price: None,
        currency: None,
        payer: Payer::Nobody,
    }
}

/// The receipt in an answer, if the purchase was made: only a purchase id says so, and only where nothing beside it says otherwise.
pub fn receipt(document: &Value) -> Option<Receipt> {
    let purchase = document.get("purchase")?;
    // What is not a known word for success is none: `pending`, `failure`, `false`.
    let made = |status: &Value| match status {
        Value::Null => true,
        Value::String(status) => {
            let status = status.to_ascii_lowercase();
            matches!(
                status.as_str(),
                "ok" | "success" | "complete" | "completed" | ""
            )
        }
        _ => false,
    };
    if ["status", "paymentStatus"]
        .iter()
        .filter_map(|name| purchase.get(name))
        .any(|status| !made(status))
    {
        return None;
    }
    let id = purchase
        .get("id")?
        .as_str()
        .filter(|id| !id.trim().is_empty())?;
    let mut kept = json!({"purchase": {"id": id}});
    if let (Some(date), Some(Value::Object(purchase))) =
        (purchase.get("purchaseDate"), kept.get_mut("purchase"))
    {
        purchase.insert("purchaseDate".into(), date.clone());
    }
    for name in ["status", "version", "transactionId"] {
        if let (Some(value), Value::Object(kept)) = (document.get(name), &mut kept) {
            kept.insert(name.into(), value.clone());
        }
    }
    Some(Receipt {
        purchase_id: id.to_owned(),
        document: kept,
    })
}

/// Whether the locker shows what these arguments buy, bought no earlier than `since` (milliseconds since 1970),
/// in a purchase that is not one of those `known` to be another.
///
/// A basket's items are not known, so a basket is never found.
pub async fn found_in_locker(
    client: &Client,
    arguments: &Arguments,
    since: i64,
    known: &[String],
) -> Result<Option<Receipt>, ToolError> {
    let Some(answer) = release_in_locker(client, arguments).await? else {
        return Ok(None);
    };
    let track = arguments.get("trackId").and_then(Value::as_str);
    let bought = all(&answer, RELEASES)
        .into_iter()
        .flat_map(|release| all(release, &["lockerTracks", "lockerTrack"]))
        .filter(|owned| {
            track.is_none_or(|track| text(owned, &["track", "id"]).as_deref() == Some(track))
        })
        .filter(|owned| !text(owned, &["purchaseId"]).is_some_and(|id| known.contains(&id)))
        .find(|owned| {
            text(owned, &["purchaseDate"])
                .and_then(|date| moment(&date))
                .is_some_and(|at| at >= since)
        });
    Ok(bought.and_then(|owned| {
        let id = text(owned, &["purchaseId"])?;
        let document =
            json!({"purchase": {"id": id, "purchaseDate": text(owned, &["purchaseDate"])}});
        Some(Receipt {
            purchase_id: id,
            document,
        })
    }))
}

/// 7digital's title of the release that these arguments name, if the locker has it: cleaned, and 7digital's words, not ours.
pub async fn owned_title(client: &Client, arguments: &Arguments) -> Option<String> {
    let answer = release_in_locker(client, arguments).await.ok()??;
    let title = text(all(&answer, RELEASES).first()?, &["release", "title"])?;
    Some(quotable(&title))
}

const RELEASES: &[&str] = &["locker", "lockerReleases", "lockerRelease"];

/// What the locker has of the release that these arguments name, newest first. Nothing if they name none.
async fn release_in_locker(
    client: &Client,
    arguments: &Arguments,
) -> Result<Option<Value>, ToolError> {
    let Some(release) = arguments.get("releaseId") else {
        return Ok(None);
    };
    let mut query = whose(arguments);
    query.extend([
        ("releaseId".to_owned(), release.clone()),
        ("sort".to_owned(), json!("purchaseDate desc")),
        ("pageSize".to_owned(), json!(50)),
    ]);
    Ok(Some(
        client
            .send(&GetUserLocker::CONTRACT.upstream, &query)
            .await?
            .document,
    ))
}

/// The arguments that say whose account and which shop; a POST has them in its body.
fn whose(arguments: &Arguments) -> Arguments {
    let fields = fields(arguments);
    ["userId", "country", "shopId"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), fields.get(name)?.clone())))
        .collect()
}

/// The last four digits of the card that a call is about: the one that its body names, else the default that purchases charge.
pub async fn card_digits(client: &Client, arguments: &Arguments) -> Option<String> {
    let endpoint = &ListUserPaymentCards::CONTRACT.upstream;
    let answer = client
        .send::<Value>(endpoint, &whose(arguments))
        .await
        .ok()?;
    let named = arguments
        .get("body")
        .map(|body| text(body, &["cardId"]).unwrap_or_default());
    let wanted = |card: &&Value| match &named {
        Some(id) => text(card, &["id"]).as_ref() == Some(id),
        None => text(card, &["default"]).as_deref() == Some("true"),
    };
    let card = all(&answer.document, &["cards", "card"])
        .into_iter()
        .find(wanted)?;
    text(card, &["last4digits"])
        .filter(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The values at the end of a path, through lists and through lone elements alike.
fn all<'a>(value: &'a Value, path: &[&str]) -> Vec<&'a Value> {
    let mut found = vec![value];
    for name in path {
        found = found
            .into_iter()
            .filter_map(|value| value.get(name))
            .flat_map(|value| match value {
                Value::Array(all) => all.iter().collect(),
                one => vec![one],
            })
            .collect();
    }
    found
}

/// The text, number or flag at the end of a path.
fn text(value: &Value, path: &[&str]) -> Option<String> {
    match all(value, path).first()? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// An ISO 8601 moment in milliseconds since 1970.
fn moment(date: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc3339(date)
        .ok()
        .map(|at| at.timestamp_millis())
}
