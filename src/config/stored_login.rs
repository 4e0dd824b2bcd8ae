//! The login that `sevendigital-mcp login` leaves behind: a file that its owner alone can read.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use figment::Figment;
use figment::providers::{Format as _, Toml};
use serde::Deserialize;
use serde_with::{As, DisplayFromStr};
use sevendigital::{BaseUri, Secret};

use super::error::{ConfigError, Fault};
use super::folders::is_open_to_others;
use super::private_file;

/// A user's access token, and the API root that issued it: no other may see it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredLogin {
    /// Where the token is good.
    #[serde(with = "As::<DisplayFromStr>")]
    pub base_uri: BaseUri,
    /// The user's token.
    pub access_token: Secret,
    /// Its secret.
    pub access_token_secret: Secret,
}

/// The login stored at a path; nothing where there is no file.
pub fn read(path: &Path) -> Result<Option<StoredLogin>, ConfigError> {
    let shown = path.display();
    let wrong = |problem: &str| {
        ConfigError::of(
            Fault::StoredLogin,
            format!("stored login `{shown}` {problem}"),
        )
    };
    let unreadable = |error: &io::Error| wrong(&format!("can't be read: {error}"));
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&error)),
    };
    let metadata = file.metadata().map_err(|error| unreadable(&error))?;
    if is_open_to_others(&metadata) {
        return Err(wrong(&format!(
            "is open to other users of this machine: run `chmod 600 {shown}`, or `sevendigital-mcp logout` and log in anew"
        )));
    }
    let mut text = String::new();
    file.read_to_string(&mut text)
        .map_err(|error| unreadable(&error))?;
    // The parser's own message would show the line, and with it the token.
    let login = Figment::from(Toml::string(&text)).extract();
    login.map(Some).map_err(|_| wrong("is not as `sevendigital-mcp login` writes it: log in anew, or run `sevendigital-mcp logout`"))
}

/// Stores a login instead of the one before: whole or not at all, and never readable by others, not even while it is written.
pub fn write(path: &Path, login: &StoredLogin) -> io::Result<()> {
    private_file::write(path, &text(login))
}

/// Removes the login stored at a path; says whether there was one.
pub fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn text(login: &StoredLogin) -> String {
    let base_uri = login.base_uri.to_string();
    let (token, secret) = (&login.access_token, &login.access_token_secret);
    let (token, secret) = (token.expose(), secret.expose());
    // `Debug` of a text without control characters is a TOML string; a token has none.
    format!(
        "# Written by `sevendigital-mcp login`; `sevendigital-mcp logout` removes it. This file is enough to spend the user's money.\nbase_uri = {base_uri:?}\naccess_token = {token:?}\naccess_token_secret = {secret:?}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(token: &str) -> StoredLogin {
        StoredLogin {
            base_uri: "https://api.7digital.com/1.2".parse().unwrap(),
            access_token: token.into(),
            access_token_secret: "s+/\"\\'${x}==".into(),
        }
    }

    #[test]
    fn a_login_is_stored_whole_instead_of_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/credentials.toml");
        assert!(read(&path).unwrap().is_none());
        for token in ["a-longer-one", "short"] {
            let login = login(token);
            write(&path, &login).unwrap();
            let stored = read(&path).unwrap().unwrap();
            assert_eq!(text(&stored), text(&login));
            let (read, written) = (stored.access_token_secret, login.access_token_secret);
            assert_eq!(read.expose(), written.expose());
        }
        let beside = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(beside, 1, "nothing is left of the writing");
        assert!(remove(&path).unwrap() && !remove(&path).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/credentials.toml");
        write(&path, &login("canary")).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));

        for open in [0o640, 0o604, 0o610] {
            fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
            let error = read(&path).unwrap_err().to_string();
            let way_out = format!("chmod 600 {}", path.display());
            assert!(error.contains(&way_out), "{error}");
        }
        write(&path, &login("canary")).unwrap();
        assert_eq!(mode(&path), 0o600, "replacing it closes it again");
    }

    #[test]
    fn a_file_that_was_not_written_here_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials.toml");
        for text in [
            "canary",
            "access_token = \"canary\"\naccess_token_secret = \"canary\"\n",
            "access_token = 1\naccess_token_secret = \"canary\"\nbase_uri = \"http://127.0.0.1:1\"\n",
            "access_token = \"canary\"\naccess_token_secret = \"canary\"\nbase_uri = \"http://canary.example\"\n",
            "",
        ] {
            write(&path, &login("x")).unwrap();
            // Written into the file that is there, so that its mode stays.
            fs::write(&path, text).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains("log in anew"), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }
}
