//! Which user the settings speak for: a stored login is the lowest of their layers.

use std::path::{Path, PathBuf};

use sevendigital_mcp::config::{Config, Layers};

/// The user that the settings name: file and environment over what is stored.
fn user(file: &str, variables: &[(&str, &str)], stored_for: &str) -> Result<Found, String> {
    let folder = tempfile::tempdir().unwrap();
    let credentials = folder.path().join("credentials.toml");
    let login = format!(
        "base_uri = {stored_for:?}\naccess_token = \"stored\"\naccess_token_secret = \"stored-secret\"\n"
    );
    std::fs::write(&credentials, login).unwrap();
    #[cfg(unix)]
    set_mode(&credentials, 0o600);
    found(folder.path(), file, variables, credentials)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Token, its secret, and the number of warnings.
type Found = (Option<(String, String)>, usize);

fn found(
    folder: &Path,
    file: &str,
    variables: &[(&str, &str)],
    credentials: PathBuf,
) -> Result<Found, String> {
    let path = folder.join("sevendigital-mcp.toml");
    std::fs::write(&path, file).unwrap();
    let config = Config::load(&Layers {
        file: Some(path),
        credentials: Some(credentials),
        variables: variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..Layers::default()
    })
    .map_err(|error| error.to_string())?;
    let token = config.credentials().token.map(|token| {
        (
            token.token.expose().to_owned(),
            token.secret.expose().to_owned(),
        )
    });
    Ok((token, config.warnings.len()))
}

#[test]
fn a_stored_login_is_the_lowest_layer_and_a_token_comes_whole() {
    const LIVE: &str = "https://api.7digital.com/1.2";
    const KEY: &str = "consumer_key = \"k\"\nconsumer_secret = \"s\"\n";
    let in_file = format!("{KEY}access_token = \"f\"\naccess_token_secret = \"fs\"\n");
    let token_only = format!("{KEY}access_token = \"f\"\n");
    let token = ("SEVENDIGITAL_ACCESS_TOKEN", "e");
    let secret = ("SEVENDIGITAL_ACCESS_TOKEN_SECRET", "es");
    let unset = ("SEVENDIGITAL_ACCESS_TOKEN", "${TOKEN}");
    let who = |token: &str, secret: &str| Some((token.to_owned(), secret.to_owned()));
    #[rustfmt::skip]
    let rows = [
        (KEY, &[][..], LIVE, (who("stored", "stored-secret"), 0)),
        (KEY, &[], "https://api.7digital.com/1.2/", (who("stored", "stored-secret"), 0)),
        (KEY, &[unset], LIVE, (who("stored", "stored-secret"), 0)),
        (KEY, &[token, secret], LIVE, (who("e", "es"), 0)),
        (&in_file, &[], LIVE, (who("f", "fs"), 0)),
        (&in_file, &[token, secret], LIVE, (who("e", "es"), 0)),
        // Not for this API root, not signed, for another user, or of no use beside a sandbox.
        (KEY, &[], "http://127.0.0.1:9070/1.2", (None, 1)),
        (KEY, &[("SEVENDIGITAL_BASE_URI", "http://127.0.0.1:9070/1.2")], LIVE, (None, 1)),
        ("consumer_key = \"k\"\n", &[], LIVE, (None, 1)),
        ("", &[], LIVE, (None, 1)),
        (KEY, &[("SEVENDIGITAL_USER_ID", "7")], LIVE, (None, 1)),
        (KEY, &[("SEVENDIGITAL_MCP_SANDBOX", "true")], LIVE, (None, 0)),
    ];
    for (file, variables, stored_for, expected) in rows {
        let found = user(file, variables, stored_for);
        assert_eq!(found, Ok(expected), "{file} {variables:?} {stored_for}");
    }
    for (file, variables) in [
        (KEY, &[token][..]),
        (KEY, &[secret]),
        (&token_only, &[]),
        (&token_only, &[secret]),
        (&in_file, &[token]),
        (&in_file, &[secret]),
    ] {
        let refused = user(file, variables, LIVE).unwrap_err();
        assert!(refused.contains("belong together"), "{refused}");
    }
}

#[cfg(unix)]
#[test]
fn a_stored_login_that_others_can_read_is_refused_where_it_would_be_used() {
    const KEY: &str = "consumer_key = \"k\"\nconsumer_secret = \"s\"\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.toml");
    std::fs::write(&path, "canary").unwrap();
    set_mode(&path, 0o644);
    let load = |variables: &[(&str, &str)]| found(folder.path(), KEY, variables, path.clone());
    let refused = load(&[]).unwrap_err();
    assert!(refused.contains("chmod 600"), "{refused}");
    let own = [
        ("SEVENDIGITAL_ACCESS_TOKEN", "e"),
        ("SEVENDIGITAL_ACCESS_TOKEN_SECRET", "es"),
    ];
    assert!(load(&own).is_ok());
    assert!(load(&[("SEVENDIGITAL_MCP_SANDBOX", "true")]).is_ok());
}
