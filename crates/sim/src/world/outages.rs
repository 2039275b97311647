//! What befalls data folders, the disks they are on and the machines of these.

use super::disk::{DataFolder, Disk};
use super::{World, WorldEvent};
use crate::report::SimulationReport;
use rand::RngExt;
use ssmr_core::{Micros, ReplicaId};

/// The longest that a write takes on a disk that is slow.
const SLOW_WRITE: Micros = 200_000;

impl World {
    pub(super) fn has_folders(&self) -> bool {
        self.options.profile.has_folders()
    }

    pub(super) fn folder(&mut self, id: ReplicaId) -> Option<&mut DataFolder> {
        match self.disks.get_mut(&id) {
            Some(Disk::Folder(folder)) => Some(folder),
            _ => None,
        }
    }

    /// All replicas crash at once, and the machines of many go down.
    pub(crate) fn black_out(&mut self) {
        let running: Vec<ReplicaId> = self.members.keys().copied().collect();
        self.note(|| "the power fails".into());
        running.into_iter().for_each(|id| self.crash(id));
    }

    /// A replica ends as it should.
    fn shut_down(&mut self, id: ReplicaId) {
        self.lament(id, "is shut down");
        self.leave(id);
        if let Some(folder) = self.folder(id) {
            folder.close();
        }
    }

    /// A replica is shut down and started again.
    pub(crate) fn restart(&mut self, id: ReplicaId) {
        self.shut_down(id);
        self.start(id);
    }

    /// Two replicas are shut down, and one is started with the folder of the other one.
    pub(crate) fn mix_up(&mut self, id: ReplicaId) {
        let others = self.topology.replicas();
        let others = others.filter(|other| *other != id && self.members.contains_key(other));
        let others: Vec<ReplicaId> = others.collect();
        if others.is_empty() {
            return;
        }
        let other = others[self.rng.random_range(0..others.len())];
        self.shut_down(id);
        self.shut_down(other);
        let (owner, generation) = (self.owner(id), self.next_generation());
        let Some(folder) = self.folder(other) else {
            return;
        };
        let opened = folder.open(owner, generation);
        folder.close();
        self.report.mixed_up += 1;
        self.note(|| format!("{id} is started with the folder of {other}"));
        if opened.is_ok() {
            // Nobody notices.
            let (first, second) = (self.disks.remove(&id), self.disks.remove(&other));
            let swapped = [(id, second), (other, first)].into_iter();
            self.disks
                .extend(swapped.filter_map(|(id, disk)| Some((id, disk?))));
        }
        self.start(id);
        self.start(other);
    }

    /// One of the next syncs of a replica's disk fails.
    pub(crate) fn fail_sync(&mut self, id: ReplicaId) {
        let skipped = self.rng.random_range(0..6);
        self.note(|| format!("a sync of the disk of {id} is going to fail"));
        if let Some(folder) = self.folder(id) {
            folder.files.fail_sync_in(skipped);
        }
    }

    /// A replica's disk becomes full: perhaps for good, if its group can do without it.
    pub(crate) fn fill_disk(&mut self, id: ReplicaId) {
        let room = self.rng.random_range(0..4_000);
        if self.rng.random_range(0..3) == 0 && self.can_forget(id) {
            self.stopped.insert(id);
            self.report.stops += 1;
        }
        self.note(|| format!("the disk of {id} has room for {room} bytes"));
        if let Some(folder) = self.folder(id) {
            folder.files.set_room(Some(room));
        }
    }

    /// A replica's disk becomes slow.
    pub(crate) fn slow_disk(&mut self, id: ReplicaId) {
        let longest = self.rng.random_range(1_000..SLOW_WRITE);
        self.note(|| format!("the disk of {id} is slow"));
        if let Some(folder) = self.folder(id) {
            folder.longest_write = longest;
        }
    }

    /// Disks are quick, have room and fail no more, but for those of replicas that never come back.
    pub(crate) fn heal_disks(&mut self) {
        if self.has_folders() {
            self.note(|| "disks work again".into());
        }
        for (id, disk) in &mut self.disks {
            if let Disk::Folder(folder) = disk
                && !self.stopped.contains(id)
            {
                folder.heal();
            }
        }
    }

    /// How long a replica is busy with storing, if it stores anything. What depends on it waits,
    /// and so does whatever reaches the replica meanwhile.
    pub(super) fn take_time(&mut self, id: ReplicaId, stores: bool) -> Micros {
        let longest = self.folder(id).map_or(0, |folder| folder.longest_write);
        let time = match (stores, self.store_time, longest) {
            (false, ..) | (true, 0, 0) => return 0,
            (true, 0, longest) => self.rng.random_range(1..longest),
            (true, time, _) => time,
        };
        self.report.slow_writes += 1;
        if let Some(member) = self.members.get_mut(&id) {
            member.busy_until = self.now + time;
        }
        time
    }

    /// Puts an event off that reaches a replica while it is busy, or a client that sleeps.
    pub(super) fn put_off(&mut self, event: WorldEvent) -> Option<WorldEvent> {
        let member = event.replica().and_then(|id| self.members.get(&id));
        let asleep = event.client().and_then(|id| self.asleep.get(&id));
        let busy = member.map(|member| &member.busy_until);
        match busy.or(asleep).copied() {
            Some(until) if until > self.now => {
                self.schedule(until.since(self.now), event);
                None
            }
            _ => Some(event),
        }
    }

    /// Adds what disks have done.
    pub(crate) fn count_disk_faults(&self, report: &mut SimulationReport) {
        for disk in self.disks.values() {
            if let Disk::Folder(folder) = disk {
                folder.count_faults(report);
            }
        }
    }
}
