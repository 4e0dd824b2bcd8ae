//! What arrives at 7digital, and what becomes of its answers.

// Rows of an answer and what comes of it; the server that they are played on.
mod answers;
// What the catalogue says of a purchase, and the price that is sent as a guard.
mod catalogue;
// Error envelopes: variants, codes, advice.
mod errors;
// Formats, envelopes and the traps between XML and JSON.
mod formats;
// The locker's further arguments, and how to turn its pages.
mod locker;
// Every documented field, answered otherwise than documented.
mod matrix;
// Each operation's answer as XML, as typed JSON and as JSON that was made of XML.
mod operations;
// Any bytes at all.
mod reader;
// Authorisation, clocks, rate limits; and what no failure shows.
mod refusals;
// What an answer says of a purchase or a change.
mod standing;
// Method, path, parameters, places and signatures of each tool's request.
pub(crate) mod wire;
