//! What a call gives: a document, and what the headers around it said.

use std::convert::Infallible;

use serde::Serialize;

use crate::large::LargeAnswer;

/// A document, and what the headers around it said.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer<T> {
    /// What 7digital answered.
    pub document: T,
    /// The `Location` header, which card registration uses.
    pub location: Option<String>,
    /// Where the key stands in its quota.
    pub rate_limit: Option<RateLimit>,
    /// Held while the document is there, where it is large: only a few are at once.
    pub large: Option<LargeAnswer>,
}

impl<T> Answer<T> {
    /// An answer of that document, without headers.
    pub fn new(document: T) -> Self {
        Self {
            document,
            location: None,
            rate_limit: None,
            large: None,
        }
    }

    /// The same answer with what becomes of its document.
    pub fn try_map<U, E>(self, change: impl FnOnce(T) -> Result<U, E>) -> Result<Answer<U>, E> {
        Ok(Answer {
            document: change(self.document)?,
            location: self.location,
            rate_limit: self.rate_limit,
            large: self.large,
        })
    }

    /// The same answer with another document.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        let Ok(answer) = self.try_map(|document| Ok::<_, Infallible>(change(document)));
        answer
    }
}

/// 7digital's `X-RateLimit-*` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RateLimit {
    /// Requests per period.
    pub limit: u64,
    /// Requests used in this period.
    pub current: u64,
    /// Seconds until the period ends.
    pub reset: u64,
}
