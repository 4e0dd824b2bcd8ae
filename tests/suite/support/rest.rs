//! Calls as REST has them.

use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::calls::tool;
use super::client::{Client, Header};
use super::reply::Reply;
use super::world::World;

pub(crate) const LOCKER: &str = "/v1/user/locker";
pub(crate) const BUY: &str = "/v1/user/purchase/item?releaseId=11700062";
pub(crate) const SELECT: &str = "/v1/user/payment/card/select";
pub(crate) const JSON: Header<'static> = ("content-type", "application/json");

/// A request to the REST surface.
pub(crate) async fn ask(
    world: &World,
    method: &str,
    target: &str,
    headers: &[Header<'_>],
    body: impl Into<Vec<u8>>,
) -> Reply {
    let reply = Client::of(world).send(method, target, headers, body).await;
    reply.unwrap()
}

pub(crate) async fn get(world: &World, target: &str, headers: &[Header<'_>]) -> Reply {
    ask(world, "GET", target, headers, "").await
}

/// A tool's call.
pub(crate) async fn call(
    world: &World,
    tool: &str,
    arguments: &Value,
    headers: &[Header<'_>],
) -> Reply {
    Client::of(world).rest_with(tool, arguments, headers).await
}

/// A tool's call: method, path with query, body.
pub(crate) fn request(name: &str, arguments: &Value) -> (&'static str, String, Vec<u8>) {
    let contract = tool(name).contract;
    let (mut path, method) = (contract.rest.to_owned(), contract.upstream.method.as_str());
    let (mut query, mut body) = (Serializer::new(String::new()), Vec::new());
    for (name, value) in arguments.as_object().unwrap() {
        let text = value.as_str().map(str::to_owned);
        let text = text.unwrap_or_else(|| value.to_string());
        let place = format!("{{{name}}}");
        if path.contains(&place) {
            path = path.replace(&place, &text);
        } else if name == "body" && method == "POST" {
            body = value.to_string().into_bytes();
        } else {
            query.append_pair(name, &text);
        }
    }
    let query = query.finish();
    let separator = if query.is_empty() { "" } else { "?" };
    (method, format!("{path}{separator}{query}"), body)
}
