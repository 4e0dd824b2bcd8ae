//! What came off the wire, and what its status says where there is no document.

use std::fmt;
use std::time::Duration;

use crate::echo::Sent;
use crate::error::{Error, Unreadable};
use crate::text::quotable;

/// An answer as it came off the wire. Its `Debug` shows no body: links in it are keys to files.
#[derive(Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The `Content-Type` header; empty without one.
    pub content_type: String,
    /// How long 7digital asks to wait before the next call.
    pub retry_after: Option<Duration>,
    /// Seconds by which our clock is ahead of the `Date` header.
    pub clock_ahead: Option<i64>,
    /// What the request held.
    pub sent: Sent,
    /// The body.
    pub body: Vec<u8>,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Reply");
        shown.field("status", &self.status);
        shown.field("bytes", &self.body.len());
        shown.finish_non_exhaustive()
    }
}

/// What a status says on its own, where there is no envelope.
pub(crate) fn by_status(reply: &Reply) -> Option<Error> {
    let retry_after = reply.retry_after;
    match reply.status {
        429 => Some(Error::Throttled { retry_after }),
        401 | 403 => Some(unauthorised(reply, "")),
        status @ (404 | 410) => Some(Error::Unreadable(Unreadable::NotFound(status))),
        status @ 500..=599 => Some(Error::Unavailable {
            status,
            retry_after,
        }),
        status @ 400..=499 => Some(Error::Unreadable(Unreadable::Unexplained(status))),
        200..=299 => None,
        status @ 300..=399 => Some(Error::Unreadable(Unreadable::Redirect(status))),
        status => Some(Error::Unreadable(Unreadable::Status(status))),
    }
}

/// Whether a text speaks of a rate limit; "unlimited" does not.
pub(crate) fn speaks_of_limit(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| {
        ["limit", "limits", "throttled"]
            .iter()
            .any(|limit| word.eq_ignore_ascii_case(limit))
    })
}

/// A refusal of the signature, the token or the key's rights, or of too many requests: 7digital words both so.
pub(crate) fn unauthorised(reply: &Reply, text: &str) -> Error {
    if speaks_of_limit(text) {
        return Error::Throttled {
            retry_after: reply.retry_after,
        };
    }
    Error::Unauthorised {
        message: quotable(text),
        clock_ahead: reply.clock_ahead.filter(|seconds| seconds.abs() > 120),
    }
}
