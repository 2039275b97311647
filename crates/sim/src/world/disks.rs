//! What replicas store, and what becomes of it: snapshots that are done later, writes that tear,
//! disks that fail, fill up and are lost.

use super::disk::{DataFolder, Disk, Snapshotting, Unstored};
use super::{SNAPSHOT, World, WorldEvent};
use crate::app::Registers;
use crate::violation::InvariantViolation;
use rand::RngExt;
use ssmr_core::mutant::{self, Mutant};
use ssmr_core::topology::mix;
use ssmr_core::{Identity, ReplicaId};
use ssmr_log::{LogEntry, Record, Stored};
use ssmr_multicast::{Capture, Captured};
use ssmr_storage::{Owner, StorageError};
use std::io;

impl World {
    /// Gives every replica a data folder on a disk that fails.
    pub(super) fn make_folders(&mut self) {
        let sync = self.rng.random_range(0..4) > 0;
        for id in self.topology.replicas().collect::<Vec<_>>() {
            let folder = DataFolder::new(self.rng.random(), sync);
            self.disks.insert(id, Disk::Folder(folder));
        }
    }

    /// What a replica has stored when it starts; `None` if it cannot start.
    pub(super) fn open(&mut self, id: ReplicaId) -> Option<Stored> {
        let (owner, generation) = (self.owner(id), self.next_generation());
        let folder = match self.disks.get_mut(&id) {
            None => return Some(Stored::default()),
            Some(Disk::Value(stored)) => return Some(stored.clone()),
            Some(Disk::Folder(folder)) => folder,
        };
        let opened = folder.open(owner, generation);
        match opened {
            Ok((stored, lost)) => {
                self.report.lost_memories += u64::from(lost);
                Some(stored)
            }
            Err(StorageError::Io { .. }) => {
                self.report.failed_openings += 1;
                self.go_down(id);
                None
            }
            // What happens here never breaks what is stored.
            Err(error) => {
                let violation = InvariantViolation::Storage(format!("{id}: {error}"));
                self.violation = self.violation.take().or(Some(violation));
                None
            }
        }
    }

    /// The generation that a replica would begin now: the machine's calendar is not to be trusted.
    pub(super) fn next_generation(&self) -> u64 {
        1 + mix(self.starts + 1) % (1 << 48)
    }

    pub(super) fn owner(&self, replica: ReplicaId) -> Owner {
        let cluster = Identity::of::<Registers>(&*self.oracle, self.topology, 1);
        Owner { replica, cluster }
    }

    /// Stores at once what a replica has sent and not stored, in order. Returns whether it may go
    /// on.
    pub(super) fn store_unstored(&mut self, id: ReplicaId) -> bool {
        while let Some(member) = self.members.get_mut(&id)
            && let Some(unstored) = member.unstored.pop_front()
        {
            let start = member.start;
            if !self.store_round(id, start, unstored) {
                return false;
            }
        }
        true
    }

    /// Stores what a round led to. Returns whether the replica may go on.
    pub(super) fn store_round(&mut self, id: ReplicaId, start: u64, unstored: Unstored) -> bool {
        let Unstored { records, capture } = unstored;
        self.store(id, records) && capture.is_none_or(|capture| self.capture(id, start, capture))
    }

    /// Stores records. Returns whether the replica may go on and say what depends on them.
    fn store(&mut self, id: ReplicaId, mut records: Vec<Record>) -> bool {
        if mutant::is_active(Mutant::VoteNotPersisted) {
            records.retain(|record| !matches!(record, Record::Vote { .. }));
        }
        let full = records.iter().map(|record| self.full_batches(record));
        self.report.full_batches += full.sum::<u64>();
        if let Some(Disk::Folder(folder)) = self.disks.get_mut(&id) {
            let stored = folder.append(records);
            return self.is_stored(id, stored).is_some();
        }
        let torn = !records.is_empty() && self.torn.remove(&id);
        if torn {
            records = self.tear(records);
            self.report.torn += 1;
        }
        let disk = self.disks.entry(id);
        if let Disk::Value(stored) = disk.or_insert_with(|| Disk::Value(Stored::default())) {
            records.into_iter().for_each(|record| stored.add(record));
        }
        if torn {
            self.crash(id);
        }
        !torn || mutant::is_active(Mutant::AnswerBeforeSync)
    }

    /// How many entries of a record carry as much as one may, so that others had to wait.
    fn full_batches(&self, record: &Record) -> u64 {
        let most = self.options.profile.limits().batch_bytes;
        let full =
            |entry: &&LogEntry| matches!(entry, LogEntry::Batch(bytes) if bytes.len() >= most);
        match record {
            Record::Append { entries, .. } => entries.iter().filter(full).count() as u64,
            _ => 0,
        }
    }

    /// What the disk has done. A replica that cannot store stops: it must not say anything that
    /// depends on it.
    fn is_stored<T>(&mut self, id: ReplicaId, done: io::Result<T>) -> Option<T> {
        if done.is_err() {
            self.report.failed_writes += 1;
            self.crash(id);
        }
        done.ok()
    }

    /// Has a copy of a replica's state encoded and stored beside it. Returns whether the replica
    /// may go on.
    fn capture(&mut self, id: ReplicaId, start: u64, capture: Capture) -> bool {
        let snapshotting = match self.disks.get_mut(&id) {
            Some(Disk::Folder(folder)) => {
                let begun = folder.begin_snapshot(capture);
                let Some(begun) = self.is_stored(id, begun) else {
                    return false;
                };
                begun
            }
            _ => Snapshotting::of(capture),
        };
        let delay = self.rng.random_range(0..SNAPSHOT);
        self.schedule(delay, WorldEvent::Captured(id, start, snapshotting));
        true
    }

    /// What is left of a write that was cut short: it may be a part of each kind that a long one is
    /// made of.
    fn tear(&mut self, mut records: Vec<Record>) -> Vec<Record> {
        let whole = self.rng.random_range(0..=records.len());
        let broken = records.drain(whole..).next();
        if let Some(Record::Append { after, mut entries }) = broken
            && entries.len() > 1
        {
            entries.truncate(self.rng.random_range(1..entries.len()));
            records.push(Record::Append { after, entries });
        }
        records
    }

    /// A snapshot is encoded and stored, unless the replica has crashed meanwhile.
    pub(super) fn keep_snapshot(&mut self, id: ReplicaId, start: u64, begun: Snapshotting) {
        let Some(member) = self
            .members
            .get_mut(&id)
            .filter(|member| member.start == start)
        else {
            return;
        };
        let now = member.clock.at(self.now);
        let (capture, writer) = begun.into_parts();
        let (last, wanted) = (capture.last, capture.wanted);
        let snapshot = capture.encode();
        self.report.snapshots += 1;
        let pieces = snapshot.state.len() > self.options.profile.limits().chunk_bytes;
        self.report.sent_in_pieces += u64::from(wanted && pieces);
        match self.disks.get_mut(&id) {
            Some(Disk::Folder(folder)) => {
                let kept = folder.keep(writer, snapshot.clone());
                if self.is_stored(id, kept).is_none() {
                    return;
                }
            }
            Some(Disk::Value(stored)) => stored.compact(snapshot.clone()),
            None => {}
        }
        let snapshot = Some(snapshot).filter(|_| wanted);
        let captured = Captured { last, snapshot };
        self.with_replica(id, 1, |replica, out| {
            replica.on_captured(now, captured, out);
        });
    }

    /// One of the replica's next writes is its last one, and only a part of it is stored.
    pub(crate) fn tear_next(&mut self, id: ReplicaId) {
        self.note(|| format!("{id} is going to crash in the middle of a write"));
        match self.disks.get_mut(&id) {
            Some(Disk::Folder(folder)) => {
                let number = folder.files.operations() + self.rng.random_range(1..8);
                folder.files.crash_at(number);
            }
            _ => {
                self.torn.insert(id);
            }
        }
    }

    /// The process of a replica has ended; or its machine goes down, where its group can do without
    /// what may be lost then.
    pub(super) fn go_down(&mut self, id: ReplicaId) {
        let Some(Disk::Folder(folder)) = self.disks.get(&id) else {
            return;
        };
        let may_lose = !folder.is_at_risk() || self.can_forget(id);
        let power = self.rng.random() && may_lose;
        self.report.power_failures += u64::from(power);
        if let Some(Disk::Folder(folder)) = self.disks.get_mut(&id) {
            folder.fail(power);
        }
    }

    /// A replica crashes and loses what it had stored, as far as its group can do without it. It
    /// comes back in a new generation.
    pub fn wipe(&mut self, id: ReplicaId) {
        if !self.can_forget(id) {
            return;
        }
        self.note(|| format!("{id} loses what it had stored"));
        self.report.wipes_in_change += u64::from(self.is_changing(id.group));
        self.crash(id);
        let generation = self.next_generation();
        self.starts += 1;
        let fresh = match self.disks.get(&id) {
            Some(Disk::Folder(folder)) => {
                folder.count_faults(&mut self.report);
                let sync = folder.is_synced();
                Disk::Folder(DataFolder::new(self.rng.random(), sync))
            }
            _ => Disk::Value(Stored {
                generation,
                ..Stored::default()
            }),
        };
        self.disks.insert(id, fresh);
        self.report.wipes += 1;
    }
}
