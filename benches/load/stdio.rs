//! A client at the other ends of a server's pipes, with some calls in flight.

use std::io;
use std::time::Instant;

use memchr::memmem;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStdin, ChildStdout};

use super::messages::{DIGITS, Era, Template, digits, hello, initialized, line};
use super::tally::{Expected, Tally, Work};

/// The client.
pub(crate) struct Client {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    request: Template,
    answer: Vec<u8>,
}

impl Client {
    /// Shakes hands, where the era has that.
    pub(crate) async fn open(
        (stdin, stdout): (ChildStdin, ChildStdout),
        era: Era,
        message: &str,
    ) -> io::Result<Self> {
        let mut client = Self {
            stdin,
            stdout: BufReader::with_capacity(64 << 10, stdout),
            request: line(message),
            answer: Vec::new(),
        };
        if era == Era::Legacy {
            let nothing = digits(0);
            client
                .stdin
                .write_all(line(&hello()).with(&nothing))
                .await?;
            client.read().await?;
            client
                .stdin
                .write_all(line(&initialized()).with(&nothing))
                .await?;
        }
        Ok(client)
    }

    async fn read(&mut self) -> io::Result<()> {
        self.answer.clear();
        match self.stdout.read_until(b'\n', &mut self.answer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    async fn send(&mut self, serial: String, calls: &mut Vec<(String, Instant)>) -> io::Result<()> {
        self.stdin.write_all(self.request.with(&serial)).await?;
        calls.push((serial, Instant::now()));
        Ok(())
    }

    /// Keeps so many calls in flight, until there is no more to do.
    pub(crate) async fn work(&mut self, in_flight: usize, work: &Work) -> io::Result<Tally> {
        let (mut tally, mut calls) = (Tally::default(), Vec::with_capacity(in_flight));
        while calls.len() < in_flight
            && let Some(serial) = work.next()
        {
            self.send(serial, &mut calls).await?;
        }
        while !calls.is_empty() {
            self.read().await?;
            let id = memmem::find(&self.answer, b"\"id\":\"n").map(|place| place + 7);
            let id = id.and_then(|place| self.answer.get(place..place + DIGITS));
            let known = |(serial, _): &(String, Instant)| Some(serial.as_bytes()) == id;
            let Some(place) = calls.iter().position(known) else {
                let answer = String::from_utf8_lossy(&self.answer);
                return Err(io::Error::other(format!("an answer to nothing: {answer}")));
            };
            let (serial, started) = calls.swap_remove(place);
            tally.add(started, Expected::Locker, &serial, &self.answer);
            if let Some(serial) = work.next() {
                self.send(serial, &mut calls).await?;
            }
        }
        Ok(tally)
    }
}
