//! A replicated log without IO: Raft (Ongaro and Ousterhout, 2014) as a deterministic state
//! machine.
//!
//! A group of replicas agrees on a sequence of byte strings. Each replica owns a [`GroupLog`].
//! Inputs come as calls with the time as an argument; outputs are appended to a [`LogOutbox`]:
//! first `records` are made durable, then `messages` are sent, or meanwhile where that is safe.
//! There is no clock, randomness, thread or socket in here, so whole groups can be simulated from a
//! seed.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `log.rs` | [`GroupLog`], which joins the others |
//! | `noraft_adapter.rs` | terms, votes, positions: the library `noraft`, and the entries |
//! | `election.rs` | timers and pre-vote (section 9.6 of Ongaro's thesis) |
//! | `replication.rs` | what each follower is sent, and when it is sent again |
//! | `read_index.rs` | confirmed leadership and leases (sections 6.4 and 6.4.1 there) |
//! | `hand_over.rs` | a leader that has another voter take over (section 3.10 there) |
//! | `founding.rs` | how a group gets its first members (section 4 there) |
//! | `membership.rs` | replicas that lost their memory, by joint consensus |
//! | `transfer.rs` | snapshots in chunks, for followers that are too far behind |
//!
//! What it knows of commands, multicast, clients: nothing.
//!
//! ```
//! use ssmr_log::{Committed, GroupLog, LogEntry, LogOutbox};
//! use std::time::Duration;
//!
//! // A group of one: it elects itself, and what it proposes is committed at once.
//! let mut log = GroupLog::new(0, 1, 7);
//! let mut out = LogOutbox::default();
//! log.on_timer(Duration::ZERO, &mut out);
//! assert!(log.is_leader());
//! log.propose(Duration::from_millis(1), "hello".into(), &mut out);
//! // Here a driver would store `out.records` and then send `out.messages`.
//! assert!(matches!(log.poll_committed(), Some(Committed::Entry(1, LogEntry::Term(1)))));
//! assert_eq!(
//!     log.poll_committed(),
//!     Some(Committed::Entry(2, LogEntry::Batch("hello".into())))
//! );
//! ```

mod election;
mod founding;
mod hand_over;
mod log;
mod member;
mod membership;
mod message;
mod mix;
mod noraft_adapter;
mod outbox;
mod read_index;
mod record;
mod replication;
mod timing;
mod transfer;
mod translation;

pub use founding::{Founding, FoundingRefused, Holding};
pub use hand_over::HandOverRefused;
pub use log::GroupLog;
pub use member::{MemberId, Members};
pub use message::{Append, Body, Chunk, LogMessage};
pub use outbox::LogOutbox;
pub use read_index::ConfirmedLeadership;
pub use record::{Committed, Cut, LogEntry, LogPosition, Record, Snapshot, Stored};
pub use transfer::CHUNK_BYTES;
