//! A load driver that speaks MCP as clients do: in both eras, over HTTP and stdio, with every answer checked.
//!
//! It starts our server, a server without us (`bare.rs`) and other servers in turn, each in front of one upstream with fixed answers,
//! and prints what they do next to what the same clients get straight from the upstream. Cells are interleaved: every server is
//! measured in one before any is in the next, and all of that again in each round. It is made to cost little, since it shares the
//! machine with what it measures: requests are bytes with a number put in, and answers are searched, not read.

mod cells;
mod commits;
mod http;
mod messages;
mod options;
mod process;
mod report;
mod running;
mod servers;
mod stdio;
mod tally;
mod upstream;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use self::cells::{Cell, measure};
use self::options::{Kind, Options};
use self::report::Report;
use self::upstream::Upstream;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Options::parse()).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            say(&format!(
                "{failed} calls or servers failed: their rows say nothing"
            ));
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// The number of calls that failed, and of servers that did.
async fn run(options: &Options) -> Result<usize, Box<dyn Error>> {
    let upstream = Upstream::start(options.bytes)?;
    let cells = Cell::all(options);
    let (mut report, mut broken) = (Report::default(), 0);
    for round in 1..=options.rounds {
        for (number, cell) in cells.iter().enumerate() {
            for server in servers::of(options, cell)? {
                let progress = format!("round {round}, cell {} of {}", number + 1, cells.len());
                say(&format!("{progress}: {} {cell}", server.name()));
                match measure(options, cell, &server, &upstream).await {
                    Ok(figures) => report.add(round, cell, server.name(), figures),
                    // What was measured before is not lost.
                    Err(error) => {
                        say(&format!("{}: {error}", server.name()));
                        broken += 1;
                    }
                }
            }
        }
    }
    if options.kinds.contains(&Kind::Commits) {
        report.commits = commits::count(options, &upstream).await?;
    }
    let mut out = std::io::stdout();
    writeln!(out, "{}", report.text())?;
    if let Some(file) = &options.json {
        std::fs::write(file, report.json(options, upstream.locker))?;
    }
    Ok(report.failed() + broken)
}

/// Writes a line to stderr, where it does not get into the tables.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
