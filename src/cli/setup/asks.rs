//! Who is asked, and how.

use std::io::{self, Write as _};

use super::super::terminal;

/// Who is asked for what no flag gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// The person at the terminal.
    Person,
    /// Nobody: flags decide everything, or `--yes` leaves the rest out.
    Nobody,
}

/// Asks until the answer can be read.
pub(super) async fn asked<T>(
    question: &str,
    read: impl Fn(&str) -> Result<Option<T>, String>,
) -> io::Result<Option<T>> {
    loop {
        match read(&terminal::ask(question).await?) {
            Ok(answer) => return Ok(answer),
            Err(problem) => writeln!(io::stderr(), "{problem}")?,
        }
    }
}
