//! The protocol itself: both eras over HTTP, stdio, sessions, and how the server ends.

mod http;
mod pages;
mod progress;
mod sessions;
mod shutdown;
pub(crate) mod stdio;
