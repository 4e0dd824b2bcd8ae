//! What every HTTP request passes, whatever surface it is for.

pub mod body;
pub mod cross_origin;
pub mod errors;
mod framing;
pub mod health;
pub mod json;
pub mod listener;
mod timeouts;
