//! What the system says of a path. Nothing is created or changed for it.

use std::io;
use std::path::Path;

use crate::config;

/// The path itself, or the nearest folder above it that exists.
pub(super) fn existing(path: &Path) -> &Path {
    let found = path.ancestors().find(|path| path.exists());
    found.unwrap_or(path)
}

/// Whether other users of this machine may read or change a file or folder that is there.
pub(super) fn is_open_to_others(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|data| config::is_open_to_others(&data))
}

/// Whether all users of the machine share a folder, as they do `/tmp`.
#[cfg(unix)]
pub(super) fn is_shared_by_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|data| data.permissions().mode() & 0o1000 != 0)
}

/// Elsewhere there is no such mark.
#[cfg(not(unix))]
pub(super) fn is_shared_by_all(_: &Path) -> bool {
    false
}

/// Whether this process may create files in a folder, by what the system says.
#[cfg(unix)]
pub(super) fn may_write(folder: &Path) -> io::Result<()> {
    use rustix::fs::{Access, access};
    Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Elsewhere the mark on the folder is all that can be asked without trying.
#[cfg(not(unix))]
pub(super) fn may_write(folder: &Path) -> io::Result<()> {
    if folder.metadata()?.permissions().readonly() {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    Ok(())
}

/// Bytes that this user may still write there, where the system says it.
#[cfg(unix)]
pub(super) fn free_space(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Elsewhere it is not asked.
#[cfg(not(unix))]
pub(super) fn free_space(_: &Path) -> Option<u64> {
    None
}

/// A storage that is not the place for what must be kept, where the path is on one.
#[cfg(target_os = "linux")]
pub(super) fn poor_storage(path: &Path) -> Option<&'static str> {
    let found = rustix::fs::statfs(path).ok()?;
    poor(u64::try_from(found.f_type).ok()?)
}

/// Elsewhere the path alone tells.
#[cfg(not(target_os = "linux"))]
pub(super) fn poor_storage(_: &Path) -> Option<&'static str> {
    None
}

/// By the numbers of `statfs(2)`.
#[cfg(target_os = "linux")]
fn poor(kind: u64) -> Option<&'static str> {
    match kind {
        0x794c_7630 => Some("the container's own layer (overlayfs), which goes with the container"),
        0x0102_1994 | 0x8584_58f6 => Some("memory (tmpfs), which a restart empties"),
        0x6969 | 0xff53_4d42 | 0xfe53_4d42 | 0x517b => {
            Some("a network share, whose locks the ledger can't rely on")
        }
        _ => None,
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_containers_layer_memory_and_shares_are_no_place_for_a_ledger() {
        for (kind, word) in [
            (0x794c_7630, "container"),
            (0x0102_1994, "restart"),
            (0x6969, "share"),
        ] {
            assert!(poor(kind).unwrap().contains(word));
        }
        // ext4, btrfs, xfs.
        for kind in [0xef53, 0x9123_683e, 0x5846_5342] {
            assert_eq!(poor(kind), None);
        }
    }
}
