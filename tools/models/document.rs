//! What stands around each payload.

use schemars::JsonSchema;

/// A whole answer: the payload with the envelope's attributes beside it.
#[derive(JsonSchema)]
pub struct Document<T> {
    /// `ok`; some answers leave it out.
    #[schemars(extend("x-unlisted" = true))]
    pub status: Option<String>,
    /// Version of the API, such as `1.2`.
    #[schemars(extend("x-unlisted" = true))]
    pub version: Option<String>,
    /// What was asked for.
    #[serde(flatten)]
    pub payload: T,
    /// What 7digital sent otherwise than it is described here: each with its `path`, and as `value` what came. Left out where everything fits.
    #[schemars(extend("x-unlisted" = true))]
    pub unexpected: Option<Vec<Unexpected>>,
}

/// A value that did not fit its field, beside its path: it may be of any type.
#[derive(JsonSchema)]
pub struct Unexpected {
    /// Where it stood, such as `locker.lockerReleases.lockerRelease[3].available`.
    pub path: String,
}

/// An answer that only says that it was done.
#[derive(JsonSchema)]
pub struct Done {}
