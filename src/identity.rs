//! Who calls, which tools they may call, and for which user.

pub use self::authenticator::{Door, caller, enter};
pub use self::caller::Caller;
pub use self::tool_filter::Choice;

pub mod access_token;
mod authenticator;
mod caller;
pub mod protected_resource;
mod signing_keys;
mod tool_filter;
pub mod user;
