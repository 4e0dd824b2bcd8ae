//! What every HTTP request passes, whatever surface it is for. [`stack`] lists the layers in order.

pub mod accept;
pub mod answers;
pub mod body;
pub mod cross_origin;
pub mod errors;
mod framing;
pub mod front_page;
pub mod health;
pub mod json;
pub mod listener;
pub mod metrics_page;
pub mod stack;
mod timeouts;
