//! The order: atomic multicast on one consensus log per group, as deterministic state machines without IO.
//!
//! - [`GroupLog`]: what a group's replicas agree on; [`RaftLog`] is it on the `noraft` library.
//! - `order`: Skeen's timestamps as a pure function of the log.
//! - `link`: a reliable channel between each two groups, whose ends are replicated state.
//! - [`GroupMulticast`]: one replica's part; implements [`ssmr_core::Multicast`].
//!
//! What is not here: execution (`ssmr-core`), sockets and disks (`ssmr-net`).

mod filter;
mod group;
mod incoming;
mod link;
mod log;
mod order;
mod peers;
mod raft;
mod snapshots;

pub use group::GroupMulticast;
pub use link::{Item, WireValue};
pub use log::{Committed, Cut, GroupLog, LogOutbox, Stored};
pub use order::{Batch, Input};
pub use raft::{Body, RaftLog, RaftMessage};
pub use snapshots::{LOG_BYTES, MulticastSettings};

use serde::{Deserialize, Serialize};
use ssmr_core::{Command, CommandId};
use std::sync::Arc;

/// What replicas say to each other to order commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message<L> {
    /// Within a group: the log's own messages.
    Log(L),
    /// To the leader of another group: items of the link to it.
    Link {
        /// The first item's number.
        first: u64,
        /// The items.
        items: Vec<Item<WireValue>>,
    },
    /// To the leader of another group: its items up to this number are logged here.
    Acknowledge {
        /// The last item's number.
        upto: u64,
    },
    /// To the leader of another group: send the items after this number again, with all values.
    Pull {
        /// The last number that is not wanted.
        after: u64,
    },
    /// To any replica of another group, which has timestamped this command: nobody has handed it in here.
    Fetch {
        /// The command.
        id: CommandId,
    },
    /// The answer to `Fetch`.
    Relay(Arc<Command>),
    /// To all replicas of the other groups: the sender leads its group from now on.
    Leading,
    /// The receiver of a leader's message does not lead its group.
    NotLeader {
        /// Who does, as far as it knows.
        leader: Option<u8>,
    },
}
