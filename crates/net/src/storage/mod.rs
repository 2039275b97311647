//! What one replica stores: its vote and its log in checksummed segments, and snapshots that stand
//! for the oldest of them.
//!
//! One append is one frame is one write, and with `sync` one `fdatasync` (more only for more than
//! 16 MiB): group commit, since the event loop appends once a round.
//!
//! When it is opened again, a torn frame at the very end is cut off: nothing that depended on it
//! was sent. A frame that is broken while a whole one follows is no torn write; the file is
//! refused, with the place.
//!
//! ```text
//!   0000000003.log   0000000004.snapshot   0000000004.log   0000000005.log
//!   (to be removed)  stands for 1 to 3     the entries behind it, and so on
//! ```
//!
//! Invariant: what [`LogStore::append`] has returned for is read back by every later
//! [`LogStore::open`], in order, or is part of a snapshot that is.

mod boot;
mod frames;
mod segments;
mod snapshots;
#[cfg(test)]
mod tests;

use frames::{chunks, frame};
use segments::{numbers, open_segment, path, read_segment, remove_below};
use snapshots::Promises;
pub(crate) use snapshots::SnapshotWriter;
use ssmr_log::{LogEntry, LogPosition, Record};

use ssmr_log::Stored;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How many bytes a segment has before the next one is begun.
const SEGMENT: u64 = 64 << 20;

/// Where a replica keeps its log.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// Nowhere: a replica that stopped comes back as a new member, and its group must fill it.
    #[default]
    Memory,
    /// In files, left to the operating system: survives the death of the process, not of power.
    Async(PathBuf),
    /// In files, synced before anything that depends on them is sent.
    Sync(PathBuf),
}

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A file or folder cannot be used.
    #[error("cannot use {path}: {source}")]
    Io {
        /// The file or folder, as it was given.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process has the log open.
    #[error("{path} is in use by another process")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A frame in the middle is broken: this is not a torn write, and what follows must not be
    /// believed.
    #[error("{path} is corrupted at offset {offset}: a broken record with whole ones behind it")]
    Corrupted {
        /// The segment.
        path: PathBuf,
        /// Where the broken frame begins.
        offset: usize,
    },
    /// A snapshot is not what was written.
    #[error("{path} is corrupted: its checksum or its content is wrong")]
    BrokenSnapshot {
        /// The file.
        path: PathBuf,
    },
}

/// An open log.
#[derive(Debug)]
pub struct LogStore {
    folder: PathBuf,
    segment: u64,
    file: File,
    length: u64,
    sync: bool,
    promises: Promises,
    /// Held for as long as the log is open.
    _lock: File,
}

impl LogStore {
    /// Opens the log in `folder`, which is created if need be, and reads what is stored there.
    ///
    /// Nothing is returned if the log was not synced and the machine went down while it was open:
    /// its end may be lost, so all of it is removed, and the replica must come back as one that
    /// lost its memory.
    ///
    /// # Errors
    /// If the folder cannot be used, another process uses it, or a segment or snapshot is
    /// corrupted.
    pub fn open(folder: &Path, sync: bool) -> Result<(Self, Option<Stored>), StorageError> {
        let failed = |source| StorageError::Io {
            path: folder.into(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let lock = File::create(folder.join("lock")).map_err(failed)?;
        if lock.try_lock().is_err() {
            return Err(StorageError::InUse {
                path: folder.into(),
            });
        }
        let intact = boot::is_intact(folder).map_err(failed)?;
        if !intact {
            let why = "the machine went down: the log may lack its end and is given up";
            tracing::warn!(folder = %folder.display(), why);
            remove_below(folder, u64::MAX).map_err(failed)?;
        }
        let (number, mut stored) = snapshots::read_newest(folder)?;
        remove_below(folder, number).map_err(failed)?;
        let segments = numbers(folder, "log").map_err(failed)?;
        for (place, &segment) in segments.iter().enumerate() {
            let last = place + 1 == segments.len();
            read_segment(&path(folder, segment), last, &mut stored)?;
        }
        let segment = segments.last().copied().unwrap_or(number.max(1));
        let file = open_segment(folder, segment).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mark = if sync {
            boot::remove_mark
        } else {
            boot::set_mark
        };
        mark(folder).map_err(failed)?;
        let store = Self {
            folder: folder.into(),
            segment,
            file,
            length,
            sync,
            promises: Promises {
                generation: stored.generation,
                term: stored.term,
                voted_for: stored.voted_for,
            },
            _lock: lock,
        };
        Ok((store, intact.then_some(stored)))
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stores records, in order.
    ///
    /// They are one frame, which is stored as a whole or not at all if the machine fails meanwhile,
    /// unless they are larger than 16 MiB: then they are several, each synced before the next one
    /// is begun.
    ///
    /// # Errors
    /// If they cannot be written or synced: a full disk, say. The log must not be used any more.
    pub fn append(&mut self, records: Vec<Record>) -> io::Result<()> {
        let mut plain = Vec::with_capacity(records.len());
        for record in records {
            match record {
                Record::Install { snapshot, entries } => {
                    self.write(std::mem::take(&mut plain))?;
                    let writer = self.begin_snapshot(snapshot.last, entries)?;
                    writer.write(&snapshot)?;
                    self.forget_below(writer.number())?;
                    continue;
                }
                Record::Generation(generation) => self.promises.generation = generation,
                Record::Vote { term, voted_for } => {
                    (self.promises.term, self.promises.voted_for) = (term, voted_for);
                }
                Record::Append { .. } => {}
            }
            plain.push(record);
        }
        self.write(plain)
    }

    /// Begins a segment with the entries behind `last`, so that a snapshot up to there can stand
    /// for all before it. What is returned writes it, at any time and in any thread;
    /// [`forget_below`](Self::forget_below) comes after that.
    pub(crate) fn begin_snapshot(
        &mut self,
        last: LogPosition,
        tail: Vec<LogEntry>,
    ) -> io::Result<SnapshotWriter> {
        self.begin_segment()?;
        if !tail.is_empty() {
            let (after, entries) = (last, tail);
            self.write(vec![Record::Append { after, entries }])?;
        }
        Ok(SnapshotWriter {
            folder: self.folder.clone(),
            number: self.segment,
            promises: self.promises,
            sync: self.sync,
        })
    }

    /// The snapshot with this number is written: what it stands for is removed.
    pub(crate) fn forget_below(&self, number: u64) -> io::Result<()> {
        remove_below(&self.folder, number)
    }

    fn write(&mut self, records: Vec<Record>) -> io::Result<()> {
        for chunk in chunks(records) {
            if self.length >= SEGMENT {
                self.begin_segment()?;
            }
            let frame = frame(&chunk);
            self.file.write_all(&frame)?;
            self.length += frame.len() as u64;
            if self.sync {
                self.file.sync_data()?;
            }
        }
        Ok(())
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        let next = open_segment(&self.folder, self.segment + 1)?;
        (self.segment, self.file, self.length) = (self.segment + 1, next, 0);
        Ok(())
    }
}

impl Drop for LogStore {
    /// What was not synced is synced now, so that nobody has to doubt it later.
    fn drop(&mut self) {
        if !self.sync {
            let synced = sync_all(&self.folder).and_then(|()| boot::remove_mark(&self.folder));
            if let Err(error) = synced {
                tracing::warn!(folder = %self.folder.display(), %error, "the log cannot be synced");
            }
        }
    }
}

/// Syncs all files of a folder, and the folder.
fn sync_all(folder: &Path) -> io::Result<()> {
    for ending in ["log", "snapshot"] {
        for number in numbers(folder, ending)? {
            File::open(folder.join(format!("{number:010}.{ending}")))?.sync_all()?;
        }
    }
    File::open(folder)?.sync_all()
}
