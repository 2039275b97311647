//! What the replicas of a group say to each other.

use crate::member::Members;
use crate::record::{LogEntry, LogPosition};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A message within a group, with the generation that its sender is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogMessage {
    /// The sender's generation: with its index, the member that it is.
    pub generation: u64,
    /// What it says.
    pub body: Body,
}

/// What the replicas of a group say to each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// Would you vote for me in this term? Binds nobody.
    PreVoteCall {
        /// The term that the sender would campaign in.
        term: u64,
        /// Its last entry.
        last: LogPosition,
    },
    /// The answer to a pre-vote call.
    PreVoteReply {
        /// If granted, the term that was asked about; if not, the sender's own, which the asker has
        /// missed.
        term: u64,
        /// I would vote for you.
        granted: bool,
    },
    /// Vote for me.
    VoteCall {
        /// The candidate's term.
        term: u64,
        /// Its last entry.
        last: LogPosition,
        /// The leader of the term before has asked for it: whoever promised that one not to vote
        /// may vote.
        requested: bool,
    },
    /// The answer to a call for votes.
    VoteReply {
        /// The voter's term.
        term: u64,
        /// Whether it voted for the candidate.
        granted: bool,
    },
    /// Append these entries, or none: a heartbeat.
    Append(Append),
    /// The answer to `Append`.
    Appended {
        /// The follower's term.
        term: u64,
        /// Its last entry.
        last: LogPosition,
        /// The entries did not fit its log.
        rejected: bool,
    },
    /// A piece of a snapshot, for a follower that lacks entries which the leader no longer has.
    Chunk {
        /// The leader's term.
        term: u64,
        /// The piece.
        chunk: Chunk,
    },
    /// The answer to `Chunk`.
    ChunkTaken {
        /// The last entry that the snapshot includes.
        last: LogPosition,
        /// How many bytes of it are there.
        offset: u64,
    },
    /// Do you still follow me? For reads that are not ordered.
    ConfirmLeadership {
        /// The leader's term.
        term: u64,
        /// When it asked, by its own clock.
        asked: Duration,
    },
    /// I do, and shall vote for nobody for the length of an election timeout.
    LeadershipConfirmed {
        /// The leader's term.
        term: u64,
        /// When the leader asked.
        asked: Duration,
    },
    /// From the leader to a voter that has all of its log: campaign now, in my place. Raft's
    /// TimeoutNow.
    TakeOver {
        /// The leader's term.
        term: u64,
    },
    /// The sender is in a new generation and knows nothing: take me in. Said until it is a voter.
    Join,
    /// The leader's answer to a replica that it cannot take in, for its generation is not later
    /// than one that the group knows, or incredibly late.
    JoinLater {
        /// The generation in which it asked.
        refused: u64,
        /// The generation in which the group knows that replica.
        after: u64,
    },
}

impl LogMessage {
    /// Whether it may be large. What is not should not wait behind what is: leaders are judged by
    /// how soon they are heard. Messages may overtake each other anyway.
    #[must_use]
    pub fn is_bulk(&self) -> bool {
        // An empty `Append` too: overtaking entries that it follows it would be rejected.
        matches!(self.body, Body::Append(_) | Body::Chunk { .. })
    }
}

impl Body {
    /// The term that it bears.
    pub(crate) fn term(&self) -> Option<u64> {
        match self {
            Self::PreVoteCall { term, .. }
            | Self::PreVoteReply { term, .. }
            | Self::VoteCall { term, .. }
            | Self::VoteReply { term, .. }
            | Self::Append(Append { term, .. })
            | Self::Appended { term, .. }
            | Self::Chunk { term, .. }
            | Self::ConfirmLeadership { term, .. }
            | Self::LeadershipConfirmed { term, .. }
            | Self::TakeOver { term } => Some(*term),
            Self::ChunkTaken { .. } | Self::Join | Self::JoinLater { .. } => None,
        }
    }
}

/// A piece of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// The last entry that the snapshot includes.
    pub last: LogPosition,
    /// Who took part then.
    pub members: Members,
    /// How many bytes the whole state has.
    pub total: u64,
    /// A digest of the whole state.
    pub digest: u64,
    /// Where this piece begins.
    pub offset: u64,
    /// What is in it.
    pub bytes: Bytes,
}

/// Entries of a leader for one follower.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Append {
    /// The leader's term.
    pub term: u64,
    /// How far the leader knows the log to be committed.
    pub commit_index: u64,
    /// The entry before the first one.
    pub after: LogPosition,
    /// What comes behind it, in order.
    pub entries: Vec<LogEntry>,
}
