//! The protocol itself: both eras over HTTP, stdio, sessions, and how the server ends.

mod http;
mod progress;
mod sessions;
mod shutdown;
pub(crate) mod stdio;
