//! One call, from arguments to outcome.

pub mod admission;
mod audit;
pub mod call;
pub mod confirmation;
mod fingerprint;
pub mod purchase;
mod rate_limits;
