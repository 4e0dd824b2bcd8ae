//! The record of a request that arrived.

use crate::oauth::{Signature, oauth_parameters};
use crate::request::find;

/// One request that arrived, and how it was answered.
///
/// What browsers send to the sandbox's own web pages is recorded without form and body,
/// and a body that is too long or breaks off is not recorded at all.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The HTTP method.
    pub method: String,
    /// The request target exactly as sent.
    pub target: String,
    /// The path of the target, still encoded.
    pub path: String,
    /// The query, decoded, in the order it came.
    pub query: Vec<(String, String)>,
    /// The form fields of the body, decoded, in the order they came.
    pub form: Vec<(String, String)>,
    /// The body as sent.
    pub body: String,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The operation as the capability spec names it, such as `getUserLocker`; for the OAuth
    /// endpoints `requestToken`, `authoriseRequestToken` and `accessToken`.
    pub operation: Option<&'static str>,
    /// The result of the signature check.
    pub signature: Signature,
    /// The HTTP status of the answer; 0 where a fault withheld the answer.
    pub status: u16,
}

impl Arrival {
    /// A parameter from the query or the form, by its exact name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        find(&self.query, name).or_else(|| find(&self.form, name))
    }

    /// Every `oauth_` parameter of header, query and form, in that order, duplicates included.
    pub fn oauth(&self) -> Vec<(String, String)> {
        oauth_parameters(&self.headers, &self.query, &self.form)
    }
}
