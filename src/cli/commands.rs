//! The commands that print something and end: `tools`, `call`, `token` and `ledger`.

use std::error::Error;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

use chrono::DateTime;
use sevendigital::Effect;
use sevendigital_tools::AnyTool;

use super::args::LedgerCommand;
use crate::calls::call::{Asking, Call, Failure, Guard, Progress};
use crate::calls::confirmation::Question;
use crate::config::{Config, HintSet};
use crate::digest::{hex, sha256};
use crate::ledger::{Entry, Ledger};
use crate::mcp::server as mcp;
use crate::problem::Problem;

/// What a command gives: an exit code, or what stopped it.
pub type Ended = Result<ExitCode, Box<dyn Error>>;

/// Charges that `ledger export` writes at most.
const ALL: u32 = u32::MAX;

/// Prints the tools, for people or as the contracts that clients see.
pub fn tools(config: &Config, json: bool) -> Ended {
    let guard = Guard::new(config)?;
    let mut out = io::stdout().lock();
    if json {
        let tools: Vec<_> = guard
            .tools()
            .iter()
            .map(|tool| mcp::describe(tool, config.hints))
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&tools)?)?;
    } else {
        for tool in guard.tools() {
            let effect = match tool.contract.upstream.effect {
                Effect::Reads => "reads",
                Effect::Writes => "writes",
                Effect::Charges => "charges",
            };
            writeln!(
                out,
                "{:<33}{effect:<9}{}",
                tool.contract.name, tool.contract.title
            )?;
        }
    }
    if config.hints == HintSet::Published {
        writeln!(
            io::stderr(),
            "note: `hints = published` tells clients that purchases are read-only"
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes one call and prints its document. Where the guard wants a yes, the person at the terminal is asked.
pub async fn call(guard: &Guard, name: &str, args: &str) -> Ended {
    let tool = guard
        .find(name)
        .ok_or_else(|| format!("there is no tool `{name}`; `sevendigital-mcp tools` lists them"))?;
    let arguments: sevendigital_tools::Arguments = serde_json::from_str(args)
        .map_err(|error| format!("`--args` is not a JSON object: {error}"))?;
    let asking = if io::stdin().is_terminal() {
        Asking::Possible
    } else {
        Asking::Impossible
    };
    let call = |consent| Call {
        arguments: arguments.clone(),
        consent,
        asking,
        ..Call::default()
    };
    let outcome = match guard.call(tool, call(None)).await {
        Ok(Progress::Ask(question)) => match answer(&question) {
            Ok(sealed) => guard.call(tool, call(Some(sealed))).await,
            Err(failure) => Err(failure),
        },
        outcome => outcome,
    };
    match outcome {
        Ok(Progress::Done(success)) => {
            let mut out = io::stdout().lock();
            writeln!(
                out,
                "{}",
                serde_json::to_string_pretty(&success.reply.answer.document)?
            )?;
            for note in success
                .reply
                .note
                .iter()
                .chain(success.replayed.map(replayed).as_ref())
            {
                writeln!(io::stderr(), "note: {note}")?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Ok(Progress::Ask(_)) => fail(tool, &Failure::NotThisYes),
        Err(failure) => fail(tool, &failure),
    }
}

fn fail(tool: &AnyTool, failure: &Failure) -> Ended {
    let line = Problem::from(failure).line(tool.contract.upstream.effect);
    writeln!(io::stderr(), "error: {line}")?;
    Ok(ExitCode::FAILURE)
}

fn replayed(first: i64) -> String {
    format!(
        "this was bought already, at {}; it was not bought again",
        moment(first)
    )
}

/// Asks the person at the terminal.
fn answer(question: &Question) -> Result<String, Failure> {
    let mut typed = String::new();
    let asked = write!(io::stderr(), "{} [y/N] ", question.message)
        .and_then(|()| io::stderr().flush())
        .and_then(|()| io::stdin().lock().read_line(&mut typed));
    match (asked, typed.trim().to_ascii_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Ok(question.sealed.clone()),
        _ => Err(Failure::Declined),
    }
}

/// Makes a bearer token, and prints it with its digest: the one for the client, the other for this server's file.
pub fn new_token() -> Ended {
    let token = format!("sdmcp_{}", hex(&rand::random::<[u8; 32]>()));
    let digest = hex(&sha256(&token));
    let mut out = io::stdout().lock();
    writeln!(out, "token         {token}")?;
    writeln!(out, "token_sha256  {digest}")?;
    writeln!(
        io::stderr(),
        "note: give the token to its caller and `token_sha256` to a `[[principals]]` table of the configuration file; the token is shown this once"
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Reads or mends the ledger.
pub async fn ledger(ledger: &Ledger, command: LedgerCommand) -> Ended {
    let mut out = io::stdout().lock();
    match command {
        LedgerCommand::List { limit } => {
            for entry in ledger.list(limit).await? {
                writeln!(out, "{}", line(&entry))?;
            }
        }
        LedgerCommand::Show { id } => match ledger.show(id).await? {
            Some(entry) => writeln!(out, "{}", serde_json::to_string_pretty(&entry)?)?,
            None => {
                return Err(format!(
                    "there is no charge {id}; `sevendigital-mcp ledger list` shows them"
                )
                .into());
            }
        },
        LedgerCommand::Forget { id } => {
            if !ledger.forget(id).await? {
                return Err(format!("charge {id} is not there, or is under way").into());
            }
            writeln!(
                out,
                "charge {id} is forgotten: the same purchase can be made again"
            )?;
        }
        LedgerCommand::Export => {
            for entry in ledger.list(ALL).await?.iter().rev() {
                writeln!(out, "{}", serde_json::to_string(entry)?)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(entry: &Entry) -> String {
    let state = serde_json::to_value(entry.state).ok();
    let state = state
        .as_ref()
        .and_then(|state| state.as_str())
        .unwrap_or_default();
    let purchase = entry
        .purchase_id
        .as_deref()
        .map(|id| format!("  purchase {id}"))
        .unwrap_or_default();
    format!(
        "{:>6}  {}  {state:<9} {:<26}{}{purchase}",
        entry.id,
        moment(entry.started),
        entry.tool,
        entry.item
    )
}

fn moment(milliseconds: i64) -> String {
    DateTime::from_timestamp_millis(milliseconds)
        .map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}
