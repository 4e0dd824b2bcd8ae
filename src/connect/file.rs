//! A client's file: read whole, and replaced whole by a text that is checked.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use chrono::Utc;

use super::error::{ConnectError, Result};
use super::facts::Client;
use super::found::{Found, is_ours};
use super::places;
use crate::config::UserFolders;

/// A byte order mark, which some editors put before the text.
const MARK: &str = "\u{feff}";

/// The file of a client as it was read.
#[derive(Debug)]
pub struct ClientFile {
    client: &'static Client,
    /// Where it is, links followed.
    pub path: PathBuf,
    /// Nothing where there is no file.
    bytes: Option<Vec<u8>>,
    /// The text, without a byte order mark.
    text: String,
}

/// The entries for this server in the client's own file; nothing where that can't be read.
pub fn ours(client: &'static Client, folders: &UserFolders) -> Option<Vec<Found>> {
    let file = ClientFile::read(client, &places::file(client, folders)?);
    file.and_then(|file| file.ours()).ok()
}

impl ClientFile {
    /// Reads a file of that client's; one that does not exist is empty.
    pub fn read(client: &'static Client, path: &Path) -> Result<Self> {
        let unreadable = |problem: &str| fault(client, path, &format!("can't be read: {problem}"));
        let is_link = path.symlink_metadata().is_ok_and(|file| file.is_symlink());
        let (path, bytes) = match path.canonicalize() {
            Ok(path) => {
                let bytes = fs::read(&path).map_err(|error| unreadable(&error.to_string()))?;
                (path, Some(bytes))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !is_link => {
                (path.to_owned(), None)
            }
            Err(_) if is_link => return Err(unreadable("it is a link that leads nowhere")),
            Err(error) => return Err(unreadable(&error.to_string())),
        };
        let text = String::from_utf8(bytes.clone().unwrap_or_default());
        let text = text.map_err(|_| fault(client, &path, "is not UTF-8: save it anew so"))?;
        let text = text.strip_prefix(MARK).map(str::to_owned).unwrap_or(text);
        Ok(Self {
            client,
            path,
            bytes,
            text,
        })
    }

    /// All entries of the file, ours and others', in their order.
    pub fn entries(&self) -> Result<Vec<Found>> {
        let entries = self.client.entries(&self.text);
        entries.map_err(|ConnectError(problem)| self.fault(&problem))
    }

    /// Those of them that are for this server.
    pub fn ours(&self) -> Result<Vec<Found>> {
        let mut entries = self.entries()?;
        entries.retain(is_ours);
        Ok(entries)
    }

    /// Entries that stand where this client does not look, each with the key above it.
    pub fn entries_elsewhere(&self) -> Vec<(&'static str, Found)> {
        self.client.entries_elsewhere(&self.text)
    }

    /// The newest copy that was left beside a file when it was written here, if there is one.
    pub fn newest_copy(client: &'static Client, path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let beside = fs::read_dir(path.parent()?).ok()?.flatten();
        let is_copy = |other: &PathBuf| {
            let other = other.file_name().and_then(|other| other.to_str());
            let ending = other.and_then(|other| other.strip_prefix(name)?.strip_suffix(".bak"));
            ending.is_some_and(|time| time.starts_with('.'))
        };
        // The time in the name sorts as it went.
        let newest = beside.map(|file| file.path()).filter(is_copy).max()?;
        Self::read(client, &newest).ok()
    }

    /// The entry of that name.
    pub fn entry(&self, name: &str) -> Result<Option<Found>> {
        let mut entries = self.entries()?.into_iter();
        let entry = entries.find(|found| found.name == name);
        if entries.any(|found| found.name == name) {
            return Err(self.fault(&format!("has `{name}` twice: take one of them out")));
        }
        Ok(entry)
    }

    /// Replaces the file by what `edit` makes of its text; returns the path of the copy of the file as it was, if there was one.
    ///
    /// The new file is written beside the old one, with its mode, and renamed into its place.
    pub fn edit(
        &self,
        edit: impl FnOnce(&Client, &str) -> Result<String>,
    ) -> Result<Option<PathBuf>> {
        let text =
            edit(self.client, &self.text).map_err(|ConnectError(problem)| self.fault(&problem))?;
        let marked = self.bytes.as_deref().unwrap_or_default();
        let mark = if marked.starts_with(MARK.as_bytes()) {
            MARK
        } else {
            ""
        };
        let replaced = self.replace(&[mark, &text].concat());
        replaced
            .map_err(|error| self.fault(&format!("can't be written, and is as it was: {error}")))
    }

    fn replace(&self, text: &str) -> io::Result<Option<PathBuf>> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut new = tempfile::Builder::new();
        let mut new = new.prefix(".sevendigital-").tempfile_in(folder)?;
        new.write_all(text.as_bytes())?;
        let copy = if let Some(bytes) = &self.bytes {
            let permissions = self.path.metadata()?.permissions();
            if permissions.readonly() {
                return Err(io::Error::other("it is read-only"));
            }
            new.as_file().set_permissions(permissions)?;
            if fs::read(&self.path)? != *bytes {
                return Err(io::Error::other("it has just been changed: try again"));
            }
            Some(self.copy()?)
        } else {
            None
        };
        new.as_file().sync_all()?;
        if copy.is_some() {
            new.persist(&self.path)?;
        } else {
            new.persist_noclobber(&self.path)?;
        }
        Ok(copy)
    }

    /// A copy of the file beside it, named after the time.
    fn copy(&self) -> io::Result<PathBuf> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(Utc::now().format(".%Y%m%d-%H%M%S-%3f.bak").to_string());
        let copy = self.path.with_file_name(name);
        fs::copy(&self.path, &copy)?;
        Ok(copy)
    }

    fn fault(&self, problem: &str) -> ConnectError {
        fault(self.client, &self.path, problem)
    }
}

fn fault(client: &Client, path: &Path, problem: &str) -> ConnectError {
    let (title, path) = (client.title, path.display());
    ConnectError(format!("{title}'s file `{path}` {problem}"))
}
