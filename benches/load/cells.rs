//! A cell of the tables: what how many clients do by which transport, and the figures of one server in it.

use std::fmt;
use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use super::http::{self, Client, Part, Wire, session};
use super::messages::{Era, purchase, read, straight};
use super::options::{Eras, Kind, Options, Transports};
use super::process::{Process, cpu, folder};
use super::servers::{Server, token};
use super::stdio;
use super::tally::{Expected, Tally, Work};
use super::upstream::Upstream;

/// How long a server may take to answer for the first time.
const FIRST_ANSWER: Duration = Duration::from_secs(60);

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

/// A server that has answered its first call.
pub(crate) struct Running {
    pub(crate) process: Process,
    address: String,
    stdio: Option<stdio::Client>,
    start: Duration,
}

impl Running {
    /// Starts it, behind another program if there is one.
    pub(crate) async fn start(
        options: &Options,
        cell: &Cell,
        server: &Server,
        upstream: &Upstream,
        behind: Option<&dyn Fn(&Command) -> Command>,
    ) -> io::Result<Self> {
        let folder = folder()?;
        let (command, address) = server.command(options, cell, upstream, folder.path())?;
        let command = match behind {
            Some(behind) => behind(&command),
            None => command,
        };
        let started = Instant::now();
        let mut process = Process::start(command, folder)?;
        let once = Work::new(Duration::ZERO, Some(1));
        if cell.transport == Transport::Stdio {
            let (stdin, stdout) = process.pipes()?;
            let mut stdio = stdio::Client::open(stdin, stdout, cell.era, &read(cell.era)).await?;
            stdio.work(1, &once).await?;
            return Ok(Self {
                process,
                address: String::new(),
                stdio: Some(stdio),
                start: started.elapsed(),
            });
        }
        let says_when = address.is_none();
        let address = match address {
            Some(address) => address,
            None => process.address().await?,
        };
        let first = async {
            loop {
                let client = Client::open(&part(options, cell, &address, Kind::Reads, 0)).await;
                match client {
                    Ok(client) => return Ok(client),
                    Err(error) if says_when => return Err(error),
                    Err(_) => sleep(Duration::from_millis(5)).await,
                }
            }
        };
        let client = timeout(FIRST_ANSWER, first).await??;
        http::work(vec![client], once).await?;
        Ok(Self {
            process,
            address,
            stdio: None,
            start: started.elapsed(),
        })
    }

    /// The clients, and older sessions that nobody uses.
    pub(crate) async fn clients(&mut self, options: &Options, cell: &Cell) -> io::Result<Clients> {
        if let Some(stdio) = self.stdio.take() {
            return Ok(Clients::Stdio(stdio, cell.clients));
        }
        let mut wire = Wire::connect(&self.address).await?;
        let principals = cell.principals(options);
        for number in 0..options.sessions {
            let caller = authorization(number, principals);
            session(&mut wire, &self.address, &caller).await?;
        }
        let mut clients = Vec::new();
        for number in 0..cell.clients {
            let part = part(options, cell, &self.address, cell.kind, number);
            clients.push(Client::open(&part).await?);
        }
        Ok(Clients::Http(clients))
    }
}

fn part<'a>(
    options: &Options,
    cell: &Cell,
    address: &'a str,
    kind: Kind,
    number: usize,
) -> Part<'a> {
    let (tool, message, expected) = match kind {
        Kind::Reads => ("get-user-locker", read(cell.era), Expected::Locker),
        Kind::Purchases | Kind::Commits => {
            ("purchase-user-item", purchase(cell.era), Expected::Purchase)
        }
    };
    let principals = cell.principals(options);
    // Spread over all that there are.
    let number = number * (principals / cell.clients.max(1)).max(1);
    Part {
        address,
        era: cell.era,
        tool,
        message,
        expected,
        authorization: authorization(number, principals),
    }
}

/// The header line by which a client says who it is, where callers have names.
fn authorization(number: usize, principals: usize) -> String {
    match number.checked_rem(principals) {
        Some(number) => format!("Authorization: Bearer {}\r\n", token(number)),
        None => String::new(),
    }
}

/// Clients that are ready.
pub(crate) enum Clients {
    Http(Vec<Client>),
    /// With so many calls in flight.
    Stdio(stdio::Client, usize),
}

impl Clients {
    /// They work, until there is no more to do.
    pub(crate) async fn work(self, work: Work) -> io::Result<(Self, Tally)> {
        match self {
            Self::Http(clients) => {
                let (clients, tally) = http::work(clients, work).await?;
                Ok((Self::Http(clients), tally))
            }
            Self::Stdio(mut client, in_flight) => {
                let tally = client.work(in_flight, &work).await?;
                Ok((Self::Stdio(client, in_flight), tally))
            }
        }
    }
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
        after: memory("VmRSS")?,
        peak: memory("VmHWM")?,
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
