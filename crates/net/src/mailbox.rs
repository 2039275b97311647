//! The outgoing side of one connection: frames gather in a buffer, one task writes what has
//! gathered in one go.
//!
//! Whoever pushes never waits. At the bound, and while the other end is away, messages are dropped:
//! the protocol sends again what matters. While a write is under way the next batch gathers, so
//! slow connections get larger writes.

use crate::traffic::Traffic;
use crate::wire::{self, FAREWELL};
use bytes::BytesMut;
use serde::Serialize;
use std::io;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;

/// A buffer that grew beyond this is given back to the allocator after it was written.
const KEEP: usize = 1 << 20;

/// A bounded queue of encoded frames.
#[derive(Debug)]
pub(crate) struct Mailbox {
    queue: Mutex<Queue>,
    filled: Notify,
    limit: usize,
    traffic: Arc<Traffic>,
}

#[derive(Debug, Default)]
struct Queue {
    frames: BytesMut,
    shut: bool,
    /// A farewell was queued: nothing comes after it.
    ended: bool,
}

impl Mailbox {
    /// A mailbox that takes messages while it holds fewer than `limit` bytes.
    pub(crate) fn new(limit: usize, traffic: Arc<Traffic>) -> Self {
        let (queue, filled) = Default::default();
        Self {
            queue,
            filled,
            limit,
            traffic,
        }
    }

    /// Queues a message, or drops it.
    pub(crate) fn push<T: Serialize>(&self, message: &T) {
        let mut queue = self.queue();
        if queue.shut || queue.ended || queue.frames.len() >= self.limit {
            return self.traffic.dropped();
        }
        let was_empty = queue.frames.is_empty();
        match wire::append(&mut queue.frames, message) {
            Some(bytes) => self.traffic.sent(bytes),
            None => return self.traffic.dropped(),
        }
        drop(queue);
        if was_empty {
            self.filled.notify_one();
        }
    }

    /// Forgets what it holds. While it is shut it takes nothing.
    pub(crate) fn shut(&self, shut: bool) {
        let mut queue = self.queue();
        queue.frames.clear();
        queue.shut = shut;
    }

    /// Says farewell after what it holds. It takes nothing any more, and
    /// [`write_to`](Self::write_to) comes to an end.
    pub(crate) fn end(&self) {
        let mut queue = self.queue();
        if !queue.ended {
            queue.ended = true;
            queue.frames.extend_from_slice(&FAREWELL);
            drop(queue);
            self.filled.notify_one();
        }
    }

    /// Waits until there is something to send. For the one task that writes.
    pub(crate) async fn filled(&self) {
        while self.queue().frames.is_empty() {
            self.filled.notified().await;
        }
    }

    /// Writes what comes, until the connection breaks or a farewell was written.
    pub(crate) async fn write_to<W: AsyncWrite + Unpin>(&self, mut writer: W) -> io::Result<()> {
        let mut batch = BytesMut::new();
        loop {
            self.filled().await;
            let last = {
                let mut queue = self.queue();
                mem::swap(&mut batch, &mut queue.frames);
                queue.ended
            };
            writer.write_all(&batch).await?;
            if last {
                return writer.shutdown().await;
            }
            batch.clear();
            if batch.capacity() > KEEP {
                batch = BytesMut::new();
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn what_is_pushed_is_written_in_order_and_counted() {
        let traffic = Arc::new(Traffic::default());
        let mailbox = Arc::new(Mailbox::new(1 << 10, traffic.clone()));
        let (mut near, far) = tokio::io::duplex(16);
        let writer = mailbox.clone();
        let task = tokio::spawn(async move { writer.write_to(far).await });
        mailbox.push(&1u8);
        mailbox.push(&2u8);
        let mut bytes = [0; 10];
        near.read_exact(&mut bytes).await.unwrap();
        assert_eq!(bytes, [0, 0, 0, 1, 1, 0, 0, 0, 1, 2]);
        mailbox.push(&3u8);
        near.read_exact(&mut bytes[..5]).await.unwrap();
        assert_eq!(bytes[4], 3);
        assert_eq!(traffic.count().messages_sent, 3);
        assert_eq!(traffic.count().bytes_sent, 15);
        drop(near);
        mailbox.push(&4u8);
        assert!(task.await.unwrap().is_err());
    }

    #[tokio::test]
    async fn a_farewell_is_the_last_that_is_written() {
        let mailbox = Mailbox::new(1 << 10, Arc::default());
        mailbox.push(&1u8);
        mailbox.end();
        mailbox.end();
        mailbox.push(&2u8);
        let mut written = Vec::new();
        mailbox.write_to(&mut written).await.unwrap();
        assert_eq!(written, [0, 0, 0, 1, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn a_full_or_shut_mailbox_drops() {
        let traffic = Arc::new(Traffic::default());
        let mailbox = Mailbox::new(6, traffic.clone());
        (0..3u8).for_each(|message| mailbox.push(&message));
        assert_eq!(traffic.count().messages_dropped, 1);
        mailbox.shut(true);
        mailbox.push(&4u8);
        assert_eq!(traffic.count().messages_dropped, 2);
        mailbox.shut(false);
        mailbox.push(&5u8);
        assert_eq!(traffic.count().messages_sent, 3);
        assert_eq!(&mailbox.queue().frames[..], [0, 0, 0, 1, 5]);
    }
}
