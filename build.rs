//! Gives the program the files of its page at `/docs`, and the commit that it is built from, where that is known.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script hears and speaks by the environment and stdout"
)]

use std::error::Error;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::{CompressionMethod, ZipArchive};

/// What the page at `/docs` loads of Swagger UI.
const PAGE: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for name in PAGE {
        let file = folder.join(format!("{name}.gz"));
        std::fs::write(file, gzip(&mut archive, name)?)?;
    }
    // Another commit would compile everything anew: too much for each commit of somebody who works on it.
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release")
        && let Some(commit) = published().or_else(checked_out)
    {
        println!("cargo::rustc-env=BUILD_COMMIT={commit}");
    }
    Ok(())
}

/// A file of the archive as gzip (RFC 1952), which is the archive's own deflate between a header and a checksum.
fn gzip(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let ending = format!("/dist/{name}");
    let mut names = archive.file_names_raw();
    let at = names.position(|path| path.ends_with(ending.as_bytes()));
    drop(names);
    let at = at.ok_or("Swagger UI lacks a file")?;
    let mut file = archive.by_index_raw(at)?;
    if file.compression() != CompressionMethod::DEFLATE {
        return Err(format!("{name} is not deflated in Swagger UI's archive").into());
    }
    // Deflate, no flags, no time, and no word on compression or system.
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    file.read_to_end(&mut bytes)?;
    bytes.extend(file.crc32().to_le_bytes());
    bytes.extend(u32::try_from(file.size())?.to_le_bytes());
    Ok(bytes)
}

/// The commit that a published package names.
fn published() -> Option<String> {
    let text = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, hash) = text.split_once("\"sha1\"")?;
    let hash = hash.split('"').nth(1)?;
    hash.get(..12).map(str::to_owned)
}

/// The commit of the git checkout that this folder is the top of. A tarball that was unpacked inside a repository is none.
fn checked_out() -> Option<String> {
    if !git(&["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    for file in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", file])?;
        // Of a file that is missing Cargo thinks that it has changed.
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

/// What git prints, if there is a git and it succeeds.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
