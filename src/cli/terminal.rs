//! The person at the terminal.

use std::io::{self, IsTerminal as _, Write as _};

/// Whether a person can be asked: questions go to stderr, answers come from stdin.
pub(super) fn is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question; anything but a yes is a no.
pub(super) fn says_yes(question: &str) -> io::Result<bool> {
    let mut err = io::stderr();
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let mut typed = String::new();
    io::stdin().read_line(&mut typed)?;
    Ok(["y", "yes"].contains(&typed.trim().to_ascii_lowercase().as_str()))
}
