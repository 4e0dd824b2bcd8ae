//! The command `confirm`: the questions that wait for a person at a terminal.

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::{CommandResult, terminal};
use crate::calls::Questions;

/// Asks each question that waits, the oldest first, and writes the answers down.
pub async fn run(questions: &Questions) -> CommandResult {
    if !terminal::is_there() {
        return Err("`confirm` asks a person: run it on a terminal".into());
    }
    let mut err = io::stderr();
    let (here, elsewhere): (Vec<_>, Vec<_>) = questions
        .open()
        .await?
        .into_iter()
        .partition(|question| question.on_terminal);
    if !elsewhere.is_empty() {
        let count = elsewhere.len();
        writeln!(err, "{count} more can be answered in the browser only")?;
    }
    if here.is_empty() {
        writeln!(err, "no question waits for an answer here")?;
        return Ok(ExitCode::SUCCESS);
    }
    for (number, question) in (1..).zip(&here) {
        writeln!(err, "\nQuestion {number} of {}:", here.len())?;
        let yes = terminal::says_yes(&question.details.message)?;
        let was_open = questions.answer(&question.id, yes).await?;
        let said = match (was_open, yes) {
            (false, _) => "it has expired, or was answered elsewhere: nothing changes",
            (true, true) => "yes: the agent's next call, or the one that waits, goes on",
            (true, false) => "no: nothing is sent",
        };
        writeln!(err, "{said}")?;
    }
    Ok(ExitCode::SUCCESS)
}
