//! The outgoing side of one connection: frames gather in a buffer, one task writes what has
//! gathered in one go.
//!
//! Whoever pushes never waits. At the bound, and while the other end is away, messages are dropped:
//! the protocol sends again what matters. While a write is under way the next batch gathers, so
//! slow connections get larger writes. An end that takes nothing for a while loses its connection.
//!
//! On an emulated network a frame waits here until it would have come to the other end; meanwhile
//! it counts as unwritten.

use crate::clock::Clock;
use crate::delay_line::DelayLine;
use crate::limits::STALL;
use crate::timer::Timer;
use crate::traffic::Traffic;
use crate::wire::{self, FAREWELL};
use bytes::{Buf, BytesMut};
use serde::Serialize;
use std::io;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::timeout;

/// A buffer that grew beyond this is given back to the allocator after it was written.
const KEEP: usize = 1 << 20;

/// The bytes that wait in several mailboxes together.
pub(crate) type Together = Arc<AtomicUsize>;

/// A bounded queue of encoded frames.
#[derive(Debug)]
pub(crate) struct Mailbox {
    queue: Mutex<Queue>,
    /// There is something to write.
    filled: Notify,
    closed: Notify,
    /// Something was written.
    written: Notify,
    limit: usize,
    stall: Duration,
    together: Together,
    traffic: Arc<Traffic>,
    /// The clock of the queue's delay line, if it has one.
    clock: Option<Clock>,
}

#[derive(Debug, Default)]
struct Queue {
    frames: BytesMut,
    /// When each of the frames is due, on an emulated network.
    line: Option<DelayLine>,
    /// The bytes of `frames` and of what is being written.
    unwritten: usize,
    shut: bool,
    /// A farewell was queued: nothing comes after it.
    ended: bool,
    /// Why the connection is to be closed without more ado.
    closed: Option<&'static str>,
}

impl Mailbox {
    /// A mailbox that takes messages while fewer than `limit` bytes wait.
    pub(crate) fn new(limit: usize, traffic: Arc<Traffic>) -> Self {
        Self::among(limit, STALL, Together::default(), traffic)
    }

    /// The same for one of several, of which all bytes are counted `together`. A connection that
    /// takes nothing for as long as `stall` is given up.
    pub(crate) fn among(
        limit: usize,
        stall: Duration,
        together: Together,
        traffic: Arc<Traffic>,
    ) -> Self {
        let (queue, filled, closed, written) = Default::default();
        Self {
            queue,
            filled,
            closed,
            written,
            limit,
            stall,
            together,
            traffic,
            clock: None,
        }
    }

    /// The same on an emulated network, by this clock. It may hold as many bytes more as would be
    /// under way on that network.
    pub(crate) fn over(mut self, line: Option<DelayLine>, clock: Clock) -> Self {
        if let Some(line) = line {
            self.limit = self.limit.saturating_add(line.allowance());
            self.clock = Some(clock);
            self.queue().line = Some(line);
        }
        self
    }

    /// Queues a message, or drops it.
    pub(crate) fn push<T: Serialize>(&self, message: &T) {
        let mut queue = self.queue();
        let takes = !queue.shut && !queue.ended && queue.closed.is_none();
        if !takes || queue.unwritten >= self.limit {
            return self.traffic.dropped();
        }
        let was_empty = queue.frames.is_empty();
        let Some(bytes) = wire::append(&mut queue.frames, message) else {
            return self.traffic.dropped();
        };
        self.delay(&mut queue, bytes);
        queue.unwritten += bytes;
        self.together.fetch_add(bytes, Relaxed);
        drop(queue);
        self.traffic.sent(bytes);
        if was_empty {
            self.filled.notify_one();
        }
    }

    /// How many bytes wait, those included that are being written.
    pub(crate) fn unwritten(&self) -> usize {
        self.queue().unwritten
    }

    /// Forgets what it holds. While it is shut it takes nothing.
    pub(crate) fn shut(&self, shut: bool) {
        let mut queue = self.queue();
        queue.clear();
        self.forget(&mut queue, usize::MAX);
        queue.shut = shut;
    }

    /// Says farewell after what it holds. It takes nothing any more, and
    /// [`write_to`](Self::write_to) comes to an end.
    pub(crate) fn end(&self) {
        let mut queue = self.queue();
        if !queue.ended {
            queue.ended = true;
            queue.frames.extend_from_slice(&FAREWELL);
            self.delay(&mut queue, FAREWELL.len());
            drop(queue);
            self.filled.notify_one();
        }
    }

    /// Forgets what it holds and takes nothing any more; [`write_to`](Self::write_to) ends with
    /// this reason.
    pub(crate) fn close(&self, why: &'static str) {
        let mut queue = self.queue();
        queue.clear();
        self.forget(&mut queue, usize::MAX);
        queue.closed = Some(why);
        drop(queue);
        self.closed.notify_one();
    }

    /// Waits until there is something to send. For the one task that writes.
    pub(crate) async fn filled(&self) {
        while self.queue().frames.is_empty() {
            self.filled.notified().await;
        }
    }

    /// Waits until no more than half of what it may hold waits. For the one task that reads what
    /// the other end asks.
    pub(crate) async fn has_room(&self) {
        while self.unwritten() > self.limit / 2 {
            self.written.notified().await;
        }
    }

    /// Writes what comes, until the connection breaks, a farewell was written, or it is
    /// [closed](Self::close).
    pub(crate) async fn write_to<W: AsyncWrite + Unpin>(&self, mut writer: W) -> io::Result<()> {
        let stalled = |_| io::Error::new(io::ErrorKind::TimedOut, "nothing is read");
        let mut batch = BytesMut::new();
        let timer = self.connected();
        loop {
            let last = tokio::select! {
                biased;
                why = self.closed() => return Err(why),
                () = self.due(timer.as_ref()) => self.take_due(&mut batch),
            };
            let mut written = 0;
            while written < batch.len() {
                let took = tokio::select! {
                    biased;
                    took = timeout(self.stall, writer.write(&batch[written..])) => took,
                    why = self.closed() => return Err(why),
                };
                let took = took.map_err(stalled)??;
                if took == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                written += took;
                let mut queue = self.queue();
                self.forget(&mut queue, took);
            }
            // Where bytes are encrypted the last ones may still wait.
            tokio::select! {
                biased;
                flushed = timeout(self.stall, writer.flush()) => flushed.map_err(stalled)??,
                why = self.closed() => return Err(why),
            }
            if last {
                return timeout(self.stall, writer.shutdown())
                    .await
                    .map_err(stalled)?;
            }
            batch.clear();
            if batch.capacity() > KEEP {
                batch = BytesMut::new();
            }
        }
    }

    /// Has what waits set out on the emulated network, now that somebody is there. Returns the
    /// timer to wait with.
    fn connected(&self) -> Option<Timer> {
        let clock = self.clock?;
        if let Some(line) = &mut self.queue().line {
            line.connected(clock.now());
        }
        Some(Timer::new(clock))
    }

    /// A frame of so many bytes was queued: on an emulated network it is due later.
    fn delay(&self, queue: &mut Queue, bytes: usize) {
        if let (Some(line), Some(clock)) = (&mut queue.line, self.clock) {
            line.push(clock.now(), bytes);
        }
    }

    /// Waits until there is something to write now. Cancel safe.
    async fn due(&self, timer: Option<&Timer>) {
        loop {
            self.filled().await;
            let Some(timer) = timer else {
                return;
            };
            let now = timer.now();
            let next = match &mut self.queue().line {
                Some(line) if !line.is_due(now) => line.next_look(now),
                _ => return,
            };
            timer.reaches(next).await;
        }
    }

    /// Moves what is to be written now to the end of `batch`. Returns whether that is all for ever.
    fn take_due(&self, batch: &mut BytesMut) -> bool {
        let queue = &mut *self.queue();
        match (&mut queue.line, self.clock) {
            (Some(line), Some(clock)) => {
                let due = line.take_due(clock.now());
                batch.extend_from_slice(&queue.frames[..due]);
                queue.frames.advance(due);
            }
            _ => mem::swap(batch, &mut queue.frames),
        }
        queue.ended && queue.frames.is_empty()
    }

    /// Waits until the connection is to be closed. Returns why.
    async fn closed(&self) -> io::Error {
        loop {
            if let Some(why) = self.queue().closed {
                return io::Error::new(io::ErrorKind::ConnectionAborted, why);
            }
            self.closed.notified().await;
        }
    }

    /// So many bytes wait no longer.
    fn forget(&self, queue: &mut Queue, bytes: usize) {
        let bytes = bytes.min(queue.unwritten);
        queue.unwritten -= bytes;
        self.together.fetch_sub(bytes, Relaxed);
        self.written.notify_one();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn clear(&mut self) {
        self.frames.clear();
        if let Some(line) = &mut self.line {
            line.clear();
        }
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let unwritten = self.unwritten();
        self.together.fetch_sub(unwritten, Relaxed);
    }
}

#[cfg(test)]
mod tests;
