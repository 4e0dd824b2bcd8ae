//! The ledger's folder: files that only their owner can read, and locks that say which processes live.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) fn alive_file(folder: &Path, owner: &str) -> PathBuf {
    folder.join(format!("{owner}.alive"))
}

/// Where a path really leads: from the root on, and behind links and redirections as far as the file exists.
pub(super) fn real(path: &Path) -> PathBuf {
    let real = path.canonicalize().or_else(|_| std::path::absolute(path));
    let real = real.unwrap_or_else(|_| path.to_owned());
    // Windows puts this before the paths that it has resolved.
    let plain = real.to_str().and_then(|path| path.strip_prefix(r"\\?\"));
    plain.map(PathBuf::from).unwrap_or(real)
}

/// Removes the lock files of processes that died. A young file may belong to a process that is about to lock it.
pub(super) fn sweep(folder: &Path) {
    let young = |file: &File| {
        let changed = file.metadata().and_then(|data| data.modified());
        changed.is_ok_and(|at| at.elapsed().unwrap_or_default() < Duration::from_secs(60))
    };
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in files.map(|file| file.path()) {
        if path.extension().is_some_and(|ending| ending == "alive")
            && File::open(&path).is_ok_and(|file| !young(&file) && file.try_lock().is_ok())
        {
            let _ = fs::remove_file(path);
        }
    }
}

/// A folder that only its owner can use; one that others can is corrected, unless all the machine shares it.
pub(super) fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(folder)?.permissions().mode();
        if mode & 0o1000 != 0 {
            return Err(io::Error::other(
                "all users share this folder: choose one of its own",
            ));
        }
        if mode & 0o077 != 0 {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
    }
    Ok(())
}

/// A file that only its owner may read, from its first byte; SQLite's own files beside it take after it. A symbolic link is refused.
pub(super) fn private_file(path: &Path) -> io::Result<File> {
    if fs::symlink_metadata(path).is_ok_and(|data| data.is_symlink()) {
        return Err(io::Error::other("a symbolic link stands in its place"));
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(file)
}

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct FileId(u64, u64);

impl FileId {
    #[cfg(unix)]
    pub(super) fn new(data: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self(data.dev(), data.ino())
    }

    /// Elsewhere a file that is open can't be moved.
    #[cfg(not(unix))]
    pub(super) fn new(_: &fs::Metadata) -> Self {
        Self(0, 0)
    }

    /// Of the file at a path, if there is one.
    pub(super) fn at(path: &Path) -> Option<Self> {
        Some(Self::new(&fs::metadata(path).ok()?))
    }
}
