//! The person at the terminal: what they are told, and what they are asked.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};

/// How headings are printed.
pub(super) const HEADING: Style = Style::new().bold();

/// Columns of a terminal that does not say how many it has.
const USUAL_WIDTH: u16 = 80;

/// Whether a person can be asked: questions go to stderr, answers come from stdin.
pub(super) fn is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Columns of the terminal that stdout is, if it is one.
pub(super) fn width() -> Option<u16> {
    let out = io::stdout();
    let columns = terminal_size::terminal_size_of(&out).map(|(columns, _)| columns.0);
    out.is_terminal().then(|| columns.unwrap_or(USUAL_WIDTH))
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

/// Says on stderr what went wrong.
pub fn error(text: impl Display) {
    say("error", AnsiColor::Red, text);
}

/// Says on stderr what may be wrong.
pub fn warning(text: impl Display) {
    say("warning", AnsiColor::Yellow, text);
}

/// Says on stderr what helps.
pub(super) fn note(text: impl Display) {
    say("note", AnsiColor::Cyan, text);
}

/// A line on stderr, whose first word has a colour where the terminal has colours. That stderr is closed is no reason to stop.
fn say(word: &str, color: AnsiColor, text: impl Display) {
    let style = color.on_default().bold();
    let _ = writeln!(anstream::stderr(), "{style}{word}:{style:#} {text}");
}
