//! The commands `completions` and `man`: what shells and manuals know of the command line.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap_complete::Shell;

use super::CommandResult;
use super::args::Cli;

/// Prints the completions for a shell.
pub fn completions(shell: Shell) -> CommandResult {
    let name = env!("CARGO_PKG_NAME");
    // For bash, what is generated knows no subcommands of a program whose name has a hyphen (clap-rs/clap#6421).
    let plain = name.replace('-', "_");
    let generated = if shell == Shell::Bash { &plain } else { name };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::listed(), generated, &mut text);
    let text = String::from_utf8(text)?;
    let text = text.replace(&format!("default {plain}\n"), &format!("default {name}\n"));
    io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a manual page for the program, and one for each of its commands.
pub fn man(folder: &Path) -> CommandResult {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::listed(), folder)?;
    Ok(ExitCode::SUCCESS)
}
