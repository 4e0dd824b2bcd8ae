//! A client for 7digital's API, in phases: serialize, sign, transmit, read.
#![doc = include_str!("README.md")]

pub mod answer;
pub mod base_uri;
pub mod builder;
pub mod client;
pub mod credentials;
pub mod echo;
pub mod endpoint;
pub mod error;
pub mod error_code;
pub mod limits;
pub mod login;
pub mod oauth;
pub mod parameters;
pub mod picture;
pub mod probe;
pub mod refusal;
pub mod reply;
pub mod response;
pub mod signing;
pub mod text;
pub mod verdict;

mod charset;
mod circuit_breaker;
mod connection;
mod contradiction;
mod headers;
mod json;
mod large;
mod pools;
mod retry;
mod retry_budget;
mod xml;

#[cfg(test)]
mod upstream;

pub use answer::{Answer, RateLimit};
pub use base_uri::{BaseUri, BaseUriError};
pub use builder::{BuildError, ClientBuilder};
pub use client::Client;
pub use connection::platform_tls;
pub use credentials::{Consumer, Credentials, Secret, Token};
pub use endpoint::{Auth, Effect, Endpoint, Method};
pub use error::{
    ConnectError, Delivery, Draft, Error, Interruption, InvalidParameter, Refusal, Unreadable,
};
pub use error_code::Repeat;
pub use large::LargeAnswer;
pub use limits::Limits;
pub use picture::Picture;
pub use probe::{Answered, Probe};
pub use signing::Placement;
