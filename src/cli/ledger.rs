//! The command `ledger`: what was bought, and what is unknown.

use std::io::{self, Write as _};
use std::process::ExitCode;

use chrono::DateTime;

use super::CommandResult;
use super::args::LedgerCommand;
use crate::ledger::{Entry, Ledger};

/// Carries out a command on the ledger.
pub async fn run(ledger: &Ledger, command: LedgerCommand) -> CommandResult {
    let mut out = io::stdout().lock();
    match command {
        LedgerCommand::List { limit } => {
            for entry in ledger.list(limit).await? {
                writeln!(out, "{}", line(&entry))?;
            }
        }
        LedgerCommand::Show { id } => {
            let entry = ledger.show(id).await?.ok_or_else(|| {
                format!("there is no charge {id}; `sevendigital-mcp ledger list` shows them")
            })?;
            writeln!(out, "{}", serde_json::to_string_pretty(&entry)?)?;
        }
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
            for entry in ledger.list(u32::MAX).await?.iter().rev() {
                writeln!(out, "{}", serde_json::to_string(entry)?)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(entry: &Entry) -> String {
    let purchase = entry.purchase_id.as_ref();
    let purchase = purchase.map_or(String::new(), |id| format!("  purchase {id}"));
    let (started, state) = (moment(entry.started), entry.state.as_str());
    let (id, tool, item) = (entry.id, &entry.tool, &entry.item);
    format!("{id:>6}  {started}  {state:<9} {tool:<26}{item}{purchase}")
}

/// A time for people.
pub(super) fn moment(milliseconds: i64) -> String {
    let at = DateTime::from_timestamp_millis(milliseconds);
    at.map_or(String::new(), |at| {
        at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    })
}
