//! A server's process, watched from outside.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{sleep, timeout};

const STARTED: Duration = Duration::from_secs(60);
/// What the kernel counts processor time in.
const TICKS_PER_SECOND: f64 = 100.0;

/// The process; it ends with this.
pub(crate) struct Process {
    child: Child,
    folder: TempDir,
}

/// A folder for a server that is about to start.
pub(crate) fn folder() -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("load").tempdir()
}

impl Process {
    /// Runs the command in that folder.
    pub(crate) fn start(mut command: Command, folder: TempDir) -> io::Result<Self> {
        let log = File::create(folder.path().join("log"))?;
        command
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        let child = command.spawn().map_err(|error| {
            let program = command.as_std().get_program().display();
            io::Error::other(format!("{program}: {error}"))
        })?;
        Ok(Self { child, folder })
    }

    /// The ends of its pipes.
    pub(crate) fn pipes(&mut self) -> io::Result<(ChildStdin, ChildStdout)> {
        let pipes = self.child.stdin.take().zip(self.child.stdout.take());
        pipes.ok_or_else(|| io::Error::other("the pipes are taken"))
    }

    /// Waits until it says where it serves MCP over HTTP.
    pub(crate) async fn address(&mut self) -> io::Result<String> {
        let said = async {
            loop {
                let log = self.log()?;
                let line = log
                    .lines()
                    .find_map(|line| line.strip_prefix("listening on http://"));
                if let Some(address) = line.and_then(|url| url.strip_suffix("/mcp")) {
                    return Ok(address.to_owned());
                }
                if let Some(status) = self.child.try_wait()? {
                    return Err(io::Error::other(format!("it ended ({status}): {log}")));
                }
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(STARTED, said).await?
    }

    /// What it has written to stderr.
    pub(crate) fn log(&self) -> io::Result<String> {
        let log = fs::read(self.folder.path().join("log"))?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    /// Where it runs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn id(&self) -> String {
        self.child
            .id()
            .map_or_else(String::new, |id| id.to_string())
    }

    /// A field of its status, in bytes: `VmRSS` is what it has in memory, `VmHWM` the most that it had.
    pub(crate) fn memory(&self, field: &str) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kib = line.and_then(|line| line.split_whitespace().nth(1));
        let kib: u64 = kib.unwrap_or_default().parse().map_err(io::Error::other)?;
        Ok(kib * 1024)
    }

    /// Seconds of processor so far.
    pub(crate) fn cpu(&self) -> io::Result<f64> {
        cpu(&self.id())
    }
}

/// Seconds of processor that a process, or `self`, has had so far.
pub(crate) fn cpu(id: &str) -> io::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name may have spaces and parentheses.
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks = ticks.map(|ticks| ticks.parse::<u32>().map_err(io::Error::other));
    Ok(f64::from(ticks.sum::<io::Result<u32>>()?) / TICKS_PER_SECOND)
}
