//! What makes two calls the same: account and arguments, as digests.

use serde_json::{Value, json};
use sevendigital::{Client, Credentials};
use sevendigital_tools::tool::{Arguments, fields};

use crate::digest::{hex, sha256};

/// The user whom arguments name; a POST has them in its body.
pub(crate) fn named_user(arguments: &Arguments) -> Option<String> {
    match fields(arguments).get("userId")? {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// Every user whom arguments name, whatever the case of the name: 7digital may not tell `userid` from `userId`.
pub(crate) fn named_users(arguments: &Arguments) -> Vec<String> {
    let fields = arguments.iter().chain(fields(arguments));
    fields
        .filter(|(name, _)| name.eq_ignore_ascii_case("userId"))
        .map(|(_, value)| match value {
            Value::String(id) => id.clone(),
            other => other.to_string(),
        })
        .collect()
}

/// The account's digest: of the token, or of the key with the managed user's id, and of the API that they are for.
pub(crate) fn account(client: &Client, arguments: &Arguments) -> String {
    let credentials = client.credentials();
    let base = client.base_uri();
    let user = named_user(arguments)
        .or_else(|| credentials.user_id.clone())
        .unwrap_or_default();
    let consumer = credentials
        .consumer
        .as_ref()
        .map_or("", |consumer| consumer.key.expose());
    digest(&match &credentials.token {
        Some(token) => format!("{base}\0token\0{}", token.token.expose()),
        None => format!("{base}\0user\0{consumer}\0{user}"),
    })
}

/// Arguments with the defaults that are sent filled in, so that naming a default makes no other purchase of it.
pub(super) fn canonical(credentials: &Credentials, arguments: &Arguments) -> Value {
    let mut canonical = arguments.clone();
    if !canonical.contains_key("shopId") && !canonical.contains_key("country") {
        match (&credentials.country, &credentials.shop_id) {
            (Some(country), _) => canonical.insert("country".into(), json!(country)),
            (None, Some(shop)) => canonical.insert("shopId".into(), json!(shop)),
            (None, None) => None,
        };
    }
    if credentials.token.is_none() {
        // It is part of the account already, whether it was given or is the default.
        canonical.remove("userId");
    }
    Value::Object(canonical)
}

pub(super) fn digest(text: &str) -> String {
    let whole = sha256(text);
    let (half, _) = whole.split_at(16);
    hex(half)
}
