//! The whole sandbox, over real bytes on a real port.

// A client with a signer of its own.
mod harness;
// Each operation in both formats; errors; what arrivals record.
mod answers;
// What the catalogue says of what can be bought.
mod catalogue;
// What each fault does to a call.
mod faults;
// Lockers: pages, sorting, filters.
mod locker;
// The ways to an access token.
mod login;
// Signatures.
mod oauth;
// Buying, and payment cards.
mod purchases;
// Accounts and subscriptions.
mod users;
