//! Large answers: how much of them is received, and made into documents, at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;
use crate::limits::Limits;

/// Bytes of a body from which its answer is large.
const LARGE: usize = 32 << 10;
/// KiB of large answers that are documents at once, and not yet what the caller makes of them; one that is larger is alone. A document takes ten times its bytes.
const DOCUMENTS: u32 = 512;
/// Large answers that wait to be received.
const WAITING: usize = 128;

/// Lets large answers to reads in, by their KiB.
#[derive(Debug)]
pub(crate) struct LargeAnswers {
    received: Pool,
    documents: Pool,
    waiting: Semaphore,
    timeout: Duration,
}

/// Permits, one for each KiB.
#[derive(Debug)]
struct Pool {
    permits: Arc<Semaphore>,
    all: u32,
}

/// Held for a large answer, from the moment on at which it becomes a document. Whoever has the answer drops it when the document is gone.
#[derive(Debug, Clone)]
pub struct LargeAnswer(#[expect(dead_code, reason = "dropped")] Arc<OwnedSemaphorePermit>);

impl LargeAnswers {
    pub(crate) fn new(limits: &Limits) -> Self {
        let kib = u32::try_from(limits.large_answer_bytes.div_ceil(1 << 10));
        Self {
            received: Pool::new(kib.unwrap_or(u32::MAX >> 3)),
            documents: Pool::new(DOCUMENTS),
            waiting: Semaphore::new(WAITING),
            timeout: limits.large_answer_timeout,
        }
    }
}

/// What is let in of one answer.
#[derive(Debug)]
pub(crate) struct LetIn<'a> {
    answers: &'a LargeAnswers,
    /// None until the answer is large.
    permit: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl<'a> LetIn<'a> {
    /// As much as every answer may have.
    pub(crate) fn new(answers: &'a LargeAnswers) -> Self {
        Self {
            answers,
            permit: None,
            bytes: LARGE,
        }
    }

    /// Waits until that many bytes may be received, or twice as many as before if that is more.
    pub(crate) async fn reach(&mut self, bytes: usize) -> Result<(), Error> {
        if bytes <= self.bytes {
            return Ok(());
        }
        let all = bytes.max(2 * self.bytes);
        let LargeAnswers {
            received,
            waiting,
            timeout,
            ..
        } = self.answers;
        let _waiting = waiting.try_acquire().map_err(|_| Error::TooManyAnswers)?;
        let has = self
            .permit
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let more = received.acquire(has, all, *timeout).await?;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
        self.bytes = all;
        Ok(())
    }

    /// Waits until the whole body, of that many bytes, may be made into a document; none where it is not large.
    pub(crate) async fn read(self, bytes: usize) -> Result<Option<LargeAnswer>, Error> {
        if self.permit.is_none() {
            return Ok(None);
        }
        let LargeAnswers {
            documents, timeout, ..
        } = self.answers;
        let permit = documents.acquire(0, bytes, *timeout).await?;
        Ok(Some(LargeAnswer(Arc::new(permit))))
    }
}

impl Pool {
    fn new(all: u32) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(all as usize)),
            all,
        }
    }

    /// The permits for that many bytes, but for as many as it has; what is larger than all of them together has all.
    async fn acquire(
        &self,
        has: usize,
        bytes: usize,
        timeout: Duration,
    ) -> Result<OwnedSemaphorePermit, Error> {
        let kib = u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX);
        let has = u32::try_from(has).unwrap_or(u32::MAX);
        let missing = kib.min(self.all).saturating_sub(has);
        let acquired = Arc::clone(&self.permits).acquire_many_owned(missing);
        match tokio::time::timeout(timeout, acquired).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Error::TooManyAnswers),
        }
    }
}
