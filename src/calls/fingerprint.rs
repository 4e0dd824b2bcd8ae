//! What makes two calls the same: account and arguments, as digests.

use serde_json::{Value, json};
use sevendigital::{Client, Credentials};
use sevendigital_tools::Arguments;

use crate::digest::{hex, sha256};

/// The account's digest: of the token, or of the key with the managed user's id, and of the API that they are for.
pub(crate) fn account(client: &Client, named: Option<&str>) -> String {
    let credentials = client.credentials();
    let base = client.base_uri();
    let user = named.or(credentials.user_id.as_deref()).unwrap_or_default();
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
