//! Tells the program which commit it is built from, where that is known. Nothing here can fail a build.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script hears and speaks by the environment and stdout"
)]

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Another commit would compile everything anew: too much for each commit of somebody who works on it.
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release")
        && let Some(commit) = published().or_else(checked_out)
    {
        println!("cargo::rustc-env=BUILD_COMMIT={commit}");
    }
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
