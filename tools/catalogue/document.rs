//! Reading the catalogue's documents, in all the forms that 7digital's answers have had.
//!
//! A price is a text, a number, nil, absent or `N/A`, and stands in a package or, before 2017, beside the title. Lists of one may be the one.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::Deserialize as _;
use serde_json::{Map, Value};
use sevendigital::text::quotable;
use sevendigital::verdict;

use super::listing::{Kind, Listing, Unlisted, named, no_price, not_sold};
use crate::amount::Amount;
use crate::values::{Id, Text};
use crate::{Action, Charged, Item};

/// The reason where the answer is not one of 7digital's, or not about the item.
pub(super) const UNREADABLE: &str = "the answer can't be read";
/// Characters in a title or name at most.
const MAX_TEXT: usize = 80;
/// Characters in a cover's address at most.
const MAX_ADDRESS: usize = 1_000;
/// Items of a basket that are listed.
const MAX_CONTENTS: usize = 10;

/// What a document says of an action's item.
///
/// `place` is the end of a sentence, such as ` in GB`; `now` tells what is out already.
pub(super) fn listing(
    document: &Map<String, Value>,
    action: &Action,
    place: &str,
    now: DateTime<Utc>,
) -> Result<Listing, Unlisted> {
    let item = &action.item;
    let (root, id) = match item {
        Item::Release(release) => ("release", release),
        Item::Track { track, .. } => ("track", track),
        Item::Basket(basket) => ("basket", basket),
        Item::PaymentCard(_) => return Err(unreadable()),
    };
    let root = verdict::field(document, root).ok_or_else(unreadable)?;
    if !is_about(root, id) {
        return Err(unreadable());
    }
    match item {
        Item::Basket(_) => basket(root),
        _ => sold(root, action, place, now),
    }
}

fn unreadable() -> Unlisted {
    Unlisted::Failed(UNREADABLE.to_owned())
}

/// Whether what is described is what was asked for, as far as it says.
fn is_about(root: &Value, id: &Id) -> bool {
    let given = field(root, "id").and_then(text);
    given.is_none_or(|given| id.is(&given))
}

/// A release or a track.
fn sold(
    root: &Value,
    action: &Action,
    place: &str,
    now: DateTime<Utc>,
) -> Result<Listing, Unlisted> {
    let is_track = matches!(action.item, Item::Track { .. });
    let release = field(root, "release").filter(|_| is_track);
    let download = field(root, "download").filter(|download| is_object(download));
    let old = field(root, "price").filter(|price| is_object(price));
    if download.is_none() && old.is_none() {
        return Err(not_sold(&action.item, place, None));
    }
    let prices = prices(download, old);
    let date = download.and_then(|download| field(download, "releaseDate"));
    let date = date.or_else(|| field(root, "releaseDate")).and_then(text);
    let image = [Some(root), release].into_iter().flatten();
    let image = image
        .filter_map(|holder| field(holder, "image"))
        .find_map(text);
    let mut listing = Listing {
        title: title(root).ok_or_else(unreadable)?,
        artist: field(root, "artist").and_then(artist),
        kind: if is_track { Kind::Track } else { kind(root) },
        release: release.and_then(title),
        contents: Vec::new(),
        explicit: field(root, "explicitContent").is_some_and(is_true),
        cover: image.filter(|address| is_safe_address(address)),
        pre_order: date.and_then(|date| lies_ahead(&date, now)),
        price: None,
        list_price: None,
    };
    match action.charged {
        Charged::SevendigitalPrice => listing.price = prices.sevendigital,
        Charged::RecommendedRetailPrice => listing.price = prices.retail,
        Charged::CallersPrice => {
            listing.list_price = prices.retail;
            return Ok(listing);
        }
        // Nobody buys it: what is shown is both.
        Charged::Nothing => {
            listing.price = prices.sevendigital;
            listing.list_price = prices.retail;
            return Ok(listing);
        }
        Charged::AmountDue => return Ok(listing),
    }
    match listing.price {
        Some(_) => Ok(listing),
        None => Err(no_price(&listing, place)),
    }
}

fn basket(root: &Value) -> Result<Listing, Unlisted> {
    let items = field(root, "basketItems");
    let items = items.map_or_else(Vec::new, |items| list(items, "basketItem"));
    let counted = field(root, "itemCount").and_then(text);
    let counted = counted.and_then(|count| count.trim().parse::<usize>().ok());
    let count = counted.unwrap_or_default().max(items.len());
    if count == 0 {
        return Err(Unlisted::EmptyBasket);
    }
    let mut contents: Vec<String> = items
        .iter()
        .take(MAX_CONTENTS)
        .map(|item| line(item))
        .collect();
    if !contents.is_empty() && count > contents.len() {
        contents.push(format!("and {} more", count - contents.len()));
    }
    let due = field(root, "amountDue");
    let currency = [due, field(root, "price")]
        .into_iter()
        .flatten()
        .find_map(currency);
    let due = due.map_or(Quoted::Absent, |due| quoted(field(due, "amount"), currency));
    Ok(Listing {
        title: if count == 1 {
            "1 item".to_owned()
        } else {
            format!("{count} items")
        },
        artist: None,
        kind: Kind::Basket,
        release: None,
        contents,
        explicit: false,
        cover: None,
        pre_order: None,
        price: due.amount(),
        list_price: None,
    })
}

/// An item of a basket: `“Title” by Artist`.
fn line(item: &Value) -> String {
    let words = |name| field(item, name).and_then(short);
    let title = words("itemName").unwrap_or_else(|| "an item without a name".to_owned());
    named(&title, words("artistName").as_deref())
}

/// The prices that an item may be sold at.
struct Prices {
    sevendigital: Option<Amount>,
    retail: Option<Amount>,
}

/// What stands in the place of a price.
enum Quoted {
    /// Nothing at all.
    Absent,
    /// That there is none: nil, an empty text, `N/A`.
    Nil,
    Amount(Amount),
}

impl Quoted {
    fn amount(self) -> Option<Amount> {
        match self {
            Self::Amount(amount) => Some(amount),
            Self::Absent | Self::Nil => None,
        }
    }
}

/// The prices of the standard package (id 2), else of the first one, else those that stand beside the title.
fn prices(download: Option<&Value>, old: Option<&Value>) -> Prices {
    let packages = download.and_then(|download| field(download, "packages"));
    let packages = packages.map_or_else(Vec::new, |packages| list(packages, "package"));
    let is_standard = |package: &&&Value| {
        let id = field(package, "id").and_then(text);
        id.is_some_and(|id| id.trim() == "2")
    };
    let package = packages.iter().find(is_standard).or(packages.first());
    let price = package.and_then(|package| field(package, "price"));
    let quotes = match (price, old) {
        (Some(price), _) => ["sevendigitalPrice", "recommendedRetailPrice"]
            .map(|name| quoted(field(price, name), currency(price))),
        (None, Some(old)) => [("value", "formattedPrice"), ("rrp", "formattedRrp")]
            .map(|(name, formatted)| quoted_beside(old, name, formatted)),
        (None, None) => [Quoted::Absent, Quoted::Absent],
    };
    let [sevendigital, retail] = quotes;
    let retail = retail.amount().filter(|retail| match sevendigital {
        Quoted::Amount(_) => true,
        // A shop without 7digital's own price may still sell at the recommended one; 0.00 says that there is none.
        Quoted::Absent => !retail.is_free(),
        // "Not available" in 7digital's own samples, whatever is recommended.
        Quoted::Nil => false,
    });
    Prices {
        sevendigital: sevendigital.amount(),
        retail,
    }
}

fn quoted(value: Option<&Value>, currency: Option<String>) -> Quoted {
    match value {
        None => Quoted::Absent,
        Some(value) => text(value)
            .and_then(|text| Amount::read(&text, currency))
            .map_or(Quoted::Nil, Quoted::Amount),
    }
}

/// A price of the older form, whose absence is said by the formatted one.
fn quoted_beside(price: &Value, name: &str, formatted: &str) -> Quoted {
    match quoted(field(price, name), currency(price)) {
        Quoted::Absent if field(price, formatted).is_some() => Quoted::Nil,
        quoted => quoted,
    }
}

/// The currency's code: a field by itself, or an attribute of an element whose text is the symbol.
fn currency(price: &Value) -> Option<String> {
    let element = || field(price, "currency");
    let code = field(price, "currencyCode").or_else(|| field(element()?, "code"));
    let code = code.or_else(element).and_then(text)?;
    let letters = code.bytes().all(|byte| byte.is_ascii_alphabetic());
    (letters && (2..=8).contains(&code.len())).then_some(code)
}

/// The title, with the version where it does not hold it already.
fn title(of: &Value) -> Option<String> {
    let title = field(of, "title").and_then(text)?;
    let version = field(of, "version").and_then(text).unwrap_or_default();
    let version = version.trim();
    let held = version.is_empty() || title.to_lowercase().contains(&version.to_lowercase());
    if held || quotable(&title).is_empty() {
        shortened(&title)
    } else {
        shortened(&format!("{title} ({version})"))
    }
}

/// The artist as the item names it, else by its own name.
fn artist(artist: &Value) -> Option<String> {
    let name = |name| field(artist, name).and_then(short);
    name("appearsAs").or_else(|| name("name"))
}

fn kind(release: &Value) -> Kind {
    let kind = field(release, "type").and_then(text).unwrap_or_default();
    match kind.trim().to_ascii_lowercase().as_str() {
        "album" => Kind::Album,
        "single" => Kind::Single,
        _ => Kind::Release,
    }
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::String(text) => text.trim().eq_ignore_ascii_case("true"),
        _ => false,
    }
}

/// The day of a time that lies ahead, as it was written. Without a time of day it is midnight, without an offset UTC.
fn lies_ahead(date: &str, now: DateTime<Utc>) -> Option<String> {
    let date = date.trim();
    let local = || date.parse::<NaiveDateTime>().ok();
    let day = || date.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0);
    let (time, day) = if let Ok(time) = DateTime::parse_from_rfc3339(date) {
        (time.to_utc(), time.date_naive())
    } else {
        let time = local().or_else(day)?;
        (time.and_utc(), time.date())
    };
    (time > now).then(|| day.to_string())
}

/// Whether an address is `https` and can be put into any text.
fn is_safe_address(address: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>()[]\\`".contains(&byte);
    let rest = address.strip_prefix("https://");
    address.len() <= MAX_ADDRESS
        && rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(allowed))
}

/// 7digital's words as they may be quoted: on one line, short, without quotation marks.
fn short(value: &Value) -> Option<String> {
    shortened(&text(value)?)
}

fn shortened(text: &str) -> Option<String> {
    let text = quotable(text).replace(['“', '”', '„', '‟', '«', '»', '〝', '〞', '〟', '＂'], "'");
    let text = text.trim();
    let shown = match text.char_indices().nth(MAX_TEXT) {
        Some(_) => {
            let start: String = text.chars().take(MAX_TEXT - 1).collect();
            format!("{}…", start.trim_end())
        }
        None => text.to_owned(),
    };
    (!shown.is_empty()).then_some(shown)
}

/// A text or a number as it is written; nothing for what is null or has an inner structure.
fn text(value: &Value) -> Option<String> {
    Text::deserialize(first(value)).ok().map(|Text(text)| text)
}

/// A field of an object, or of the first in a list of them.
fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    verdict::field(first(value).as_object()?, name)
}

fn is_object(value: &Value) -> bool {
    first(value).is_object()
}

fn first(value: &Value) -> &Value {
    value
        .as_array()
        .and_then(|all| all.first())
        .unwrap_or(value)
}

/// The items of a list, which may stand below an element of that name, and be one without a list.
fn list<'a>(value: &'a Value, name: &str) -> Vec<&'a Value> {
    match value {
        Value::Array(items) => items.iter().filter(|item| item.is_object()).collect(),
        Value::Object(fields) => match verdict::field(fields, name) {
            Some(inner) => list(inner, name),
            None if fields.is_empty() => Vec::new(),
            None => vec![value],
        },
        _ => Vec::new(),
    }
}
