//! What replicas store, and what becomes of it: snapshots that are done later, writes that tear,
//! disks that are lost.

use super::World;
use rand::RngExt;
use ssmr_core::mutant::{self, Mutant};
use ssmr_core::topology::mix;
use ssmr_core::{GroupId, ReplicaId};
use ssmr_log::{MemberId, Record, Stored};
use ssmr_multicast::{Capture, Captured};

impl World {
    /// Stores records, as all of them are or not at all. Returns whether the replica may go on and
    /// say what depends on them.
    pub(super) fn store(&mut self, id: ReplicaId, mut records: Vec<Record>) -> bool {
        if mutant::is_active(Mutant::VoteNotPersisted) {
            records.retain(|record| !matches!(record, Record::Vote { .. }));
        }
        let torn = !records.is_empty() && self.torn.remove(&id);
        if torn {
            records = self.tear(records);
            self.report.torn += 1;
        }
        let disk = self.disks.entry(id).or_default();
        records.into_iter().for_each(|record| disk.add(record));
        if torn {
            self.crash(id);
        }
        !torn || mutant::is_active(Mutant::AnswerBeforeSync)
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
    pub(super) fn keep_snapshot(&mut self, id: ReplicaId, start: u64, capture: Capture) {
        let Some(member) = self
            .members
            .get_mut(&id)
            .filter(|member| member.start == start)
        else {
            return;
        };
        let now = self.now + member.ahead;
        let (last, wanted) = (capture.last, capture.wanted);
        let snapshot = capture.encode();
        self.report.snapshots += 1;
        self.disks.entry(id).or_default().compact(snapshot.clone());
        let snapshot = Some(snapshot).filter(|_| wanted);
        let captured = Captured { last, snapshot };
        self.with_replica(id, |replica, out| replica.on_captured(now, captured, out));
    }

    /// The replica's next write is its last one, and only a part of it is stored.
    pub(crate) fn tear_next(&mut self, id: ReplicaId) {
        self.torn.insert(id);
    }

    /// A replica crashes and loses what it had stored, as far as its group can do without it. It
    /// comes back in a new generation.
    pub fn wipe(&mut self, id: ReplicaId) {
        let alone = self.topology.replica_count(id.group) == 1;
        if alone || !self.is_whole(id.group) {
            return;
        }
        self.crash(id);
        self.starts += 1;
        // The machine's calendar is not to be trusted.
        let generation = 1 + mix(self.starts) % (1 << 48);
        self.disks.insert(
            id,
            Stored {
                generation,
                ..Stored::default()
            },
        );
        self.report.wipes += 1;
    }

    /// Whether every replica of a group is a voter in its present generation, and none has stopped
    /// for good.
    pub(crate) fn is_whole(&self, group: GroupId) -> bool {
        let present = self.topology.members(group).map(|id| {
            let generation = self.disks.get(&id).map_or(0, |disk| disk.generation);
            MemberId::new(id.index, generation)
        });
        let present = present.collect();
        let settled = |id| {
            self.members[&id]
                .replica
                .multicast()
                .log()
                .settled_members()
        };
        let mut told = self.living(group).filter_map(settled);
        self.remaining(group) == usize::from(self.topology.replica_count(group))
            && told.any(|members| members.voters == present && members.learners.is_empty())
    }
}
