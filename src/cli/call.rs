//! The command `call`.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

use sevendigital_tools::Arguments;

use super::CommandResult;
use crate::calls::{Call, CallOutcome, Calls, Completed, Question, RequestContext, UserAnswer};
use crate::identity::Caller;
use crate::problem::Problem;

/// Makes one call and prints its document. Where the user must confirm it, the person at the terminal is asked.
pub async fn run(calls: &Calls, name: &str, args: &str) -> CommandResult {
    let no_tool = || format!("there is no tool `{name}`; `sevendigital-mcp tools` lists them");
    let tool = calls.registry().find(name).ok_or_else(no_tool)?;
    let arguments: Arguments = serde_json::from_str(args)
        .map_err(|error| format!("`--args` is not a JSON object: {error}"))?;
    let call = |confirmation| Call {
        arguments: arguments.clone(),
        caller: Caller::operator(),
        user: None,
        context: RequestContext::default(),
        confirmation,
        idempotency_key: None,
    };
    let answer = if io::stdin().is_terminal() {
        UserAnswer::NotAsked
    } else {
        UserAnswer::ElicitationUnsupported
    };
    let outcome = match calls.call(tool, call(answer)).await {
        Ok(CallOutcome::ConfirmationRequired(question)) => match ask(&question) {
            Ok(answer) => calls.call(tool, call(answer)).await,
            Err(problem) => Err(problem.of_call(tool.contract.upstream.effect)),
        },
        outcome => outcome,
    };
    match outcome {
        Ok(CallOutcome::Completed(completed)) => print(&completed),
        Ok(CallOutcome::ConfirmationRequired(_)) => fail(&Problem::invalid_confirmation()),
        Err(problem) => fail(&problem),
    }
}

fn print(completed: &Completed) -> CommandResult {
    let document = serde_json::to_string_pretty(&completed.reply.answer.document)?;
    writeln!(io::stdout().lock(), "{document}")?;
    for note in &completed.reply.notes {
        writeln!(io::stderr(), "note: {note}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn fail(problem: &Problem) -> CommandResult {
    writeln!(io::stderr(), "error: {}", problem.detail())?;
    Ok(ExitCode::FAILURE)
}

/// Asks the person at the terminal.
fn ask(question: &Question) -> Result<UserAnswer, Problem> {
    let mut typed = String::new();
    let asked = write!(io::stderr(), "{} [y/N] ", question.message)
        .and_then(|()| io::stderr().flush())
        .and_then(|()| io::stdin().lock().read_line(&mut typed));
    match (asked, typed.trim().to_ascii_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Ok(UserAnswer::Confirmed(question.confirmation_token.clone())),
        _ => Err(Problem::declined()),
    }
}
