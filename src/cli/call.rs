//! The command `call`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::Value;
use sevendigital::text::{quotable, quotable_name};
use sevendigital_tools::Arguments;

use super::{CommandResult, terminal};
use crate::calls::{
    Asker, Call, CallOutcome, Calls, Completed, Question, RequestContext, UserAnswer,
};
use crate::identity::Caller;
use crate::problem::Problem;

/// Makes one call and prints its document. Where the user must confirm it, the person at the terminal is asked.
pub async fn run(calls: &Calls, name: &str, args: &str, dry_run: bool) -> CommandResult {
    let no_tool = || {
        let name = quotable_name(name);
        format!("there is no tool `{name}`; `sevendigital-mcp tools` lists them")
    };
    let tool = calls.registry().find(name).ok_or_else(no_tool)?;
    let arguments: Arguments = serde_json::from_str(args).map_err(|error| {
        format!(
            "`--args` is not a JSON object: {}",
            quotable(&error.to_string())
        )
    })?;
    let call = |confirmation| Call {
        arguments: arguments.clone(),
        caller: Caller::operator(),
        user: None,
        context: RequestContext::default(),
        confirmation,
        idempotency_key: None,
    };
    if dry_run {
        let call = call(UserAnswer::NotAsked(Asker::Nothing));
        return match calls.dry_run(tool, call).await {
            Ok(document) => print_json(&document),
            Err(problem) => fail(&problem),
        };
    }
    let answer = if terminal::is_there() {
        Asker::Terminal
    } else {
        Asker::Nothing
    };
    let answer = UserAnswer::NotAsked(answer);
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

fn print_json(document: &Value) -> CommandResult {
    let document = serde_json::to_string_pretty(document)?;
    writeln!(io::stdout().lock(), "{document}")?;
    Ok(ExitCode::SUCCESS)
}

fn print(completed: &Completed) -> CommandResult {
    print_json(&completed.reply.answer.document)?;
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
    match terminal::says_yes(&question.message) {
        Ok(true) => Ok(UserAnswer::Confirmed(question.confirmation_token.clone())),
        _ => Err(Problem::declined()),
    }
}
