//! Bytes that are no good request, and clients that are too slow: what becomes of them, and that nobody else notices.

// Requests in parts, and what comes back, byte by byte.
pub(crate) mod wire;

// How large a body may be, and what it is made of.
mod bodies;
// Thousands of bodies that were good once.
mod mutations;
// One message, in the right type, of the right version.
mod messages;
// What the headers say and what the body says is the same.
mod names;
// Where one request ends and the next begins.
mod framing;
// What other web pages send, to every port.
pub(crate) mod foreign;
// Addresses by which other web pages reach us.
mod hosts;
// Pages of other sites that the operator lets in.
mod allowed;
// Streams of events, and answers that don't wait.
mod streams;
// Clients that take their time.
pub(crate) mod slow;
// More connections than there may be.
mod crowd;
