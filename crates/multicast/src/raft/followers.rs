//! What a Raft leader owes each follower: every entry, none twice unless it was lost, and not too many at once.
//!
//! The library would send all that a follower lacks with every reply; here is what of it is really sent.

use super::{HEARTBEAT, RaftLog, RaftMessage, position};
use crate::log::LogOutbox;
use noraft::{LogEntries, LogIndex, NodeId};
use ssmr_core::LocalTime;
use ssmr_core::log::{LogEntry, MemberId, Position};

/// How many entries may be on their way to one follower.
const FOLLOWER_WINDOW: u64 = 256;
/// How many bytes of entries one message carries, unless a single entry is larger.
const MESSAGE_BYTES: usize = 4 << 20;

/// What the leader knows of a follower beyond what the library does.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Follower {
    /// The last entry that was sent.
    pub(super) sent: u64,
    /// The last entry that it said it has: not always one of ours.
    pub(super) told: u64,
    /// The match index when the last heartbeat was due.
    pub(super) matched: u64,
    /// When entries were last sent again.
    pub(super) rewound: LocalTime,
    /// When it was last heard of.
    pub(super) heard: LocalTime,
    /// Up to which moment of this leader's clock, in this term, it has confirmed it.
    pub(super) confirmed: Option<LocalTime>,
}

impl RaftLog {
    /// What of `wanted` is sent to a follower now: nothing twice, nothing that has a gap before it, and not too much.
    pub(super) fn portion(
        &mut self,
        to: MemberId,
        wanted: &LogEntries,
        broadcast: bool,
    ) -> Option<(Position, Vec<LogEntry>)> {
        let (first, last) = (wanted.prev_position(), wanted.last_position().index.get());
        if wanted.is_empty() {
            return Some((position(first), Vec::new()));
        }
        let follower = self.followers.get(&to).copied().unwrap_or_default();
        // A new leader does not know yet how far its followers match: what they say will do.
        let (matched, sent) = (self.matched(to).max(follower.told), follower.sent);
        let gap = broadcast && sent < first.index.get();
        if gap || sent >= last || sent >= matched + FOLLOWER_WINDOW {
            return None;
        }
        let start = sent.max(first.index.get());
        let term = self.node.log().entries().get_term(LogIndex::new(start))?;
        let (base, mut bytes) = (self.base().0, 0);
        let room = self
            .entries
            .range((start - base) as usize..(last - base) as usize)
            .take_while(|entry| {
                let fits = bytes == 0 || bytes < MESSAGE_BYTES;
                bytes += entry.size();
                fits
            });
        let entries: Vec<LogEntry> = room.take(FOLLOWER_WINDOW as usize).cloned().collect();
        self.followers.entry(to).or_default().sent = start + entries.len() as u64;
        Some(((start, term.get()), entries))
    }

    pub(super) fn matched(&self, of: MemberId) -> u64 {
        self.node
            .follower_match_index(NodeId::new(of.number()))
            .map_or(0, LogIndex::get)
    }

    /// Entries on their way to a follower seem lost: send again from what it is known to have.
    pub(super) fn rewind(&mut self, now: LocalTime, to: MemberId, from: u64) {
        let follower = self.followers.entry(to).or_default();
        follower.sent = from.min(follower.sent);
        follower.rewound = now;
    }

    pub(super) fn heartbeat(&mut self, now: LocalTime, out: &mut LogOutbox<RaftMessage>) {
        self.deadline = now + HEARTBEAT;
        if !self.has_quorum(now) {
            // Followers that still hear this leader must be free to elect one that it can hear. So no heartbeat, but a
            // question that does not hold them back; whoever answers counts as heard.
            self.call_pre_votes(out);
            return;
        }
        for to in self.others() {
            let matched = self.matched(to);
            let follower = self.followers.entry(to).or_default();
            if std::mem::replace(&mut follower.matched, matched) == matched
                && follower.sent > matched
            {
                self.rewind(now, to, matched);
            }
        }
        let config = self.node.config();
        self.followers
            .retain(|id, _| config.contains(NodeId::new(id.number())));
        self.tend_transfers(now, out);
        self.promote(now, out);
        self.node.heartbeat();
        self.drain(now, &[], out);
    }
}
