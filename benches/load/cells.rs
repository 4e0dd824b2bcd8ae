//! A cell of the tables: what how many clients do by which transport, and the figures of one server in it.

use std::fmt;
use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::http::Client;
use super::messages::{Era, straight};
use super::options::{Eras, Kind, Options, Transports};
use super::process::{Process, cpu};
use super::running::{Clients, Running};
use super::servers::Server;
use super::tally::Work;
use super::upstream::Upstream;

/// By what messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Http,
    Stdio,
}

impl Transport {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Stdio => "stdio",
        }
    }
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) kind: Kind,
    pub(crate) transport: Transport,
    pub(crate) era: Era,
    pub(crate) clients: usize,
    /// Milliseconds that the upstream takes.
    pub(crate) delay: u64,
}

/// What was measured of a server in a cell.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Figures {
    pub(crate) calls: usize,
    pub(crate) failed: usize,
    pub(crate) seconds: f64,
    pub(crate) calls_per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Seconds of processor for 1,000 calls: of the server, and of this program.
    pub(crate) cpu: Option<f64>,
    pub(crate) driver_cpu: f64,
    /// From the start of the process to the answer to its first call, a handshake included where there is one.
    pub(crate) start_ms: Option<f64>,
    /// Bytes in memory after that call, with all clients and sessions before they work, after it, and at most.
    pub(crate) idle: Option<u64>,
    pub(crate) ready: Option<u64>,
    pub(crate) after: Option<u64>,
    pub(crate) peak: Option<u64>,
    pub(crate) log_lines: usize,
}

impl Cell {
    /// All cells, in the order of the tables.
    pub(crate) fn all(options: &Options) -> Vec<Self> {
        let eras = match options.era {
            Eras::Modern => vec![Era::Modern],
            Eras::Legacy => vec![Era::Legacy],
            Eras::Both => vec![Era::Modern, Era::Legacy],
        };
        let transports = match options.transport {
            Transports::Http => vec![Transport::Http],
            Transports::Stdio => vec![Transport::Stdio],
            Transports::Both => vec![Transport::Http, Transport::Stdio],
        };
        let mut cells = Vec::new();
        let mut add = |kind, transport, delay, numbers: &[usize]| {
            for era in &eras {
                cells.extend(numbers.iter().map(|clients| Self {
                    kind,
                    transport,
                    era: *era,
                    clients: *clients,
                    delay,
                }));
            }
        };
        if options.kinds.contains(&Kind::Reads) {
            for transport in &transports {
                for delay in &options.delay {
                    add(Kind::Reads, *transport, *delay, &options.clients);
                }
            }
        }
        if options.kinds.contains(&Kind::Purchases) && transports.contains(&Transport::Http) {
            add(Kind::Purchases, Transport::Http, 0, &options.buyers);
        }
        cells
    }

    /// The callers that our server knows by name.
    pub(crate) fn principals(&self, options: &Options) -> usize {
        match (self.kind, self.transport) {
            (_, Transport::Stdio) => 0,
            (Kind::Reads, Transport::Http) => options.principals,
            _ => options.principals.max(self.clients),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (transport, clients, delay) = (self.transport.name(), self.clients, self.delay);
        write!(
            f,
            "{:?}, {transport}, {:?}, {clients} clients, {delay} ms",
            self.kind, self.era
        )
    }
}

/// Starts the server, and measures it.
pub(crate) async fn measure(
    options: &Options,
    cell: &Cell,
    server: &Server,
    upstream: &Upstream,
) -> io::Result<Figures> {
    upstream.delay.store(0, Ordering::Relaxed);
    if *server == Server::Straight {
        let address = upstream.address.to_string();
        let mut clients = Vec::new();
        for _ in 0..cell.clients {
            clients.push(Client::straight(&address, straight(&address)).await?);
        }
        upstream.delay.store(cell.delay, Ordering::Relaxed);
        return load(options, Clients::Http(clients), None, None).await;
    }
    let mut running = Running::start(options, cell, server, upstream, None).await?;
    let idle = running.process.memory("VmRSS")?;
    let clients = running.clients(options, cell).await?;
    upstream.delay.store(cell.delay, Ordering::Relaxed);
    let process = Some((&running.process, idle));
    load(options, clients, process, Some(running.start)).await
}

async fn load(
    options: &Options,
    clients: Clients,
    process: Option<(&Process, u64)>,
    start: Option<Duration>,
) -> io::Result<Figures> {
    let (warm_up, time) = options.times();
    let memory = |field| {
        process
            .map(|(process, _)| process.memory(field))
            .transpose()
    };
    let ready = memory("VmRSS")?;
    let (clients, warmed) = clients.work(Work::new(warm_up, None)).await?;
    let server = || process.map(|(process, _)| process.cpu()).transpose();
    let (own, before, started) = (cpu("self")?, server()?, Instant::now());
    let (clients, mut tally) = clients.work(Work::new(time, options.calls)).await?;
    let (seconds, after) = (started.elapsed().as_secs_f64(), server()?);
    let own = cpu("self")? - own;
    // Before its clients leave: a server ends with its pipes.
    let (resident, peak) = (memory("VmRSS")?, memory("VmHWM")?);
    drop(clients);
    let log = process.map(|(process, _)| process.log()).transpose()?;
    let calls = tally.times.len();
    tally.times.sort_unstable();
    if let Some(wrong) = tally.wrong.or(warmed.wrong) {
        super::say(&format!("a wrong answer: {wrong}"));
    }
    Ok(Figures {
        calls,
        failed: tally.failed + warmed.failed,
        seconds,
        calls_per_second: float(calls) / seconds,
        p50_ms: within(&tally.times, 500),
        p99_ms: within(&tally.times, 990),
        cpu: after
            .zip(before)
            .map(|(after, before)| (after - before) * 1e3 / float(calls)),
        driver_cpu: own * 1e3 / float(calls),
        start_ms: start.map(|start| start.as_secs_f64() * 1e3),
        idle: process.map(|(_, idle)| idle),
        ready,
        after: resident,
        peak,
        log_lines: log.map_or(0, |log| log.lines().count()),
    })
}

/// The milliseconds within which that part of all calls were done, in thousandths; the times are sorted.
fn within(times: &[u32], thousandths: usize) -> f64 {
    let place = times.len() * thousandths / 1_000;
    let time = times.get(place).or(times.last());
    f64::from(time.copied().unwrap_or_default()) / 1e3
}

#[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}
