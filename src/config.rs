//! Settings, each declared once: defaults, then a stored login, then a TOML file, then the environment, then flags. The only room that reads the environment.
//!
//! `settings` and `limits` declare, `table` makes the tables, `layers` and `environment` read what is given, `load` makes a [`Config`] of it.

pub use self::error::{ConfigError, Fault};
pub use self::flags::{Flags, HEADING};
pub use self::folders::{FOLDER_VARIABLES, System, UserFolders, is_open_to_others, state_folder};
pub use self::layers::Layers;
pub use self::limits::Limits;
pub(crate) use self::load::is_loopback;
pub use self::messages::nearest;
pub use self::origins::Origin;
pub use self::principals::Principal;
pub use self::proxies::Proxy;
pub use self::settings::{
    Config, ConfirmWay, HintSet, LOOPBACK, LogFormat, Spending, SpendingLimits,
};
pub use self::table::{LIMITS, SETTINGS, Setting};
pub use self::text::decoded;

mod environment;
mod error;
mod flags;
mod folders;
mod layers;
mod limits;
mod load;
mod messages;
mod origins;
pub mod own_file;
mod principals;
mod private_file;
mod proxies;
mod secret_command;
mod service_links;
mod settings;
pub mod stored_login;
mod table;
mod text;
mod values;
