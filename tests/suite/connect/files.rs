//! Files on the disk: missing, empty, linked, closed, and the copy of each that was changed.

use std::fs;

use super::{Home, written};

#[tokio::test]
async fn a_missing_file_and_an_empty_one_get_the_entry_as_it_is_printed() {
    for client in written() {
        let home = Home::of(client);
        let (_, printed, _) = home.config(&[]).await;
        let (code, _, err) = home.write().await;
        assert_eq!((code, home.text()), (0, printed.clone()), "{err}");
        assert!(home.copies().is_empty(), "there was nothing to copy");

        let home = Home::holding(client, "");
        let (code, _, err) = home.write().await;
        assert_eq!((code, home.text()), (0, printed), "{err}");
        let (code, _, err) = home.config(&["--remove"]).await;
        assert_eq!(code, 0, "{err}");
        assert!(["{}\n", ""].contains(&&*home.text()), "{}", home.text());
    }
}

#[tokio::test]
async fn removing_what_is_not_there_changes_nothing() {
    for client in written() {
        let home = Home::of(client);
        let (code, out, err) = home.config(&["--remove"]).await;
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("has no `sevendigital`"), "{out}");
        assert!(!home.file.exists());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_lead_to_the_file_and_its_mode_and_a_copy_are_kept() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    for client in written() {
        let home = Home::holding(client, "");
        let real = home.folder.path().join("dotfiles");
        fs::rename(&home.file, &real).unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&real, &home.file).unwrap();
        let (code, out, err) = home.write().await;
        assert_eq!(code, 0, "{err}");
        assert!(home.file.is_symlink(), "the link stays a link");
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&real), 0o640);
        assert!(fs::read_to_string(&real).unwrap().contains("sevendigital"));

        let copy = out
            .lines()
            .find_map(|line| line.strip_prefix("the file as it was: "));
        let copy = std::path::Path::new(copy.unwrap());
        assert_eq!(
            copy.parent(),
            Some(&*home.folder.path().canonicalize().unwrap())
        );
        assert_eq!((fs::read(copy).unwrap(), mode(copy)), (Vec::new(), 0o640));
        let written = fs::read_dir(home.folder.path()).unwrap();
        let left = written.filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with(".sevendigital")
        });
        assert_eq!(left.count(), 0, "nothing is left of the writing");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_not_to_be_written_is_left_alone() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    for client in written() {
        let home = Home::holding(client, "");
        fs::set_permissions(&home.file, fs::Permissions::from_mode(0o444)).unwrap();
        let (code, _, err) = home.write().await;
        assert!(code == 1 && err.contains("is read-only"), "{err}");
        assert!(home.text().is_empty() && home.copies().is_empty());

        let home = Home::holding(client, "");
        fs::remove_file(&home.file).unwrap();
        symlink("nowhere", &home.file).unwrap();
        let (code, _, err) = home.write().await;
        assert!(code == 1 && err.contains("leads nowhere"), "{err}");

        let home = Home::holding(client, "");
        fs::write(&home.file, b"\xff\xfe{\0}\0").unwrap();
        let (code, _, err) = home.write().await;
        assert!(code == 1 && err.contains("is not UTF-8"), "{err}");
        assert_eq!(fs::read(&home.file).unwrap(), b"\xff\xfe{\0}\0");
    }
}
