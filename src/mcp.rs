//! MCP over HTTP and stdio, in every protocol revision: tools, prompts and resources as clients see them, and calls as they make them.

mod accept;
mod completions;
mod elicitation;
mod hosts;
mod introduction;
mod lines;
mod message;
mod pages;
mod progress;
mod prompts;
mod resources;
mod result;
pub mod router;
mod server;
mod session_manager;
mod sessions;
mod shape;
pub mod stdio;
mod streams;
pub mod tool_list;
