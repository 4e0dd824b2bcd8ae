//! MCP, over HTTP and stdio: the tools as clients see them, and calls as they make them.

pub mod server;
pub mod sessions;
pub mod validation;
