//! Large answers: how many are received, and made into documents, at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;
use crate::limits::Limits;

/// Bytes of a body from which its answer is large.
pub(crate) const LARGE: usize = 32 << 10;
/// KiB of large answers that are documents at once, and not yet what the caller makes of them; one that is larger is alone. A document takes ten times its bytes.
const DOCUMENTS: u32 = 512;
/// Large answers that wait to be received, for each that is. Their connections' buffers are full.
const WAITING: usize = 4;

/// Lets large answers to reads in.
#[derive(Debug)]
pub(crate) struct LargeAnswers {
    received: Arc<Semaphore>,
    waiting: Semaphore,
    documents: Arc<Semaphore>,
    timeout: Duration,
}

/// Held for a large answer, from the moment on at which it becomes a document. Whoever has the answer drops it when the document is gone.
#[derive(Debug, Clone)]
pub struct LargeAnswer(#[expect(dead_code, reason = "dropped")] Arc<OwnedSemaphorePermit>);

impl LargeAnswers {
    pub(crate) fn new(limits: &Limits) -> Self {
        let received = limits.large_answers.min(Semaphore::MAX_PERMITS / WAITING);
        Self {
            received: Arc::new(Semaphore::new(received)),
            waiting: Semaphore::new(WAITING * received),
            documents: Arc::new(Semaphore::new(DOCUMENTS as usize)),
            timeout: limits.large_answer_timeout,
        }
    }

    /// Before more than [`LARGE`] bytes of a body are received.
    pub(crate) async fn receive(&self) -> Result<OwnedSemaphorePermit, Error> {
        let waiting = self.waiting.try_acquire();
        let _waiting = waiting.map_err(|_| Error::TooManyAnswers)?;
        self.acquire(&self.received, 1).await
    }

    /// Once such a body of that many bytes is complete, before it is read.
    pub(crate) async fn read(&self, bytes: usize) -> Result<LargeAnswer, Error> {
        let kib = u32::try_from(bytes >> 10).map_or(DOCUMENTS, |kib| kib.min(DOCUMENTS));
        let permit = self.acquire(&self.documents, kib).await?;
        Ok(LargeAnswer(Arc::new(permit)))
    }

    async fn acquire(
        &self,
        permits: &Arc<Semaphore>,
        many: u32,
    ) -> Result<OwnedSemaphorePermit, Error> {
        let acquired = Arc::clone(permits).acquire_many_owned(many);
        match tokio::time::timeout(self.timeout, acquired).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Error::TooManyAnswers),
        }
    }
}
