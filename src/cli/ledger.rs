//! The command `ledger`: what was bought, and what is unknown.

use std::io::{self, Write as _};
use std::process::ExitCode;

use chrono::DateTime;

use super::args::LedgerCommand;
use super::command::CommandResult;
use crate::ledger::{Entry, Ledger};

/// Charges that `ledger export` writes at most.
const ALL: u32 = u32::MAX;

/// Carries out a command on the ledger.
pub async fn run(ledger: &Ledger, command: LedgerCommand) -> CommandResult {
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
                return Err(format!("charge {id} is not there, or is in flight").into());
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

/// A time for people.
pub(super) fn moment(milliseconds: i64) -> String {
    DateTime::from_timestamp_millis(milliseconds)
        .map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}
