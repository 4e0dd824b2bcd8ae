//! The folders that are this program's own, as the platform has them. The working folder is none: whoever starts the server chooses it.

use std::ffi::OsString;
use std::fs::Metadata;
use std::path::PathBuf;

use directories::{BaseDirs, ProjectDirs};

/// Where a user's own settings are read from, and where `login` stores a token.
pub(super) fn config_folder() -> Option<PathBuf> {
    Some(own()?.config_dir().to_owned())
}

/// Where other programs are started: in the user's config folder, else in the home, else at the root.
pub(super) fn quiet_folder() -> PathBuf {
    let home = || Some(BaseDirs::new()?.home_dir().to_owned());
    let folders = [config_folder(), home()].into_iter().flatten();
    let mut folders = folders.filter(|folder| folder.is_absolute() && folder.is_dir());
    folders.next().unwrap_or_else(|| "/".into())
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

/// The operating systems on which MCP clients are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Linux, and what is like it.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

/// Where other programs of this user keep their files.
#[derive(Debug, Clone)]
pub struct UserFolders {
    /// Decides which folders are meant.
    pub system: System,
    /// The user's home.
    pub home: PathBuf,
    /// Those of [`FOLDER_VARIABLES`] that are set.
    pub variables: Vec<(String, OsString)>,
}

/// The environment variables that move folders.
pub const FOLDER_VARIABLES: [&str; 8] = [
    "APPDATA",
    "CLAUDE_CONFIG_DIR",
    "CLINE_MCP_SETTINGS_PATH",
    "CODEX_HOME",
    "FLATPAK_XDG_CONFIG_HOME",
    "LOCALAPPDATA",
    "MCP_CATALOG_PATH",
    "XDG_CONFIG_HOME",
];

impl UserFolders {
    /// The folders of this process' user; nothing where neither the environment nor the system names a home.
    pub fn of_process() -> Option<Self> {
        let system = match std::env::consts::OS {
            "macos" => System::MacOs,
            "windows" => System::Windows,
            _ => System::Linux,
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "this room is the one that reads the environment"
        )]
        let variables = FOLDER_VARIABLES
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), std::env::var_os(name)?)))
            .collect();
        Some(Self {
            system,
            home: BaseDirs::new()?.home_dir().to_owned(),
            variables,
        })
    }

    /// The folder or file that a variable names. An empty one counts as not set.
    pub fn variable(&self, name: &str) -> Option<PathBuf> {
        let mut variables = self.variables.iter();
        let (_, value) = variables.find(|(known, value)| known == name && !value.is_empty())?;
        Some(value.into())
    }
}

/// Whether other users of this machine may read or change a file or folder.
#[cfg(unix)]
pub fn is_open_to_others(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    metadata.mode() & 0o077 != 0
}

/// Elsewhere the user's profile folder is closed to others as a whole.
#[cfg(not(unix))]
pub fn is_open_to_others(_: &Metadata) -> bool {
    false
}
