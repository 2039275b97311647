//! What one log entry carries.

use crate::link::Item;
use serde::{Deserialize, Serialize};
use ssmr_core::{Command, Encoded, GroupId, LogTime, Micros};
use std::sync::Arc;

/// How many bytes one batch carries, unless a single input is larger or somebody wants it
/// otherwise.
pub const BATCH_BYTES: usize = 4 << 20;
/// The longest that one batch may advance the log's time.
pub(crate) const MAX_ELAPSED: Micros = 1_000_000;

/// What one log entry carries: all that the leader took in since the last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// How much time has passed for the leader since its previous batch, a second at most.
    pub elapsed: Micros,
    /// The log time of another group that is far ahead, or zero: this one's follows it, so that
    /// sessions are young and old for all groups alike.
    pub told: LogTime,
    /// The inputs, in order.
    pub inputs: Vec<Input>,
}

/// Something that reached a group and takes effect as part of its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// A command was handed in, by a client or by another destination group.
    Submit(Arc<Command>),
    /// The next items of the link from a group.
    Receive {
        /// The sending group.
        from: GroupId,
        /// The first item's number on the link.
        first: u64,
        /// The items.
        items: Vec<Item>,
    },
    /// A group has logged our link's items up to this number.
    Acknowledged {
        /// The receiving group.
        by: GroupId,
        /// The last item's number.
        upto: u64,
    },
}

impl Input {
    /// About how many bytes it takes in a batch.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Submit(command) => 128 + command.request.size(),
            Self::Receive { items, .. } => {
                32 + items.iter().map(Item::<Encoded>::size).sum::<usize>()
            }
            Self::Acknowledged { .. } => 16,
        }
    }
}
