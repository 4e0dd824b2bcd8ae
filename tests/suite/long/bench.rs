//! What measuring needs: the real program watched from outside, and figures.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::peers::{Wire, get};
use crate::support::{Client, Server, Setting, until, within};

pub(super) const MIB: u64 = 1 << 20;

/// The real program, watched from outside.
pub(super) struct Process {
    server: Server,
    pub(super) mcp: SocketAddr,
    metrics: SocketAddr,
    pub(super) folder: TempDir,
}

/// The settings that tests relax, as they are by default.
const DEFAULTS: [Setting<'static>; 3] = [
    ("SEVENDIGITAL_MCP_LIMIT_LOGINS_PER_MINUTE", ""),
    ("SEVENDIGITAL_MCP_LIMIT_BREAKER_MIN_CALLS", ""),
    ("SEVENDIGITAL_MCP_LIMIT_QUEUE_TIMEOUT", ""),
];

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
        let own = [("SEVENDIGITAL_MCP_SPENDING", "allow")];
        let settings = [&DEFAULTS[..], &own, settings].concat();
        let shell = format!("{before} exec \"$0\" \"$@\" --config {}", path.display());
        let server = Server::start_behind(&shell, folder.path(), base_uri, &settings).await;
        let address = |path: &str| {
            let url = server.address(path);
            let address = url.strip_prefix("http://").unwrap().split('/').next();
            address.unwrap().parse().unwrap()
        };
        Self {
            mcp: address("/mcp"),
            metrics: address("/metrics"),
            server,
            folder,
        }
    }

    /// A client of it.
    pub(super) fn client(&self) -> Client {
        self.server.caller()
    }

    /// Lines that it has logged.
    pub(super) fn logged(&self) -> usize {
        self.server.log().lines().count()
    }

    fn proc(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.server.id());
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(super) fn status(&self, field: &str) -> u64 {
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
        let path = format!("/proc/{}/clear_refs", self.server.id());
        std::fs::write(path, "5").unwrap();
    }

    /// Open file descriptors.
    pub(super) fn descriptors(&self) -> usize {
        let path = format!("/proc/{}/fd", self.server.id());
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

    /// Its threads.
    pub(super) fn threads(&self) -> u64 {
        self.status("Threads:")
    }

    /// The sum of a metric over all its labels.
    pub(super) async fn metric(&self, name: &str) -> f64 {
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

    /// Waits until nothing is in flight.
    pub(super) async fn is_quiet(&self) {
        let quiet = async {
            while self.metric("sevendigital_calls_in_flight").await > 0.0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        within("the calls in flight", quiet).await;
    }

    /// Waits until no more descriptors are open than that, and says how long it took.
    pub(super) async fn descriptors_fall_to(&self, most: usize) -> Duration {
        let started = Instant::now();
        let what = format!("{most} descriptors of {}", self.descriptors());
        until(&what, || self.descriptors() <= most).await;
        started.elapsed()
    }
}

/// Times, from which figures are made.
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
