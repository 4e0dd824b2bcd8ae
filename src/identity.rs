//! Who calls, which tools they may use, and for which user.

pub use self::authenticator::Authenticator;
pub use self::caller::{Caller, check_user};
pub use self::protected_resource::ProtectedResource;
pub use self::tool_filter::ToolFilter;
pub use self::user::User;

mod access_token;
mod authenticator;
mod caller;
mod protected_resource;
mod signing_keys;
mod tool_filter;
mod user;
