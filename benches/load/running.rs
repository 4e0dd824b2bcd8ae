//! A server that runs, and the clients at it.

use std::io;
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::time::{sleep, timeout};

use super::cells::{Cell, Transport};
use super::http::{self, Client, Part, Wire, session};
use super::messages::{purchase, read};
use super::options::{Kind, Options};
use super::process::{Process, folder};
use super::servers::{Server, token};
use super::stdio;
use super::tally::{Expected, Tally, Work};
use super::upstream::Upstream;

/// How long a server may take to answer for the first time.
const FIRST_ANSWER: Duration = Duration::from_secs(60);

/// A server that has answered its first call.
pub(crate) struct Running {
    pub(crate) process: Process,
    /// Until the answer to that call.
    pub(crate) start: Duration,
    address: String,
    /// Whether clients open a stream, as some servers need it.
    has_stream: bool,
    /// The one client of a server that speaks over its pipes.
    stdio: Option<stdio::Client>,
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
        let has_stream = address.is_some();
        let (address, stdio, tally) = if cell.transport == Transport::Stdio {
            let pipes = process.pipes()?;
            let mut client = stdio::Client::open(pipes, cell.era, &read(cell.era)).await?;
            let tally = client.work(1, &once).await?;
            (String::new(), Some(client), tally)
        } else {
            let address = match address {
                Some(address) => address,
                None => process.address().await?,
            };
            let part = || part(options, cell, &address, Kind::Reads, 0, has_stream);
            let client = timeout(FIRST_ANSWER, first(part)).await??;
            let (_, tally) = http::work(vec![client], once).await?;
            (address, None, tally)
        };
        let start = started.elapsed();
        if let Some(wrong) = tally.wrong {
            return Err(io::Error::other(format!("a wrong answer: {wrong}")));
        }
        Ok(Self {
            process,
            start,
            address,
            has_stream,
            stdio,
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
            let part = part(
                options,
                cell,
                &self.address,
                cell.kind,
                number,
                self.has_stream,
            );
            clients.push(Client::open(&part).await?);
        }
        Ok(Clients::Http(clients))
    }
}

/// The first client of a server; one that does not say when it listens is tried again and again.
async fn first<'a>(part: impl Fn() -> Part<'a>) -> io::Result<Client> {
    loop {
        let part = part();
        match Client::open(&part).await {
            Err(error) if !part.has_stream => return Err(error),
            Err(_) => sleep(Duration::from_millis(5)).await,
            Ok(client) => return Ok(client),
        }
    }
}

fn part<'a>(
    options: &Options,
    cell: &Cell,
    address: &'a str,
    kind: Kind,
    number: usize,
    has_stream: bool,
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
        has_stream,
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
