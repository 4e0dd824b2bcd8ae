//! A read on the side, for what a question or the ledger needs to know.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sevendigital::{Client, Endpoint, Error, Unreadable};

use crate::error::ToolError;
use crate::shape;

/// Reads an operation's document, in its shape, into a type.
pub(crate) async fn look_up<T: DeserializeOwned + JsonSchema + 'static>(
    client: &Client,
    upstream: &Endpoint,
    input: &(impl Serialize + Sync),
) -> Result<T, ToolError> {
    let mut document = client.call(upstream, input).await?.document;
    shape::fit::<T>(&mut document);
    let read = serde_json::from_value(Value::Object(document));
    read.map_err(|_| Error::Unreadable(Unreadable::Shape).into())
}
