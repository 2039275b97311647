//! The order: atomic multicast on one replicated log per group, as deterministic state machines
//! without IO.
//!
//! - `order`: Skeen's timestamps as a pure function of the log; `pending`: the commands that wait
//!   for theirs, and which of them may be delivered.
//! - `link`: a reliable channel between each two groups, whose ends are replicated state.
//! - `leader`: what a leader has taken in and not proposed; `peers`: the other groups, seen from a
//!   leader.
//! - [`GroupMulticast`]: one replica's part; implements [`ssmr_core::Multicast`] on a
//!   [`ssmr_log::GroupLog`].
//! - [`IdealMulticast`]: the same seam with one sequencer and no replication, for tests of what
//!   stands on it.
//!
//! What is not here: consensus (`ssmr-log`), execution (`ssmr-core`), sockets and disks
//! (`ssmr-net`).

mod batch;
mod filter;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod group;
mod ideal;
mod incoming;
mod leader;
mod link;
mod message;
mod order;
mod peers;
mod pending;
mod snapshots;
#[cfg(test)]
mod testing;

pub use batch::{BATCH_BYTES, Batch, Input};
pub use group::GroupMulticast;
pub use ideal::{IdealMulticast, Sequencer};
pub use leader::Announced;
pub use link::{Item, WireValue};
pub use message::Message;
pub use peers::LinkState;
pub use snapshots::{Capture, Captured, LOG_BYTES, MulticastSettings};
