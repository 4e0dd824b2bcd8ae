//! Tasks: reads end when no client waits for them, changes and purchases run to their end, and a drain waits for both.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::Instrument as _;

use crate::config::Limits;
use crate::problem::{Kind, Problem};

/// Runs the upstream work of calls. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Executor {
    reads: TaskTracker,
    changes: TaskTracker,
    /// Ends reads that outlast the drain.
    cancel_reads: CancellationToken,
    drain_reads_timeout: Duration,
    drain_changes_timeout: Duration,
}

impl Executor {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            reads: TaskTracker::new(),
            changes: TaskTracker::new(),
            cancel_reads: CancellationToken::new(),
            drain_reads_timeout: limits.drain_reads_timeout,
            drain_changes_timeout: limits.drain_changes_timeout,
        }
    }

    /// Runs a read in a task of its own, so that a panic ends that call and nothing else. Dropping the future ends the read.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let read = self.cancel_reads.clone().run_until_cancelled_owned(read);
        let task = AbortOnDropHandle::new(self.reads.spawn(read.in_current_span()));
        match task.await {
            Ok(Some(outcome)) => outcome,
            Ok(None) => Err(Problem::new(
                Kind::ShuttingDown,
                "This server is shutting down.",
                "Call again once it has been started anew.",
            )
            .after(Duration::from_secs(1))),
            // The panic hook has logged it.
            Err(_) => Err(Problem::internal()),
        }
    }

    /// Runs a change or a purchase to its end, whether or not anybody waits for it: 7digital may have it already.
    pub(super) async fn run_to_end<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let task = self.changes.spawn(change.in_current_span());
        task.await.unwrap_or_else(|_| Err(Problem::internal()))
    }

    /// Waits for the calls in flight: reads for some seconds, changes and purchases for as long as one may take.
    pub(super) async fn drain(&self) {
        self.reads.close();
        self.changes.close();
        let reads = async {
            let finished = tokio::time::timeout(self.drain_reads_timeout, self.reads.wait());
            if finished.await.is_err() {
                self.cancel_reads.cancel();
                self.reads.wait().await;
            }
        };
        let changes = tokio::time::timeout(self.drain_changes_timeout, self.changes.wait());
        let ((), _) = tokio::join!(reads, changes);
    }
}
