//! What a leader sends each follower: every entry, none twice unless it was lost, and not too many
//! at once.
//!
//! The library would send all that a follower lacks with every reply; here is what of it is really
//! sent.

use crate::member::MemberId;
use crate::noraft_adapter::{Consensus, position};
use crate::record::{LogEntry, LogPosition};
use crate::timing::Timing;
use noraft::LogEntries;
use std::collections::BTreeMap;
use std::time::Duration;

/// How many entries may be on their way to one follower.
const FOLLOWER_WINDOW: u64 = 256;
/// How many bytes of entries one message carries, unless a single entry is larger.
const MESSAGE_BYTES: usize = 4 << 20;

/// Entries that a follower does not take are sent again after a heartbeat; then after twice as
/// long each time, so often, lest a slow connection is filled with copies.
const DOUBLINGS: u32 = 5;

/// What a replica knows of the others of its group; most of it only while it leads.
#[derive(Debug, Default)]
pub(crate) struct Followers {
    known: BTreeMap<MemberId, Follower>,
    timing: Timing,
}

/// What the leader knows of a follower beyond what the library does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Follower {
    /// The last entry that was sent.
    sent: u64,
    /// The last entry that it said it has: not always one of ours. Until it says so, the last one
    /// before this leader's term.
    told: u64,
    /// The match index when the last heartbeat was due.
    matched: u64,
    /// When entries were last sent again.
    rewound: Duration,
    /// How often they were sent again since it took any.
    rewinds: u32,
    /// When it was last heard of.
    pub(crate) heard: Duration,
    /// Up to which moment of this leader's clock, in this term, it has confirmed it.
    pub(crate) confirmed: Option<Duration>,
}

impl Followers {
    /// Nobody is known yet.
    pub(crate) fn new(timing: Timing) -> Self {
        let known = BTreeMap::new();
        Self { known, timing }
    }

    /// The lengths of time of the group.
    pub(crate) fn timing(&self) -> Timing {
        self.timing
    }

    pub(crate) fn get(&self, id: MemberId) -> Option<&Follower> {
        self.known.get(&id)
    }

    /// It has confirmed this leader, in this term, up to a moment of the leader's clock.
    pub(crate) fn confirm(&mut self, id: MemberId, moment: Duration) {
        if let Some(follower) = self.known.get_mut(&id) {
            follower.confirmed = follower.confirmed.max(Some(moment));
        }
    }

    /// It says something.
    pub(crate) fn hear(&mut self, now: Duration, id: MemberId) {
        self.known.entry(id).or_default().heard = now;
    }

    /// Begins a term as a leader whose log ended at `last` before it. Followers are believed to
    /// have all of that until they say otherwise: the term's first entry must not wait for it.
    pub(crate) fn begin_term(&mut self, others: &[MemberId], last: u64) {
        for id in others {
            let follower = self.known.entry(*id).or_default();
            *follower = Follower {
                sent: last,
                told: last,
                heard: follower.heard,
                ..Follower::default()
            };
        }
    }

    /// Entries on their way to a follower seem lost: send again from what it is known to have.
    fn rewind(&mut self, now: Duration, to: MemberId, from: u64) {
        let follower = self.known.entry(to).or_default();
        follower.sent = from.min(follower.sent);
        follower.rewound = now;
    }

    /// Whether a majority, this replica included, has been heard of within two election timeouts.
    pub(crate) fn include_quorum(&self, now: Duration, consensus: &Consensus) -> bool {
        let recent = |id| {
            let heard = self.get(id).map(|follower| follower.heard);
            heard.is_some_and(|heard| heard + 2 * self.timing.election > now)
        };
        consensus.is_majority(|id| id == consensus.me() || recent(id))
    }

    /// What of `wanted` is sent to a follower now: nothing twice, nothing that has a gap before it,
    /// and not too much.
    pub(crate) fn portion(
        &mut self,
        consensus: &Consensus,
        to: MemberId,
        wanted: &LogEntries,
        broadcast: bool,
    ) -> Option<(LogPosition, Vec<LogEntry>)> {
        let first = position(wanted.prev_position());
        let last = wanted.last_position().index.get();
        if wanted.is_empty() {
            return Some((first, Vec::new()));
        }
        let follower = self.get(to).copied().unwrap_or_default();
        // A new leader does not know yet how far its followers match: what they say will do.
        let matched = consensus.matched(to).max(follower.told);
        // What was taken for lost may have come.
        let sent = follower.sent.max(consensus.matched(to));
        let gap = broadcast && sent < first.index;
        if gap || sent >= last || sent >= matched + FOLLOWER_WINDOW {
            return None;
        }
        let after = consensus.position_of(sent.max(first.index))?;
        let mut bytes = 0;
        let room = consensus.range(after.index, last).take_while(|entry| {
            let fits = bytes == 0 || bytes < MESSAGE_BYTES;
            bytes += entry.size_bytes();
            fits
        });
        let entries: Vec<LogEntry> = room.take(FOLLOWER_WINDOW as usize).cloned().collect();
        self.known.entry(to).or_default().sent = after.index + entries.len() as u64;
        Some((after, entries))
    }

    /// A follower says where its log ends, and whether what it was sent did not fit.
    pub(crate) fn on_appended(
        &mut self,
        now: Duration,
        from: MemberId,
        last: LogPosition,
        rejected: bool,
    ) {
        let Some(follower) = self.known.get_mut(&from) else {
            return;
        };
        follower.told = last.index;
        // One lost message makes the follower reject all that were behind it: rewind once, not once
        // for each.
        if rejected && now >= follower.rewound + self.timing.heartbeat / 4 {
            self.rewind(now, from, last.index);
        }
    }

    /// Sends entries again to followers that have not taken any since the last heartbeat, and
    /// forgets those that are no members any more.
    pub(crate) fn tend(&mut self, now: Duration, consensus: &Consensus) {
        for to in consensus.others() {
            let matched = consensus.matched(to);
            let follower = self.known.entry(to).or_default();
            let stalled = std::mem::replace(&mut follower.matched, matched) == matched;
            if !stalled {
                follower.rewinds = 0;
            }
            let patience = self.timing.heartbeat * 2u32.pow(follower.rewinds.min(DOUBLINGS));
            if stalled && follower.sent > matched && now >= follower.rewound + patience {
                follower.rewinds += 1;
                self.rewind(now, to, matched);
            }
        }
        self.known.retain(|id, _| consensus.is_member(*id));
    }
}
