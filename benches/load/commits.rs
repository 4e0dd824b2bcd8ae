//! How often a purchase makes the disk write what it has: `fsync` and `fdatasync`, as strace sees them.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use tokio::process::Command;

use super::cells::{Cell, Transport, float};
use super::messages::Era;
use super::options::{Kind, Options};
use super::running::Running;
use super::servers::Server;
use super::tally::Work;
use super::upstream::Upstream;

/// Purchases that are counted, after one of each buyer.
const PURCHASES: usize = 256;

/// What was counted.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Commits {
    /// Clients that bought at once.
    pub(crate) buyers: usize,
    /// Syncs for each purchase.
    pub(crate) each: f64,
}

/// Counts for each number of buyers; nothing without strace.
pub(crate) async fn count(
    options: &Options,
    upstream: &Upstream,
) -> Result<Vec<Commits>, Box<dyn Error>> {
    if Command::new("strace").arg("-V").output().await.is_err() {
        super::say("strace is missing: the commits of a purchase are not counted");
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for buyers in &options.buyers {
        super::say(&format!("commits of {buyers} clients"));
        let cell = Cell {
            kind: Kind::Commits,
            transport: Transport::Http,
            era: Era::Modern,
            clients: *buyers,
            delay: 0,
        };
        let traced: &dyn Fn(&Command) -> Command = &traced;
        let mut running =
            Running::start(options, &cell, &Server::Ours, upstream, Some(traced)).await?;
        let clients = running.clients(options, &cell).await?;
        let trace = running.process.folder().join("trace");
        let (clients, _) = clients
            .work(Work::new(Duration::ZERO, Some(*buyers)))
            .await?;
        let before = syncs(&trace)?;
        let (_, tally) = clients
            .work(Work::new(Duration::ZERO, Some(PURCHASES)))
            .await?;
        if let Some(wrong) = tally.wrong {
            return Err(format!("a wrong answer: {wrong}").into());
        }
        all.push(Commits {
            buyers: *buyers,
            each: float(syncs(&trace)? - before) / float(PURCHASES),
        });
    }
    Ok(all)
}

/// The same command, traced into a file of the folder in which it runs.
fn traced(command: &Command) -> Command {
    let command = command.as_std();
    let mut traced = Command::new("strace");
    // `-D`: the server is our child, so that it ends with us.
    traced.args([
        "-D",
        "-f",
        "-qq",
        "-e",
        "trace=fsync,fdatasync",
        "-o",
        "trace",
    ]);
    traced
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear();
    let set = command
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    traced.envs(set);
    traced
}

fn syncs(trace: &Path) -> std::io::Result<usize> {
    let trace = fs::read_to_string(trace)?;
    // A call that another interrupts has a second line, without the parenthesis.
    Ok(["fsync(", "fdatasync("]
        .iter()
        .map(|call| trace.matches(call).count())
        .sum())
}
