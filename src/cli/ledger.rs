//! The command `ledger`: what was bought, and what is unknown.

use std::io::{self, Write as _};
use std::process::ExitCode;

use sevendigital_tools::values::Price;

use super::args::LedgerCommand;
use super::{CommandResult, terminal};
use crate::calls::account_of;
use crate::config::Config;
use crate::ledger::{Entry, Ledger, State, moment};

/// Charges that are read at once.
const PAGE: u32 = 1_000;

/// Carries out a command on the ledger.
pub async fn run(config: &Config, command: LedgerCommand) -> CommandResult {
    let ledger = &Ledger::from_config(config)?;
    let mut out = io::stdout().lock();
    match command {
        LedgerCommand::List { limit } => {
            let charges = ledger.list(limit).await?;
            if charges.is_empty() {
                let place = ledger.place();
                writeln!(out, "nothing was bought yet; the ledger is {place}")?;
                return Ok(ExitCode::SUCCESS);
            }
            let columns = [
                "NO.", "STARTED", "STATE", "TOOL", "ITEM", "PRICE", "PURCHASE",
            ];
            writeln!(out, "{}", line(columns.map(str::to_owned)))?;
            for charge in charges {
                writeln!(out, "{}", line(columns_of(charge)))?;
            }
        }
        LedgerCommand::Status => {
            // First, since it helps where the ledger can't be read.
            writeln!(out, "{}", ledger.place())?;
            write!(out, "{}", status(ledger, config).await?)?;
        }
        LedgerCommand::Show { id } => {
            let charge = find(ledger, id).await?;
            writeln!(out, "{}", serde_json::to_string_pretty(&charge)?)?;
        }
        LedgerCommand::Forget { id, yes } => {
            let charge = find(ledger, id).await?;
            let is_done = charge.state == State::Done;
            if is_done && !yes && !confirmed(&charge)? {
                let way_out = "`--yes` takes it out without a question";
                return Err(format!("charge {id} is done, and stays: {way_out}").into());
            }
            if !ledger.forget(id).await? {
                return Err(format!("charge {id} is in flight: it can't be forgotten now").into());
            }
            writeln!(
                out,
                "charge {id} is forgotten: the same purchase can be made again"
            )?;
        }
        LedgerCommand::Export { since } => {
            let since = since.and_then(|day| day.and_hms_opt(0, 0, 0));
            let since = since.map_or(i64::MIN, |time| time.and_utc().timestamp_millis());
            let mut above = 0;
            loop {
                let charges = ledger.page(above, since, PAGE).await?;
                let Some(last) = charges.last() else { break };
                above = last.id;
                for charge in &charges {
                    writeln!(out, "{}", serde_json::to_string(charge)?)?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// How many charges are in each state, and what is left of the limits.
async fn status(ledger: &Ledger, config: &Config) -> Result<String, Box<dyn std::error::Error>> {
    let mut lines = Vec::new();
    for (state, charges) in ledger.status().await? {
        lines.push(format!("{:<9} {charges}\n", state.as_str()));
    }
    let (account, limits) = (account_of(config)?, config.spending_limits());
    let currency = Price::currency(None, config.country.as_deref());
    for used in ledger.limits_used(&account, limits).await? {
        lines.push(format!(
            "left of `{}`: {}\n",
            used.name,
            used.left(currency)
        ));
    }
    Ok(lines.concat())
}

async fn find(ledger: &Ledger, id: i64) -> Result<Entry, Box<dyn std::error::Error>> {
    let charge = ledger.show(id).await?;
    charge.ok_or_else(|| {
        format!("there is no charge {id}; `sevendigital-mcp ledger list` shows them").into()
    })
}

/// Asks on the terminal whether a charge that is done may go; no without a terminal.
fn confirmed(charge: &Entry) -> io::Result<bool> {
    let (id, item) = (charge.id, &charge.item);
    let question = format!(
        "Charge {id} bought {item}. Without it the same purchase is made, and paid, again. Forget it?"
    );
    Ok(terminal::is_there() && terminal::says_yes(&question)?)
}

fn columns_of(charge: Entry) -> [String; 7] {
    let currency = charge.currency.as_deref();
    let price = charge.price.map(|price| Price::amount(price, currency));
    [
        charge.id.to_string(),
        moment(charge.started),
        charge.state.as_str().to_owned(),
        charge.tool,
        charge.title.unwrap_or(charge.item),
        price.unwrap_or_else(|| "-".to_owned()),
        charge.purchase_id.unwrap_or_else(|| "-".to_owned()),
    ]
}

fn line([id, started, state, tool, item, price, purchase]: [String; 7]) -> String {
    format!("{id:>6}  {started:<20}  {state:<9} {tool:<26}{item:<40} {price:>12}  {purchase}")
}
