//! Progress of what takes longer than a second: one line on the terminal, which goes when the work is done.

use std::io::{self, IsTerminal as _, Write as _};
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, interval_at};

/// How often the line is written, and when it first is.
const INTERVAL: Duration = Duration::from_secs(1);

/// Runs some work; on a terminal, a line on stderr says from the first second on how long it has taken.
pub(super) async fn beside<T>(work: impl Future<Output = T>) -> T {
    let mut err = io::stderr();
    if !err.is_terminal() {
        return work.await;
    }
    let started = Instant::now();
    let mut turns = interval_at(started + INTERVAL, INTERVAL);
    let mut work = pin!(work);
    let mut line = String::new();
    let done = loop {
        tokio::select! {
            biased;
            done = &mut work => break done,
            _ = turns.tick() => {}
        }
        line = format!("waiting for an answer: {} s", started.elapsed().as_secs());
        // Progress is worth no error.
        let _ = write!(err, "\r{line}").and_then(|()| err.flush());
    };
    if !line.is_empty() {
        let _ = write!(err, "\r{:width$}\r", "", width = line.len()).and_then(|()| err.flush());
    }
    done
}
