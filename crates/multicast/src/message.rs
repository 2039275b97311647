//! What replicas say to each other to order commands.

use crate::link::{Item, WireValue};
use serde::{Deserialize, Serialize};
use ssmr_core::{Command, LogTime, MessageId};
use ssmr_log::LogMessage;
use std::sync::Arc;

/// A message between replicas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Within a group: the log's own messages.
    Log(LogMessage),
    /// To the leader of another group: items of the link to it.
    Link {
        /// The first item's number.
        first: u64,
        /// Numbered on from the first one.
        items: Vec<Item<WireValue>>,
    },
    /// To the leader of another group: its items up to this number are logged here.
    Acknowledge {
        /// The last item's number.
        upto: u64,
        /// The sender's log time.
        time: LogTime,
    },
    /// To the leader of another group: send the items after this number again.
    Pull {
        /// The last number that is not wanted.
        after: u64,
        /// With all their values: they were not to be found in the shared cache.
        in_full: bool,
    },
    /// To any replica of another group, which has timestamped this command: nobody has handed it in
    /// here.
    Fetch {
        /// Which command.
        id: MessageId,
    },
    /// The answer to `Fetch`.
    Relay(Arc<Command>),
    /// To all replicas of the other groups: the sender leads its group from now on.
    Leading {
        /// The sender's log time.
        time: LogTime,
    },
    /// To all replicas of the other groups, of which the leaders listen: this group's log time is
    /// far behind, perhaps. And the answer of one whose time is far ahead.
    Time {
        /// The sender's log time.
        time: LogTime,
    },
    /// The receiver of a leader's message does not lead its group.
    NotLeader {
        /// Who does, as far as it knows.
        leader: Option<u8>,
    },
}

impl Message {
    /// Whether it may be large: see [`LogMessage::is_bulk`]. The items of a link are, and what
    /// comes behind them on the same link waits for them.
    #[must_use]
    pub fn is_bulk(&self) -> bool {
        match self {
            Self::Log(message) => message.is_bulk(),
            Self::Link { .. } | Self::Relay(_) => true,
            Self::Acknowledge { .. }
            | Self::Pull { .. }
            | Self::Fetch { .. }
            | Self::Leading { .. }
            | Self::Time { .. }
            | Self::NotLeader { .. } => false,
        }
    }
}
