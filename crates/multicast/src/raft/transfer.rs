//! Snapshots on their way to followers that lack entries which the leader no longer has, in chunks, while the group goes on.
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

use super::members::config;
use super::{HEARTBEAT, RaftLog, RaftMessage, library};
use crate::log::{GroupLog, LogOutbox};
use crate::raft::message::Body;
use bytes::{Bytes, BytesMut};
use ssmr_core::id::digest;
use ssmr_core::log::{MemberId, Members, Position, Record};
use ssmr_core::snapshot::Snapshot;
use ssmr_core::{LocalTime, Micros};
use std::collections::{BTreeMap, BTreeSet};

/// How many bytes of a snapshot one message carries.
const CHUNK: usize = 1 << 20;
/// How many bytes of a snapshot may be on their way to one follower.
const WINDOW: usize = 4 << 20;
/// How long a follower may stay silent before its transfer is given up.
const SILENCE: Micros = 5_000_000;

/// A leader's transfers.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    /// Followers that need a snapshot, and none is there for them yet.
    pub(super) wanting: BTreeSet<MemberId>,
    snapshot: Option<(Snapshot, u64)>,
    to: BTreeMap<MemberId, Progress>,
}

/// How far one follower is.
#[derive(Debug)]
struct Progress {
    taken: usize,
    /// What it said last that it has: less than it had taken if it was started anew.
    told: usize,
    sent: usize,
    /// When it took something last, or was sent it again.
    moved: LocalTime,
    heard: LocalTime,
}

/// What a follower has of a snapshot.
#[derive(Debug, Default)]
pub(super) struct IncomingSnapshot {
    last: Position,
    digest: u64,
    bytes: BytesMut,
}

impl Transfers {
    /// The oldest entry behind which the log is needed for followers that are being filled.
    pub(super) fn holds(&self) -> Option<Position> {
        self.snapshot.as_ref().map(|(snapshot, _)| snapshot.last)
    }
}

impl RaftLog {
    /// A follower's log ends before this one begins.
    pub(super) fn need_snapshot(
        &mut self,
        now: LocalTime,
        follower: MemberId,
        out: &mut LogOutbox<RaftMessage>,
    ) {
        let base = self.base();
        let transfers = &mut self.transfers;
        if transfers.to.contains_key(&follower) {
            return;
        }
        if transfers.holds().is_some_and(|last| last.0 >= base.0) {
            transfers.to.insert(
                follower,
                Progress {
                    taken: 0,
                    told: 0,
                    sent: 0,
                    moved: now,
                    heard: now,
                },
            );
            self.send_chunks(follower, out);
        } else {
            transfers.wanting.insert(follower);
        }
    }

    pub(super) fn begin_transfers(
        &mut self,
        now: LocalTime,
        snapshot: Snapshot,
        out: &mut LogOutbox<RaftMessage>,
    ) {
        if !self.is_leader() || snapshot.last.0 < self.base().0 {
            return;
        }
        let digest = digest(&snapshot.state);
        let wanting = std::mem::take(&mut self.transfers.wanting);
        if wanting.is_empty() {
            return;
        }
        self.transfers.to.clear();
        self.transfers.snapshot = Some((snapshot, digest));
        for follower in wanting {
            self.need_snapshot(now, follower, out);
        }
    }

    fn send_chunks(&mut self, to: MemberId, out: &mut LogOutbox<RaftMessage>) {
        let term = self.term();
        let Transfers {
            snapshot: Some((snapshot, digest)),
            to: all,
            ..
        } = &mut self.transfers
        else {
            return;
        };
        let Some(progress) = all.get_mut(&to) else {
            return;
        };
        let total = snapshot.state.len();
        while progress.sent < total && progress.sent < progress.taken + WINDOW {
            let end = total.min(progress.sent + CHUNK);
            let body = Body::Chunk {
                term,
                last: snapshot.last,
                members: snapshot.members.clone(),
                total: total as u64,
                digest: *digest,
                offset: progress.sent as u64,
                bytes: snapshot.state.slice(progress.sent..end),
            };
            progress.sent = end;
            out.messages.push((
                to.index(),
                RaftMessage {
                    generation: self.me.generation(),
                    body,
                },
            ));
        }
    }

    pub(super) fn on_chunk_taken(
        &mut self,
        now: LocalTime,
        from: MemberId,
        last: Position,
        offset: u64,
        out: &mut LogOutbox<RaftMessage>,
    ) {
        if self.transfers.holds() != Some(last) {
            return;
        }
        let total = self
            .transfers
            .snapshot
            .as_ref()
            .map_or(0, |(snapshot, _)| snapshot.state.len());
        let Some(progress) = self.transfers.to.get_mut(&from) else {
            return;
        };
        progress.heard = now;
        let taken = usize::try_from(offset).unwrap_or(total).min(total);
        progress.told = taken;
        if taken > progress.taken {
            progress.taken = taken;
            progress.sent = progress.sent.max(taken);
            progress.moved = now;
        }
        if taken == total {
            self.end_transfer(from);
        } else {
            self.send_chunks(from, out);
        }
    }

    fn end_transfer(&mut self, with: MemberId) {
        self.transfers.to.remove(&with);
        if self.transfers.to.is_empty() {
            self.transfers.snapshot = None;
        }
    }

    /// Sends again what seems lost; gives up those that stay silent.
    pub(super) fn tend_transfers(&mut self, now: LocalTime, out: &mut LogOutbox<RaftMessage>) {
        let stalled: Vec<MemberId> = self
            .transfers
            .to
            .iter()
            .filter(|(_, p)| now >= p.moved + 2 * HEARTBEAT)
            .map(|(id, _)| *id)
            .collect();
        for id in stalled {
            let Some(progress) = self.transfers.to.get_mut(&id) else {
                continue;
            };
            if now >= progress.heard + SILENCE {
                self.end_transfer(id);
                continue;
            }
            progress.taken = progress.told;
            progress.sent = progress.told;
            progress.moved = now;
            self.send_chunks(id, out);
        }
    }

    /// A piece of a snapshot has come from the leader `from`.
    pub(super) fn on_chunk(
        &mut self,
        now: LocalTime,
        from: MemberId,
        head: (Position, Members),
        (total, whole): (u64, u64),
        (offset, bytes): (u64, Bytes),
        out: &mut LogOutbox<RaftMessage>,
    ) {
        let (last, members) = head;
        self.contact = Some(now);
        self.deadline = now + self.patience();
        if last.0 <= self.node.commit_index().get() {
            // It is behind what is known here already: the next heartbeat tells the leader.
            return;
        }
        let incoming = &mut self.incoming;
        if (incoming.last, incoming.digest) != (last, whole) {
            *incoming = IncomingSnapshot {
                last,
                digest: whole,
                bytes: BytesMut::new(),
            };
        }
        if offset == incoming.bytes.len() as u64 {
            incoming.bytes.extend_from_slice(&bytes);
        }
        let taken = incoming.bytes.len() as u64;
        if taken >= total {
            let state = std::mem::take(&mut self.incoming).bytes.freeze();
            if taken == total && digest(&state) == whole {
                self.install(
                    Snapshot {
                        last,
                        members,
                        state,
                    },
                    out,
                );
                let body = Body::Appended {
                    term: self.term(),
                    last: self.last(),
                    rejected: false,
                };
                self.tell(from, body, out);
            }
        }
        self.tell(
            from,
            Body::ChunkTaken {
                last,
                offset: taken,
            },
            out,
        );
    }

    /// The snapshot takes the place of the log up to its last entry.
    fn install(&mut self, snapshot: Snapshot, out: &mut LogOutbox<RaftMessage>) {
        let base = self.base().0;
        if !self
            .node
            .handle_snapshot_installed(library(snapshot.last), config(&snapshot.members))
        {
            return;
        }
        let kept = (self.last().0 - snapshot.last.0) as usize;
        self.entries
            .truncate((self.last().0.saturating_sub(base)) as usize);
        let gone = self.entries.len() - kept.min(self.entries.len());
        self.entries.drain(..gone);
        self.polled = snapshot.last.0;
        let entries = self.entries.iter().cloned().collect();
        out.records.push(Record::Install {
            snapshot: snapshot.clone(),
            entries,
        });
        self.installed = Some(snapshot);
    }
}
