//! A file that its owner alone can read, replaced whole or not at all.

use std::fs::DirBuilder;
use std::io::{self, Write as _};
use std::path::Path;

/// Puts a file in place of the one before. It is never readable by others, not even while it is written.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent();
    let folder = folder.ok_or_else(|| io::Error::other("the path has no folder"))?;
    let mut private = DirBuilder::new();
    private.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut private, 0o700);
    private.create(folder)?;
    // Created with mode 0600, and removed again if anything fails before it has its name.
    let mut file = tempfile::Builder::new();
    let mut file = file.prefix(".sevendigital-mcp-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
