//! Bytes that are no good request, foreign pages, and clients that are too slow: what becomes of them, and that no other client is affected.

// Good requests that a test spoils.
mod requests;

// What a client takes as an answer.
mod accepts;
// Pages of other sites that the operator lets in.
mod allowed;
// How large a body may be, and what it is made of.
mod bodies;
// More connections than there may be.
mod crowd;
// What other web pages send, to every port.
pub(crate) mod foreign;
// What stands at the root.
mod front;
// Where one request ends and the next begins.
mod framing;
// Addresses by which other web pages reach us.
mod hosts;
// One message, in the right type, of the right version.
mod messages;
// Thousands of bodies that were good once.
mod mutations;
// What the headers say and what the body says is the same.
mod names;
// Clients that take their time.
pub(crate) mod slow;
// Streams of events, and answers that don't wait.
mod streams;
