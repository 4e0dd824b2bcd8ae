//! Resources: what a host can show or attach without a call of a tool. The account, its receipts, the table of errors, and items of 7digital's catalogue.

use std::fmt::Write as _;

use percent_encoding::percent_decode_str;
use rmcp::ErrorData;
use rmcp::model::{CacheScope, ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde_json::{Value, json};
use sevendigital::error_code;
use sevendigital_tools::Item;
use sevendigital_tools::catalogue::{Amount, Listing};
use sevendigital_tools::values::{Id, Price, Text};

use super::result;
use crate::calls::{Account, Calls, Viewer};
use crate::identity::Caller;
use crate::ledger::{Entry, LimitUse, moment};
use crate::problem::{KINDS, Kind, Problem};
use crate::telemetry::request_id::RequestId;

const SCHEME: &str = "sevendigital://";
const ACCOUNT: &str = "sevendigital://account";
const ERRORS: &str = "sevendigital://errors";
const LEDGER: &str = "sevendigital://ledger";
const JSON: &str = "application/json";
const MARKDOWN: &str = "text/markdown";

/// How long clients may keep the table of errors, and an item of the catalogue.
const ERRORS_TTL_MS: u64 = 3_600_000;
const ITEM_TTL_MS: u64 = 60_000;

/// URI, name, title, description, media type.
type Described = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const RESOURCES: [Described; 3] = [
    (ACCOUNT, "account", "Account", "Whose account calls are for, its country and currency, and what is left of the spending limits.", JSON),
    (ERRORS, "errors", "Error codes", "What each kind of error and each of 7digital's codes means.", MARKDOWN),
    (LEDGER, "ledger", "Receipts", "What this account has bought here, newest first: item, price, state, purchase id.", JSON),
];

#[rustfmt::skip]
const TEMPLATES: [Described; 3] = [
    ("sevendigital://releases/{releaseId}", "release", "Release", "Title, artist and price of an album or single.", JSON),
    ("sevendigital://tracks/{trackId}", "track", "Track", "Title, artist and price of a track.", JSON),
    ("sevendigital://baskets/{basketId}", "basket", "Basket", "What is in a basket, and what is due for it.", JSON),
];

/// What a URI names.
enum Named {
    Errors,
    Account,
    Ledger,
    Item(Item),
}

impl Named {
    fn parse(uri: &str) -> Option<Self> {
        match uri {
            ERRORS => return Some(Self::Errors),
            ACCOUNT => return Some(Self::Account),
            LEDGER => return Some(Self::Ledger),
            _ => {}
        }
        let (kind, id) = uri.strip_prefix(SCHEME)?.split_once('/')?;
        let id = percent_decode_str(id).decode_utf8().ok()?;
        let id = Id::try_from(Text(id.into_owned())).ok()?;
        Some(Self::Item(match kind {
            "releases" => Item::Release(id),
            "tracks" => Item::Track {
                track: id,
                release: None,
            },
            "baskets" => Item::Basket(id),
            _ => return None,
        }))
    }
}

/// Whether a URI is for everybody, as the table of errors is.
pub(super) fn is_open(uri: &str) -> bool {
    uri == ERRORS
}

/// What the caller may read.
pub(super) fn list(caller: &Caller) -> Vec<Resource> {
    let seen = RESOURCES.iter();
    let seen = seen.filter(|(uri, ..)| caller.may_look() || is_open(uri));
    let resource = |(uri, name, title, description, kind): &Described| {
        Resource::new(*uri, *name)
            .with_title(*title)
            .with_description(*description)
            .with_mime_type(*kind)
    };
    seen.map(resource).collect()
}

/// The templates of what the caller may read.
pub(super) fn templates(caller: &Caller) -> Vec<ResourceTemplate> {
    let seen = TEMPLATES.iter().filter(|_| caller.may_look());
    let template = |(uri, name, title, description, kind): &Described| {
        ResourceTemplate::new(*uri, *name)
            .with_title(*title)
            .with_description(*description)
            .with_mime_type(*kind)
    };
    seen.map(template).collect()
}

/// Reads a resource. What a caller may not read is not there for it.
pub(super) async fn read(
    calls: &Calls,
    viewer: Viewer,
    uri: &str,
) -> Result<ReadResourceResult, ErrorData> {
    let id = viewer.context.id.clone();
    let seen = is_open(uri) || viewer.caller.may_look();
    let Some(named) = Named::parse(uri).filter(|_| seen) else {
        return Err(not_found(&viewer.caller, &id));
    };
    let (ttl_ms, scope, kind) = match named {
        Named::Errors => (ERRORS_TTL_MS, CacheScope::Public, MARKDOWN),
        Named::Item(_) => (ITEM_TTL_MS, CacheScope::Private, JSON),
        Named::Account | Named::Ledger => (0, CacheScope::Private, JSON),
    };
    match text(calls, viewer, named).await {
        Ok(text) => {
            let contents = ResourceContents::text(text, uri).with_mime_type(kind);
            let result = ReadResourceResult::new(vec![contents]);
            Ok(result.with_ttl_ms(ttl_ms).with_cache_scope(scope))
        }
        Err(problem) if problem.kind == Kind::NotForSale => {
            let data = result::request_data(&id);
            Err(ErrorData::resource_not_found(problem.detail(), Some(data)))
        }
        Err(problem) => {
            tracing::warn!(request_id = %id, "a resource could not be read: {}", problem.what);
            Err(result::error_data(&problem, &id))
        }
    }
}

async fn text(calls: &Calls, viewer: Viewer, named: Named) -> Result<String, Problem> {
    Ok(match named {
        Named::Errors => errors(),
        Named::Account => account(&calls.account(viewer).await?).to_string(),
        Named::Ledger => receipts(&calls.receipts(viewer).await?).to_string(),
        Named::Item(item) => {
            let listed = calls.listing(viewer, &item, None).await?;
            listing(&item, &listed).to_string()
        }
    })
}

/// An item as a block of a prompt: its address, and what the catalogue says of it in that country; none where it can't be read.
pub(super) async fn embedded(
    calls: &Calls,
    viewer: Viewer,
    item: Item,
    country: Option<String>,
) -> Option<ResourceContents> {
    let (kind, id) = match &item {
        Item::Release(id) => ("releases", id),
        Item::Track { track, .. } => ("tracks", track),
        Item::Basket(id) => ("baskets", id),
        Item::PaymentCard(_) => return None,
    };
    let uri = format!("{SCHEME}{kind}/{}", id.as_str());
    let listed = calls.listing(viewer, &item, country).await.ok()?;
    let text = listing(&item, &listed).to_string();
    Some(ResourceContents::text(text, uri).with_mime_type(JSON))
}

fn not_found(caller: &Caller, id: &RequestId) -> ErrorData {
    let there = list(caller).into_iter().map(|resource| resource.uri);
    let templates = templates(caller).into_iter();
    let there = there.chain(templates.map(|template| template.uri_template));
    let there: Vec<String> = there.map(|uri| format!("`{uri}`")).collect();
    // The URI is not shown: it may hold anything, and errors stand in logs.
    let why = format!(
        "there is no such resource for this caller; there is {}",
        there.join(", ")
    );
    ErrorData::resource_not_found(why, Some(result::request_data(id)))
}

fn account(account: &Account) -> Value {
    let limit = |used: &LimitUse| {
        let (name, limit, left) = (used.name, used.limit, used.left(account.currency));
        json!({"name": name, "limit": limit, "used": used.used, "left": left})
    };
    let limits: Vec<Value> = account.limits.iter().map(limit).collect();
    without_nulls([
        ("user", json!(account.user)),
        ("country", json!(account.country)),
        ("shopId", json!(account.shop_id)),
        ("currency", json!(account.currency)),
        ("spending", json!(account.spending.as_str())),
        ("maxPrice", json!(account.max_price)),
        ("limits", json!(limits)),
    ])
}

fn receipts(entries: &[Entry]) -> Value {
    let receipt = |entry: &Entry| {
        let currency = entry.currency.as_deref();
        let shown = entry.price.map(|price| Price::amount(price, currency));
        without_nulls([
            ("charge", json!(entry.id)),
            ("item", json!(entry.item)),
            ("title", json!(entry.title)),
            ("price", json!(shown)),
            ("state", json!(entry.state)),
            ("started", json!(moment(entry.started))),
            ("ended", json!(entry.ended.map(moment))),
            ("purchaseId", json!(entry.purchase_id)),
            ("code", json!(entry.code)),
            ("tool", json!(entry.tool)),
        ])
    };
    let receipts: Vec<Value> = entries.iter().map(receipt).collect();
    json!({"receipts": receipts})
}

fn listing(item: &Item, listed: &Listing) -> Value {
    let price = |amount: Option<&Amount>| amount.map(ToString::to_string);
    let minor_units = listed.price.as_ref().and_then(Amount::minor_units);
    without_nulls([
        ("item", json!(item.to_string())),
        ("title", json!(listed.title)),
        ("artist", json!(listed.artist)),
        ("kind", json!(listed.kind.to_string())),
        ("release", json!(listed.release)),
        ("contents", json!(listed.contents)),
        ("explicit", json!(listed.explicit.then_some(true))),
        ("cover", json!(listed.cover)),
        ("preOrder", json!(listed.pre_order)),
        ("price", json!(price(listed.price.as_ref()))),
        ("priceInMinorUnits", json!(minor_units)),
        (
            "recommendedRetailPrice",
            json!(price(listed.list_price.as_ref())),
        ),
    ])
}

/// An object without what is null or an empty list.
fn without_nulls<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let said = fields.into_iter();
    let said = said.filter(|(_, value)| !value.is_null() && *value != json!([]));
    said.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The kinds of error of this server, and 7digital's codes, as two tables.
fn errors() -> String {
    let mut text =
        "# Errors of this server\n\n| type | HTTP | JSON-RPC | what |\n|---|---|---|---|\n"
            .to_owned();
    for spec in KINDS {
        let (uri, status, code, title) = (spec.kind.uri(), spec.status, spec.rpc_code, spec.title);
        // Writing to a String does not fail.
        let _ = writeln!(text, "| `{uri}` | {status} | {code} | {title} |");
    }
    text.push_str("\n# 7digital's codes\n\n| code | what | what to do |\n|---|---|---|\n");
    for (code, meaning) in error_code::documented() {
        let _ = writeln!(text, "| {code} | {} | {} |", meaning.what, meaning.advice);
    }
    text
}
