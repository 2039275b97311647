//! Counts of what goes over the wire, for the tables. Relaxed atomics: they are statistics and
//! order nothing.

use serde::{Deserialize, Serialize};
use std::ops::{AddAssign, Sub};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters that one shell writes and anybody reads.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    messages_sent: AtomicU64,
    bytes_sent: AtomicU64,
    messages_received: AtomicU64,
    bytes_received: AtomicU64,
    messages_dropped: AtomicU64,
}

impl Traffic {
    /// A frame of so many bytes was handed to a connection.
    pub(crate) fn sent(&self, bytes: usize) {
        self.messages_sent.fetch_add(1, Relaxed);
        self.bytes_sent.fetch_add(bytes as u64, Relaxed);
    }

    /// A frame of so many bytes came in.
    pub(crate) fn received(&self, bytes: usize) {
        self.messages_received.fetch_add(1, Relaxed);
        self.bytes_received.fetch_add(bytes as u64, Relaxed);
    }

    /// A message found its queue full, or nobody connected.
    pub(crate) fn dropped(&self) {
        self.messages_dropped.fetch_add(1, Relaxed);
    }

    /// What has been counted so far.
    pub(crate) fn count(&self) -> TrafficCount {
        TrafficCount {
            messages_sent: self.messages_sent.load(Relaxed),
            bytes_sent: self.bytes_sent.load(Relaxed),
            messages_received: self.messages_received.load(Relaxed),
            bytes_received: self.bytes_received.load(Relaxed),
            messages_dropped: self.messages_dropped.load(Relaxed),
        }
    }
}

/// Messages and bytes, frames' length prefixes included, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficCount {
    /// Messages sent to replicas and clients.
    pub messages_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Messages received.
    pub messages_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// Messages that were dropped because a queue was full or a peer was away; the protocol sends
    /// them again.
    pub messages_dropped: u64,
}

impl AddAssign for TrafficCount {
    fn add_assign(&mut self, other: Self) {
        self.messages_sent += other.messages_sent;
        self.bytes_sent += other.bytes_sent;
        self.messages_received += other.messages_received;
        self.bytes_received += other.bytes_received;
        self.messages_dropped += other.messages_dropped;
    }
}

impl Sub for TrafficCount {
    type Output = Self;

    /// What was counted since `earlier`.
    fn sub(self, earlier: Self) -> Self {
        Self {
            messages_sent: self.messages_sent - earlier.messages_sent,
            bytes_sent: self.bytes_sent - earlier.bytes_sent,
            messages_received: self.messages_received - earlier.messages_received,
            bytes_received: self.bytes_received - earlier.bytes_received,
            messages_dropped: self.messages_dropped - earlier.messages_dropped,
        }
    }
}

impl std::iter::Sum for TrafficCount {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |mut sum, count| {
            sum += count;
            sum
        })
    }
}
