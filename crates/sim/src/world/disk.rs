//! What one replica stores on: a value in memory that never fails, or a data folder of the real
//! store, on a machine of its own whose disk does.
//!
//! The calls are those of the event loop over TCP: records are appended before anything leaves, or
//! right after it where that is allowed; a snapshot is begun in the loop and written beside it.

use crate::report::SimulationReport;
use ssmr_core::{Micros, ReplicaOutbox};
use ssmr_log::{LogPosition, Record, Snapshot, Stored};
use ssmr_multicast::{Capture, GroupMulticast};
use ssmr_storage::faulty::FaultyFiles;
use ssmr_storage::{LogStore, OpenOptions, Owner, SnapshotWriter, StorageError};
use std::io;
use std::path::Path;

/// Where on its machine a replica keeps its data.
const FOLDER: &str = "/data";

/// What a replica stores on.
#[derive(Debug)]
pub(super) enum Disk {
    /// Takes all records or none, and loses nothing.
    Value(Stored),
    /// A data folder.
    Folder(DataFolder),
}

/// A data folder, and whoever has it open.
#[derive(Debug)]
pub(super) struct DataFolder {
    pub(super) files: FaultyFiles,
    /// While the replica runs.
    log: Option<LogStore<FaultyFiles>>,
    /// Whether appends are synced.
    sync: bool,
    /// The generation that is stored; `None` if the memory may be lost, until an opening tells.
    generation: Option<u64>,
    /// Something was not stored as a whole: if the power fails before the folder has been opened
    /// again, nobody can tell whether it was acknowledged.
    cut_short: bool,
    /// The longest that a write takes, if the disk is slow.
    pub(super) longest_write: Micros,
}

/// What a round of a replica has to store.
#[derive(Debug)]
pub(super) struct Unstored {
    pub(super) records: Vec<Record>,
    /// To be begun once the records are stored.
    pub(super) capture: Option<Capture>,
}

impl Unstored {
    /// Takes it out of what the round led to.
    pub(super) fn take(out: &mut ReplicaOutbox<GroupMulticast>) -> Self {
        Self {
            records: std::mem::take(&mut out.records),
            capture: out.capture.take(),
        }
    }

    /// Whether there is more than a snapshot.
    pub(super) fn has_records(&self) -> bool {
        !self.records.is_empty()
    }
}

/// A snapshot that is being made beside the running replica.
#[derive(Debug)]
pub(super) struct Snapshotting {
    pub(super) capture: Capture,
    /// Writes it into the data folder, if there is one.
    writer: Option<SnapshotWriter<FaultyFiles>>,
}

impl Snapshotting {
    /// Without a data folder.
    pub(super) fn of(capture: Capture) -> Self {
        let writer = None;
        Self { capture, writer }
    }

    pub(super) fn into_parts(self) -> (Capture, Option<SnapshotWriter<FaultyFiles>>) {
        (self.capture, self.writer)
    }
}

impl Disk {
    /// The generation in which the replica will come back with what it had; `None` if nobody can
    /// say that.
    pub(super) fn generation(&self) -> Option<u64> {
        match self {
            Self::Value(stored) => Some(stored.generation),
            Self::Folder(folder) => folder.generation,
        }
    }

    /// The last entry that the stored snapshot stands for.
    ///
    /// # Panics
    /// If it is a data folder.
    pub(super) fn base(&self) -> LogPosition {
        match self {
            Self::Value(stored) => stored.base(),
            Self::Folder(folder) => panic!("nobody reads {folder:?} while it is open"),
        }
    }
}

impl DataFolder {
    /// On a new disk.
    pub(super) fn new(seed: u64, sync: bool) -> Self {
        Self {
            files: FaultyFiles::new(seed),
            log: None,
            sync,
            generation: None,
            cut_short: false,
            longest_write: 0,
        }
    }

    /// Opens it for the replica of this owner. Returns what is stored, and whether the memory was
    /// lost.
    ///
    /// # Errors
    /// As [`LogStore::open`]. Whatever has failed, nobody has it open then.
    pub(super) fn open(
        &mut self,
        owner: Owner,
        new_generation: u64,
    ) -> Result<(Stored, bool), StorageError> {
        let options = OpenOptions {
            owner,
            sync: self.sync,
            new_generation,
        };
        let opened = LogStore::open(&self.files, Path::new(FOLDER), &options)?;
        self.generation = Some(opened.stored.generation);
        self.cut_short = false;
        self.log = Some(opened.log);
        Ok((opened.stored, opened.lost.is_some()))
    }

    /// Does something with the open log.
    fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut LogStore<FaultyFiles>) -> io::Result<T>,
    ) -> io::Result<T> {
        let Some(log) = &mut self.log else {
            return Err(io::Error::other("the log is not open"));
        };
        let done = work(log);
        self.cut_short |= done.is_err();
        done
    }

    /// Stores records.
    ///
    /// # Errors
    /// As [`LogStore::append`].
    pub(super) fn append(&mut self, records: Vec<Record>) -> io::Result<()> {
        let begun = records.iter().rev().find_map(|record| match record {
            Record::Generation(generation) => Some(*generation),
            _ => None,
        });
        self.attempt(|log| log.append(records))?;
        self.generation = begun.or(self.generation);
        Ok(())
    }

    /// Begins a snapshot.
    ///
    /// # Errors
    /// As [`LogStore::begin_snapshot`].
    pub(super) fn begin_snapshot(&mut self, mut capture: Capture) -> io::Result<Snapshotting> {
        let tail = std::mem::take(&mut capture.tail);
        let writer = Some(self.attempt(|log| log.begin_snapshot(tail))?);
        Ok(Snapshotting { capture, writer })
    }

    /// Writes a snapshot, and removes what it stands for.
    ///
    /// # Errors
    /// As [`SnapshotWriter::write`] and [`LogStore::forget_below`].
    pub(super) fn keep(
        &mut self,
        writer: Option<SnapshotWriter<FaultyFiles>>,
        snapshot: Snapshot,
    ) -> io::Result<()> {
        let Some(writer) = writer else { return Ok(()) };
        self.attempt(|log| {
            let number = writer.number();
            writer.write(snapshot)?;
            log.forget_below(number)
        })
    }

    /// Whether appends are synced.
    pub(super) fn is_synced(&self) -> bool {
        self.sync
    }

    /// Whether the memory may be lost if the power fails now.
    pub(super) fn is_at_risk(&self) -> bool {
        !self.sync || self.cut_short
    }

    /// The replica ends as it should: whatever was not synced is synced, if the disk lets it.
    pub(super) fn close(&mut self) {
        self.log = None;
        self.cut_short |= self.files.is_crashed();
        self.files.kill();
    }

    /// All works as it should.
    pub(super) fn heal(&mut self) {
        self.files.heal();
        self.longest_write = 0;
    }

    /// Adds what the disk has done.
    pub(super) fn count_faults(&self, report: &mut SimulationReport) {
        let faults = self.files.faults();
        report.torn += faults.torn;
        report.lost_writes += faults.lost;
        report.reordered_writes += faults.reordered;
        report.lost_names += faults.names_lost;
        report.failed_syncs += faults.failed_syncs;
        report.full_disks += faults.full;
    }

    /// The process dies, or with `power` its machine goes down.
    pub(super) fn fail(&mut self, power: bool) {
        if power && self.is_at_risk() {
            self.generation = None;
        }
        self.files.go_down();
        self.log = None;
        if power {
            self.files.fail_power();
        } else {
            self.files.kill();
        }
    }
}
