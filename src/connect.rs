//! The MCP clients that can start this server: where each keeps its file, what an entry of ours looks like there, how it gets in and out.
//!
//! `clients` is the table of facts, `places` finds the files, `entry` makes an entry, `text` edits by `json` and `toml`, `file` reads and writes.
//! An edit adds, replaces or removes one piece of the text: all that is not ours stays as it is, byte for byte.

pub use self::clients::{CLIENTS, find};
pub use self::entry::{Entry, NAME, SANDBOX_NAME, Server, Transport};
pub use self::error::ConnectError;
pub use self::facts::{Client, Syntax};
pub use self::file::{ClientFile, ours};
pub use self::found::{Found, is_ours};
pub use self::links::link;
pub use self::places::{file, files, is_installed};

mod clients;
mod entry;
mod error;
mod facts;
mod file;
mod found;
mod json;
mod links;
mod places;
mod text;
mod toml;
