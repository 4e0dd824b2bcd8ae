//! The person at the terminal: what they are told, and what they are asked.

use std::fmt::Display;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use anstyle::{AnsiColor, Style};

/// Bytes of an answer at most.
const MAX_TYPED: u64 = 8_192;
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
    show(&format!("{question} [y/N] "))?;
    Ok(is_yes(&read_line()?))
}

/// Asks a question in an async command, which can be cancelled meanwhile. The answer is without blanks around it, and empty at the end of stdin.
pub(super) async fn ask(question: &str) -> io::Result<String> {
    show(question)?;
    let typed = tokio::task::spawn_blocking(read_line).await;
    typed.map_err(io::Error::other)?
}

/// The same for a yes or a no; anything but a yes is a no.
pub(super) async fn asks_yes(question: &str) -> io::Result<bool> {
    Ok(is_yes(&ask(&format!("{question} [y/N] ")).await?))
}

/// The same for a secret: what is typed is not shown.
#[cfg(unix)]
pub(super) async fn ask_hidden(question: &str) -> io::Result<String> {
    let hidden = Hidden::begin()?;
    let typed = ask(question).await;
    drop(hidden);
    typed
}

/// Terminals of other systems have no such switch.
#[cfg(not(unix))]
pub(super) async fn ask_hidden(question: &str) -> io::Result<String> {
    show(question)?;
    show("a secret can't be typed unseen on this system: give it by a file\n")?;
    Ok(String::new())
}

fn show(question: &str) -> io::Result<()> {
    let mut err = io::stderr();
    write!(err, "{question}")?;
    err.flush()
}

fn read_line() -> io::Result<String> {
    let mut typed = String::new();
    let stdin = io::stdin().lock();
    stdin.take(MAX_TYPED).read_line(&mut typed)?;
    Ok(typed.trim().to_owned())
}

fn is_yes(typed: &str) -> bool {
    ["y", "yes"].contains(&typed.to_ascii_lowercase().as_str())
}

/// While it lives, the terminal does not show what is typed, but for the end of the line.
#[cfg(unix)]
struct Hidden {
    before: rustix::termios::Termios,
}

#[cfg(unix)]
impl Hidden {
    fn begin() -> io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        hidden.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self { before })
    }
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
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
