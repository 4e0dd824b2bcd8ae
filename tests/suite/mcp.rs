//! The protocol itself: both eras over HTTP, stdio, sessions, and how the server ends.

mod http;
// Lines on stdin that are no good messages.
mod lines;
// What clients of the older revisions must not meet.
mod older;
mod pages;
mod progress;
mod prompts;
mod resources;
mod sessions;
mod shutdown;
pub(crate) mod stdio;
// What an error says to who has sent something else than it should.
mod words;
