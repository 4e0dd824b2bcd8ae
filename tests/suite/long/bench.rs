//! What measuring needs: the real program watched from outside, and figures.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sevendigital_sandbox::demo;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::peers::{Wire, get};
use crate::support::{Setting, until, within};

pub(super) const MIB: u64 = 1 << 20;

/// The real program, watched from outside.
pub(super) struct Process {
    child: Child,
    pub(super) mcp: SocketAddr,
    metrics: SocketAddr,
    pub(super) folder: TempDir,
    logged: Arc<AtomicUsize>,
}

/// The program under test: `SERVER_UNDER_LOAD`, or the one that was built with the tests.
fn binary() -> PathBuf {
    let own = || env!("CARGO_BIN_EXE_sevendigital-mcp").into();
    std::env::var("SERVER_UNDER_LOAD").map_or_else(|_| own(), PathBuf::from)
}

impl Process {
    /// Serves with the limits that the limit sheet has, but for these settings.
    pub(super) async fn start(base_uri: &str, settings: &[Setting<'_>]) -> Self {
        Self::start_with(base_uri, settings, "", "").await
    }

    /// The same, with a configuration file, and behind what a shell does first.
    pub(super) async fn start_with(
        base_uri: &str,
        settings: &[Setting<'_>],
        file: &str,
        before: &str,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        std::fs::write(&path, file).unwrap();
        let binary = binary();
        println!("{}", binary.display());
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{before} exec \"$0\" \"$@\"")])
            .arg(binary)
            .args(["serve", "--bind", "127.0.0.1:0"])
            .args(["--base-uri", base_uri, "--config"])
            .arg(&path)
            .arg("--state-dir")
            .arg(folder.path())
            .env_clear()
            .envs([
                ("SEVENDIGITAL_CONSUMER_KEY", demo::CONSUMER_KEY),
                ("SEVENDIGITAL_CONSUMER_SECRET", demo::CONSUMER_SECRET),
                ("SEVENDIGITAL_ACCESS_TOKEN", demo::ACCESS_TOKEN),
                (
                    "SEVENDIGITAL_ACCESS_TOKEN_SECRET",
                    demo::ACCESS_TOKEN_SECRET,
                ),
                ("SEVENDIGITAL_COUNTRY", demo::COUNTRY),
                ("SEVENDIGITAL_MCP_SPENDING", "allow"),
                ("SEVENDIGITAL_MCP_METRICS_BIND", "127.0.0.1:0"),
                ("SEVENDIGITAL_MCP_REST_BIND", "127.0.0.1:0"),
            ])
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut addresses = Vec::new();
        while addresses.len() < 3 {
            let line = within("the addresses", lines.next_line()).await.unwrap();
            let line = line.expect("the server ended");
            if let Some(url) = line.strip_prefix("listening on http://") {
                addresses.push(url.split('/').next().unwrap().parse().unwrap());
            } else {
                println!("{line}");
            }
        }
        let logged = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&logged);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                count.fetch_add(1, Ordering::Relaxed);
                if line.contains("panicked") || line.contains("ERROR") {
                    println!("{line}");
                }
            }
        });
        Self {
            child,
            metrics: addresses[0],
            mcp: addresses[1],
            folder,
            logged,
        }
    }

    /// Lines that it has logged.
    pub(super) fn logged(&self) -> usize {
        self.logged.load(Ordering::Relaxed)
    }

    fn proc(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.child.id().unwrap());
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn status(&self, field: &str) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find(|line| line.starts_with(field));
        let value = line.unwrap().split_whitespace().nth(1).unwrap();
        value.parse().unwrap()
    }

    /// Resident memory in bytes.
    pub(super) fn resident(&self) -> u64 {
        self.status("VmRSS:") * 1024
    }

    /// The most that it was since [`Process::forget_peak`].
    pub(super) fn peak(&self) -> u64 {
        self.status("VmHWM:") * 1024
    }

    pub(super) fn forget_peak(&self) {
        let path = format!("/proc/{}/clear_refs", self.child.id().unwrap());
        std::fs::write(path, "5").unwrap();
    }

    /// Open file descriptors.
    pub(super) fn descriptors(&self) -> usize {
        let path = format!("/proc/{}/fd", self.child.id().unwrap());
        std::fs::read_dir(path).unwrap().count()
    }

    /// Time on all processors so far.
    pub(super) fn cpu(&self) -> Duration {
        let stat = self.proc("stat");
        let fields = stat.rsplit_once(") ").unwrap().1;
        let ticks: u64 = fields
            .split(' ')
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<u64>().unwrap())
            .sum();
        Duration::from_millis(ticks * 10)
    }

    /// The sum of a figure over all its labels.
    pub(super) async fn figure(&self, name: &str) -> f64 {
        let request = get(self.metrics, "/metrics");
        let answer = Wire::ask_once(self.metrics, &request).await.unwrap();
        let lines = answer.text();
        let lines = lines.lines().filter(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
        });
        lines
            .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
            .sum()
    }

    /// Waits until nothing is under way.
    pub(super) async fn is_quiet(&self) {
        let quiet = async {
            while self.figure("sevendigital_calls_in_flight").await > 0.0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        within("the calls under way", quiet).await;
    }

    /// Waits until no more descriptors are open than that, and says how long it took.
    pub(super) async fn descriptors_fall_to(&self, most: usize) -> Duration {
        let started = Instant::now();
        let what = format!("{most} descriptors of {}", self.descriptors());
        until(&what, || self.descriptors() <= most).await;
        started.elapsed()
    }
}

/// Times, to be told as figures.
#[derive(Debug, Default)]
pub(super) struct Times(Vec<Duration>);

impl Times {
    pub(super) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The time within which that part of all were done, in thousandths.
    pub(super) fn within(&mut self, thousandths: usize) -> Duration {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        let place = (self.0.len() * thousandths / 1_000).min(last);
        self.0.get(place).copied().unwrap_or_default()
    }

    pub(super) fn shown(&mut self) -> String {
        let [p50, p99, most] = [500, 990, 1_000].map(|part| self.within(part).as_secs_f64() * 1e3);
        format!(
            "{} of them, p50 {p50:.2} ms, p99 {p99:.2} ms, most {most:.2} ms",
            self.0.len()
        )
    }
}

pub(super) fn mib(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
    let mib = bytes as f64 / MIB as f64;
    format!("{mib:.1} MiB")
}
