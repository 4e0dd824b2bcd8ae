//! Timeouts of a connection: for the header of a request, between two requests, and for a client that does not read its response.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::framing::FramingFilter;
use crate::config::Limits;

/// Bytes that a client takes within the write timeout, of a response that it does not take at once. With fewer a byte a second would keep a connection, and its answer.
const PROGRESS: usize = 256 << 10;
/// A header is being read, or its first byte awaited on a new connection.
const HEADER: u64 = 0;
/// A request is being answered; its body has a deadline of its own.
const BUSY: u64 = 1;
/// The answer is written, and the next request may come.
const IDLE: u64 = 2;
/// One request more.
const REQUEST: u64 = 4;

/// The phase of a connection, shared by its socket and its service. Requests are counted, so that the pause after one is never taken for the pause after another.
#[derive(Debug, Clone, Default)]
pub(super) struct Phase(Arc<AtomicU64>);

impl Phase {
    /// A request has arrived; it is being answered until the value is dropped.
    pub(super) fn busy(&self) -> Busy {
        self.0.fetch_add(REQUEST, Ordering::AcqRel);
        self.set(BUSY);
        Busy(self.clone())
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self, phase: u64) -> u64 {
        let now = self.get();
        let then = now - now % REQUEST + phase;
        self.0.store(then, Ordering::Release);
        then
    }
}

/// Held while a request is being answered.
#[derive(Debug)]
pub(super) struct Busy(Phase);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.set(IDLE);
    }
}

/// A socket that ends the connection of a client that is too slow.
#[derive(Debug)]
pub(super) struct TimeoutStream {
    socket: TcpStream,
    phase: Phase,
    framing: FramingFilter,
    /// The phase that `read_by` was set for.
    timed: u64,
    limits: Arc<Limits>,
    read_by: Pin<Box<Sleep>>,
    /// Set while the client takes nothing, or next to nothing.
    write_by: Option<WriteBy>,
}

impl TimeoutStream {
    pub(super) fn new(socket: TcpStream, phase: Phase, limits: &Arc<Limits>) -> Self {
        Self {
            socket,
            phase,
            framing: FramingFilter::default(),
            timed: HEADER,
            limits: Arc::clone(limits),
            read_by: Box::pin(tokio::time::sleep(limits.header_timeout)),
            write_by: None,
        }
    }

    fn is_in(&self, phase: u64) -> bool {
        self.timed % REQUEST == phase
    }

    fn enter(&mut self, phase: u64) {
        self.timed = phase;
        let timeout = match phase % REQUEST {
            HEADER => self.limits.header_timeout,
            IDLE => self.limits.keep_alive_timeout,
            _ => return,
        };
        self.read_by.as_mut().reset(Instant::now() + timeout);
    }

    /// Whether the timeout of the phase has passed.
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        !self.is_in(BUSY) && self.read_by.as_mut().poll(context).is_ready()
    }

    /// The result of writing, unless the client has taken too little for too long.
    fn written(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match (&written, &mut self.write_by) {
            (Poll::Ready(Ok(bytes)), Some(write_by)) => {
                write_by.taken += bytes;
                if write_by.taken >= PROGRESS {
                    self.write_by = None;
                }
                written
            }
            (Poll::Ready(_), _) => written,
            (Poll::Pending, _) => self.not_written(context),
        }
    }

    /// Nothing can be written at the moment.
    fn not_written<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        let timeout = self.limits.write_timeout;
        let write_by = self.write_by.get_or_insert_with(|| WriteBy {
            sleep: Box::pin(tokio::time::sleep(timeout)),
            taken: 0,
        });
        write_by.sleep.as_mut().poll(context).map(|()| late())
    }

    /// All that there was to write is written.
    fn flushed(
        &mut self,
        flushed: Poll<io::Result<()>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if flushed.is_pending() {
            return self.not_written(context);
        }
        self.write_by = None;
        flushed
    }
}

/// When a client must have taken more, and what it has taken since the wait began.
#[derive(Debug)]
struct WriteBy {
    sleep: Pin<Box<Sleep>>,
    taken: usize,
}

fn late<T>() -> io::Result<T> {
    Err(io::ErrorKind::TimedOut.into())
}

impl AsyncRead for TimeoutStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let phase = self.phase.get();
        if phase != self.timed {
            self.enter(phase);
        }
        // A header that is late stays late, however many bytes arrive.
        if self.is_in(HEADER) && self.is_late(context) {
            return Poll::Ready(late());
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, buffer);
        match read {
            Poll::Ready(_) => {
                let (_, bytes) = buffer.filled_mut().split_at_mut(before);
                if self.is_in(IDLE) && !bytes.is_empty() {
                    let phase = self.phase.set(HEADER);
                    self.enter(phase);
                    self.framing.restart();
                }
                if self.is_in(HEADER) {
                    self.framing.look(bytes);
                } else {
                    self.framing.skip(bytes);
                }
                read
            }
            Poll::Pending if self.is_late(context) => Poll::Ready(late()),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncWrite for TimeoutStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.written(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.written(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.socket).poll_flush(context);
        let phase = self.phase.get();
        if flushed.is_ready() && phase != self.timed && phase % REQUEST == IDLE {
            // The answer is out. hyper looks for the next request once something wakes it, so the clock is set here.
            self.enter(phase);
            let _ = self.is_late(context);
        }
        self.flushed(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.socket).poll_shutdown(context);
        self.flushed(shut, context)
    }
}
