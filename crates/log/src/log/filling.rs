//! Snapshots that take the place of the log: given to followers that are too far behind, and taken.

use super::GroupLog;
use crate::member::MemberId;
use crate::message::{Body, Chunk};
use crate::outbox::LogOutbox;
use crate::record::{LogPosition, Record, Snapshot};
use crate::transfer::Chunks;
use std::time::Duration;

impl GroupLog {
    /// Here is a snapshot for those that need one.
    pub fn offer(&mut self, now: Duration, snapshot: Snapshot, out: &mut LogOutbox) {
        if self.is_leader() {
            let (base, mut chunks) = (self.consensus.base(), Chunks::new());
            self.transfers.begin(now, snapshot, base, &mut chunks);
            self.send_chunks(chunks, out);
        }
    }

    /// The entries up to `last` are not needed at a restart any more: all but so many bytes of them
    /// may be forgotten. A leader keeps more for a follower that is being filled with a snapshot:
    /// at most the size of that and four times `keep_bytes`.
    ///
    /// # Panics
    /// If `last` was not in the log: only what was captured may be compacted.
    pub fn compact(&mut self, last: LogPosition, keep_bytes: usize) {
        let (consensus, room_bytes) = (&self.consensus, keep_bytes.saturating_mul(4));
        let until = self
            .transfers
            .compactable(last.index, room_bytes, consensus);
        self.consensus.compact(until, keep_bytes);
    }

    /// A piece of a snapshot has come from the leader `from`.
    pub(super) fn on_chunk(
        &mut self,
        now: Duration,
        from: MemberId,
        chunk: Chunk,
        out: &mut LogOutbox,
    ) {
        self.election.hear_leader(now, self.consensus.term());
        self.election.restart_timer(now);
        let last = chunk.last;
        if last.index <= self.consensus.commit_index() {
            // It is behind what is known here already: the next heartbeat tells the leader.
            return;
        }
        let (offset, snapshot) = self.incoming.take(chunk);
        if let Some(snapshot) = snapshot {
            self.install(snapshot, out);
            let body = Body::Appended {
                term: self.term(),
                last: self.consensus.last(),
                rejected: false,
            };
            self.tell(from, body, out);
        }
        self.tell(from, Body::ChunkTaken { last, offset }, out);
    }

    /// The snapshot takes the place of the log up to its last entry.
    fn install(&mut self, snapshot: Snapshot, out: &mut LogOutbox) {
        let installed = self.consensus.install(snapshot.last, &snapshot.members);
        let Some(entries) = installed else {
            return;
        };
        self.polled = snapshot.last.index;
        out.store(Record::Install {
            snapshot: snapshot.clone(),
            entries,
        });
        self.installed = Some(snapshot);
    }

    pub(super) fn send_chunks(&self, chunks: Chunks, out: &mut LogOutbox) {
        let term = self.term();
        let chunks = chunks.into_iter();
        chunks.for_each(|(to, chunk)| self.tell(to, Body::Chunk { term, chunk }, out));
    }
}
