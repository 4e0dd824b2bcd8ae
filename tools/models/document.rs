//! What stands around each payload, and what it may hold beside the fields that are described.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_with::skip_serializing_none;

use crate::values::Text;

/// Fields that are not described here.
pub type More = Map<String, Value>;

/// A whole answer: the payload with the envelope's attributes beside it.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Document<T> {
    /// `ok`; some answers leave it out.
    pub status: Option<Text>,
    /// Version of the API, such as `1.2`.
    pub version: Option<Text>,
    /// What was asked for.
    #[serde(flatten)]
    pub payload: T,
    /// Anything else.
    #[serde(flatten)]
    pub more: More,
}

/// An answer that only says that it was done.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Done {}
