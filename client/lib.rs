//! A client for 7digital's API.
//!
//! It signs (OAuth 1.0a), sends, and reads answers; it knows HTTP and OAuth and no single operation.
//! An operation is described by an [`Endpoint`] that its caller owns, so that method, path, legs and effect stand beside the code that uses them.
//!
//! Reading order: [`endpoint`] (what is called), [`credentials`] (as whom), [`oauth`] (how it is signed),
//! [`request`] (what goes out), [`client`] (sending), [`limits`] (within what bounds), [`response`] (what comes back), [`error`], [`login`] (how a user lets us in).

pub mod client;
pub mod credentials;
pub mod endpoint;
pub mod error;
pub mod limits;
pub mod login;
pub mod oauth;
pub mod request;
pub mod response;

mod breaker;
mod exchange;
mod retry;
mod xml;

// An upstream in raw TCP.
#[cfg(test)]
mod upstream;

pub use client::{Answer, Client, RateLimit};
pub use credentials::{BaseUri, Consumer, Credentials, Placement, Secret, Token};
pub use endpoint::{Auth, Effect, Endpoint, Method};
pub use error::{Error, Interruption, Repeat, Sent};
pub use limits::Limits;
