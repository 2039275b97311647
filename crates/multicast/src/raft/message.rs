//! What the replicas of a group say to each other.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssmr_core::LocalTime;
use ssmr_core::log::{LogEntry, Members, Position};

/// A message within a group, with the generation that its sender is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaftMessage {
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
        last: Position,
    },
    /// The answer to a pre-vote call.
    PreVoteReply {
        /// If granted, the term that was asked about; if not, the sender's own, which the asker has missed.
        term: u64,
        /// I would vote for you.
        granted: bool,
    },
    /// Vote for me.
    VoteCall {
        /// The candidate's term.
        term: u64,
        /// Its last entry.
        last: Position,
    },
    /// The answer to a call for votes.
    VoteReply {
        /// The voter's term.
        term: u64,
        /// Whether it voted for the candidate.
        granted: bool,
    },
    /// Append these entries, or none: a heartbeat.
    Append {
        /// The leader's term.
        term: u64,
        /// The leader's commit index.
        commit: u64,
        /// The entry before the first one.
        after: Position,
        /// The entries.
        entries: Vec<LogEntry>,
    },
    /// The answer to `Append`.
    Appended {
        /// The follower's term.
        term: u64,
        /// Its last entry.
        last: Position,
        /// The entries did not fit its log.
        rejected: bool,
    },
    /// A piece of a snapshot, for a follower that lacks entries which the leader no longer has.
    Chunk {
        /// The leader's term.
        term: u64,
        /// The last entry that the snapshot includes.
        last: Position,
        /// Who took part then.
        members: Members,
        /// How many bytes the whole has.
        total: u64,
        /// A digest of the whole.
        digest: u64,
        /// Where this piece begins.
        offset: u64,
        /// The piece.
        bytes: Bytes,
    },
    /// The answer to `Chunk`.
    ChunkTaken {
        /// The last entry that the snapshot includes.
        last: Position,
        /// How many bytes of it are there.
        offset: u64,
    },
    /// Do you still follow me? For reads that are not ordered.
    Confirm {
        /// The leader's term.
        term: u64,
        /// When it asked, by its own clock.
        asked: LocalTime,
    },
    /// I do, and shall vote for nobody for the length of an election timeout.
    Confirmed {
        /// The leader's term.
        term: u64,
        /// When the leader asked.
        asked: LocalTime,
    },
    /// The sender is in a new generation and knows nothing: take me in. Said until it is a voter.
    Join,
}
