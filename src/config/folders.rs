//! The folders that are this program's own, as the platform has them. The working folder is none: whoever starts the server chooses it.

use std::path::PathBuf;

use directories::ProjectDirs;

/// Where a user's own settings are read from, and where `login` stores a token.
pub(super) fn config_folder() -> Option<PathBuf> {
    Some(own()?.config_dir().to_owned())
}

/// Where the ledger is kept unless the settings say otherwise.
///
/// On Windows it is not in AppData: a packaged app that starts this server gets an AppData of its own,
/// so that its purchases would be in another ledger than those of the shell.
#[cfg(windows)]
pub fn state_folder() -> Option<PathBuf> {
    let user = directories::UserDirs::new()?;
    Some(user.home_dir().join(".sevendigital-mcp"))
}

/// Where the ledger is kept unless the settings say otherwise.
#[cfg(not(windows))]
pub fn state_folder() -> Option<PathBuf> {
    let own = own()?;
    Some(own.state_dir().unwrap_or(own.data_local_dir()).to_owned())
}

/// Nothing where neither the environment nor the system names a home.
fn own() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "sevendigital-mcp")
}
