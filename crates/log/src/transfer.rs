//! Snapshots on their way to followers that lack entries which the leader no longer has, in chunks,
//! while the group goes on.
//!
//! ```text
//!   leader                                    follower
//!     |  its log begins behind what r2 has        |
//!     |  (a capture is encoded meanwhile)         |
//!     |---- Chunk 0, 1, 2, 3 -------------------->|
//!     |<--- ChunkTaken ---------------------------|
//!     |---- Chunk 4, ... ------------------------>|  whole: install, store
//!     |<--- Appended -----------------------------|  and go on with entries
//! ```
//!
//! Until it has caught up the leader keeps the log behind the snapshot, or a follower that takes
//! its time to store one would need the next one at once.

use crate::member::MemberId;
use crate::message::Chunk;
use crate::noraft_adapter::Consensus;
use crate::record::{LogPosition, Snapshot};
use crate::timing::Timing;
use bytes::BytesMut;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use twox_hash::XxHash3_64;

/// How many bytes of a snapshot one message carries, unless somebody wants it otherwise.
pub const CHUNK_BYTES: usize = 1 << 20;
/// How many messages with pieces of a snapshot may be on their way to one follower.
const WINDOW: usize = 4;
/// What a follower does not take is sent again after two heartbeats; then after twice as long each
/// time, so often.
const DOUBLINGS: u32 = 4;
/// How long a follower may stay silent before its transfer is given up.
const SILENCE: Duration = Duration::from_secs(5);

/// A leader's transfers.
#[derive(Debug)]
pub(crate) struct Transfers {
    /// How many bytes of a snapshot one message carries.
    chunk_bytes: usize,
    /// Followers that need a snapshot, and none is there for them yet.
    wanting: BTreeSet<MemberId>,
    snapshot: Option<(Snapshot, u64)>,
    to: BTreeMap<MemberId, Progress>,
    /// Followers that have taken a snapshot, and lack entries behind it.
    catching_up: BTreeMap<MemberId, CatchingUp>,
}

/// What a follower was filled with.
#[derive(Clone, Copy, Debug)]
struct CatchingUp {
    /// The last entry that the snapshot stands for.
    filled: u64,
    bytes: usize,
}

/// How far one follower is.
#[derive(Debug)]
struct Progress {
    taken: usize,
    /// What it said last that it has: less than it had taken if it was started anew.
    told: usize,
    sent: usize,
    /// When it took something last, or was sent it again.
    moved: Duration,
    /// How often it was sent something again since it took anything.
    resent: u32,
    heard: Duration,
}

/// Pieces for followers.
pub(crate) type Chunks = Vec<(MemberId, Chunk)>;

impl Transfers {
    /// Nobody needs anything.
    pub(crate) fn new(chunk_bytes: usize) -> Self {
        Self {
            chunk_bytes: chunk_bytes.max(1),
            wanting: BTreeSet::new(),
            snapshot: None,
            to: BTreeMap::new(),
            catching_up: BTreeMap::new(),
        }
    }

    /// A new term begins: whoever needs something will say so again.
    pub(crate) fn begin_term(&mut self) {
        *self = Self::new(self.chunk_bytes);
    }

    /// Whether a follower needs a snapshot that is not there yet.
    pub(crate) fn want_snapshot(&self) -> bool {
        !self.wanting.is_empty()
    }

    /// Whether pieces are on their way to it.
    pub(crate) fn is_filling(&self, id: MemberId) -> bool {
        self.to.contains_key(&id)
    }

    /// Up to which entry the log may be compacted, where `last` would do for all others: it is
    /// needed behind the snapshot that is being sent, and behind what those have that are catching
    /// up. It is kept for them until it is longer than another snapshot and `room_bytes` would be.
    pub(crate) fn compactable(
        &mut self,
        last: u64,
        room_bytes: usize,
        consensus: &Consensus,
    ) -> u64 {
        let has =
            |id: &MemberId, follower: &CatchingUp| follower.filled.max(consensus.matched(*id));
        self.catching_up.retain(|id, follower| {
            let has = has(id, follower);
            let caught_up = has > follower.filled && has >= last;
            let bytes = consensus.bytes_behind(has);
            !caught_up && bytes <= follower.bytes.saturating_add(room_bytes)
        });
        let catching_up = self.catching_up.iter();
        let behind = catching_up.map(|(id, follower)| has(id, follower));
        let sent = self
            .snapshot
            .iter()
            .map(|(snapshot, _)| snapshot.last.index);
        behind.chain(sent).fold(last, u64::min)
    }

    /// A follower's log ends before this one begins, at `base`.
    pub(crate) fn need_snapshot(
        &mut self,
        now: Duration,
        follower: MemberId,
        base: LogPosition,
        out: &mut Chunks,
    ) {
        if self.to.contains_key(&follower) {
            return;
        }
        let sent = self.snapshot.as_ref();
        if sent.is_some_and(|(snapshot, _)| snapshot.last.index >= base.index) {
            let progress = Progress {
                taken: 0,
                told: 0,
                sent: 0,
                moved: now,
                resent: 0,
                heard: now,
            };
            self.to.insert(follower, progress);
            self.send(follower, out);
        } else {
            self.wanting.insert(follower);
        }
    }

    /// Begins to send a snapshot to those that want one; the log begins at `base`.
    pub(crate) fn begin(
        &mut self,
        now: Duration,
        snapshot: Snapshot,
        base: LogPosition,
        out: &mut Chunks,
    ) {
        if snapshot.last.index < base.index || self.wanting.is_empty() {
            return;
        }
        let digest = XxHash3_64::oneshot(&snapshot.state);
        self.to.clear();
        self.snapshot = Some((snapshot, digest));
        for follower in std::mem::take(&mut self.wanting) {
            self.need_snapshot(now, follower, base, out);
        }
    }

    /// As many pieces as may be on their way to one follower.
    fn send(&mut self, to: MemberId, out: &mut Chunks) {
        let (Some((snapshot, digest)), Some(progress)) = (&self.snapshot, self.to.get_mut(&to))
        else {
            return;
        };
        let total = snapshot.state.len();
        let window = WINDOW * self.chunk_bytes;
        while progress.sent < total && progress.sent < progress.taken + window {
            let end = total.min(progress.sent + self.chunk_bytes);
            let chunk = Chunk {
                last: snapshot.last,
                members: snapshot.members.clone(),
                total: total as u64,
                digest: *digest,
                offset: progress.sent as u64,
                bytes: snapshot.state.slice(progress.sent..end),
            };
            progress.sent = end;
            out.push((to, chunk));
        }
    }

    /// A follower says how many bytes it has of the snapshot whose last entry is `last`.
    pub(crate) fn on_taken(
        &mut self,
        now: Duration,
        from: MemberId,
        last: LogPosition,
        offset: u64,
        out: &mut Chunks,
    ) {
        let (Some((snapshot, _)), Some(progress)) = (&self.snapshot, self.to.get_mut(&from)) else {
            return;
        };
        if snapshot.last != last {
            return;
        }
        let total = snapshot.state.len();
        let taken = usize::try_from(offset).unwrap_or(total).min(total);
        progress.heard = now;
        progress.told = taken;
        if taken > progress.taken {
            progress.taken = taken;
            progress.sent = progress.sent.max(taken);
            progress.moved = now;
            progress.resent = 0;
        }
        if taken == total {
            let (filled, bytes) = (snapshot.last.index, total);
            self.catching_up.insert(from, CatchingUp { filled, bytes });
            self.end(from);
        } else {
            self.send(from, out);
        }
    }

    fn end(&mut self, with: MemberId) {
        self.to.remove(&with);
        if self.to.is_empty() {
            self.snapshot = None;
        }
    }

    /// Sends again what seems lost; gives up those that stay silent.
    pub(crate) fn tend(&mut self, now: Duration, timing: Timing, out: &mut Chunks) {
        let patience = |resent: u32| 2 * timing.heartbeat * 2u32.pow(resent.min(DOUBLINGS));
        let progress = self.to.iter();
        let stalled = progress.filter(|(_, p)| now >= p.moved + patience(p.resent));
        let stalled: Vec<MemberId> = stalled.map(|(id, _)| *id).collect();
        for id in stalled {
            let Some(progress) = self.to.get_mut(&id) else {
                continue;
            };
            if now >= progress.heard + SILENCE {
                self.end(id);
                continue;
            }
            progress.taken = progress.told;
            progress.sent = progress.told;
            progress.moved = now;
            progress.resent += 1;
            self.send(id, out);
        }
    }
}

/// What a follower has of a snapshot.
#[derive(Debug, Default)]
pub(crate) struct IncomingSnapshot {
    last: LogPosition,
    digest: u64,
    bytes: BytesMut,
}

impl IncomingSnapshot {
    /// Takes a piece. Returns how many bytes are there, and the snapshot once it is whole and has
    /// its digest.
    pub(crate) fn take(&mut self, chunk: Chunk) -> (u64, Option<Snapshot>) {
        let Chunk { last, digest, .. } = chunk;
        if (self.last, self.digest) != (last, digest) {
            *self = Self {
                last,
                digest,
                bytes: BytesMut::new(),
            };
        }
        if chunk.offset == self.bytes.len() as u64 {
            self.bytes.extend_from_slice(&chunk.bytes);
        }
        let taken = self.bytes.len() as u64;
        if taken < chunk.total {
            return (taken, None);
        }
        let state = std::mem::take(self).bytes.freeze();
        let whole = taken == chunk.total && XxHash3_64::oneshot(&state) == digest;
        let snapshot = whole.then_some(Snapshot {
            last,
            members: chunk.members,
            state,
        });
        (taken, snapshot)
    }
}
