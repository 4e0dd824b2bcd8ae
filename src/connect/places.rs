//! Where the clients keep their files, on each system.

use std::fs;
use std::path::{Path, PathBuf};

use super::facts::{Base, Client, Place};
use crate::config::{System, UserFolders};

/// Where the client's file may be: the first is where a new client looks, the later ones are older or out of its sight.
pub fn files(client: &Client, folders: &UserFolders) -> Vec<PathBuf> {
    let places = &client.places;
    let own = match folders.system {
        System::Linux => places.linux,
        System::MacOs => places.mac,
        System::Windows => places.windows,
    };
    let places = || places.any.iter().chain(own);
    let named = places().find_map(|place| match place {
        Place(Base::Variable(name), path) => Some(below(folders.variable(name)?, path)),
        _ => None,
    });
    named.map_or_else(
        || places().flat_map(|place| paths(place, folders)).collect(),
        |file| vec![file],
    )
}

/// The file to write: the first that exists, else the first whose folder does, else the first.
pub fn file(client: &Client, folders: &UserFolders) -> Option<PathBuf> {
    let files = files(client, folders);
    let exists = files.iter().find(|file| file.exists());
    let in_folder = || files.iter().find(|file| has_folder(file, folders));
    exists.or_else(in_folder).or(files.first()).cloned()
}

/// Whether the client has left a trace on this machine: its file, or the folder for it.
pub fn is_installed(client: &Client, folders: &UserFolders) -> bool {
    let files = files(client, folders);
    let mut files = files.iter();
    files.any(|file| file.exists() || has_folder(file, folders))
}

/// That the home is there says nothing of a client.
fn has_folder(file: &Path, folders: &UserFolders) -> bool {
    let folder = file.parent().filter(|folder| *folder != folders.home);
    folder.is_some_and(Path::is_dir)
}

fn paths(Place(base, path): &Place, folders: &UserFolders) -> Vec<PathBuf> {
    let home = |path: &str| folders.home.join(path);
    let folder = match base {
        Base::Home => folders.home.clone(),
        Base::ConfigHome => config_home(folders),
        Base::FlatpakConfigHome => {
            let flatpak = folders.variable("FLATPAK_XDG_CONFIG_HOME");
            flatpak.unwrap_or_else(|| config_home(folders))
        }
        Base::ApplicationSupport => home("Library/Application Support"),
        Base::AppData => {
            let roaming = folders.variable("APPDATA");
            roaming.unwrap_or_else(|| home("AppData/Roaming"))
        }
        Base::Package(name) => {
            let packages = packages(name, folders).into_iter();
            return packages.map(|folder| below(folder, path)).collect();
        }
        Base::Variable(_) => return Vec::new(),
    };
    vec![below(folder, path)]
}

fn config_home(folders: &UserFolders) -> PathBuf {
    let folder = folders.variable("XDG_CONFIG_HOME");
    folder.unwrap_or_else(|| folders.home.join(".config"))
}

/// The redirected `APPDATA` of each package that is installed.
fn packages(name: &str, folders: &UserFolders) -> Vec<PathBuf> {
    let local = folders.variable("LOCALAPPDATA");
    let local = local.unwrap_or_else(|| folders.home.join("AppData/Local"));
    let packages = fs::read_dir(local.join("Packages"));
    let packages = packages.into_iter().flatten().flatten();
    let named = packages.filter(|package| package.file_name().to_string_lossy().starts_with(name));
    let roaming = named.map(|package| package.path().join("LocalCache/Roaming"));
    let mut found: Vec<PathBuf> = roaming.filter(|folder| folder.is_dir()).collect();
    found.sort();
    found
}

/// Joining an empty path would end the path with a separator.
fn below(folder: PathBuf, path: &str) -> PathBuf {
    if path.is_empty() {
        folder
    } else {
        folder.join(path)
    }
}
