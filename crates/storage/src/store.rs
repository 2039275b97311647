//! A log that is open: appends go to its newest segment, snapshots into checkpoints beside it.
//!
//! One append is one frame is one write, and with `sync` one `fdatasync`: group commit, since the
//! event loop appends once a round.
//!
//! Invariant: what [`LogStore::append`] has returned for is read back by every later
//! [`LogStore::open`], in order, or that reports lost memory or an error.

use crate::checkpoint::SnapshotWriter;
use crate::files::{AppendFile, Files, RealFiles};
use crate::frames::frame;
use crate::mark;
use crate::names::{self, Listing};
use crate::segments::Segment;
use ssmr_core::codec;
use ssmr_core::mutant::{self, Mutant};
use ssmr_log::{LogEntry, Record, Stored};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many bytes a segment has before the next one is begun.
const SEGMENT: u64 = 64 << 20;

/// An open log. Dropping it syncs what was not.
#[derive(Debug)]
pub struct LogStore<F: Files = RealFiles> {
    files: F,
    folder: PathBuf,
    segment: Segment<F>,
    pub(crate) segment_bytes: u64,
    sync: bool,
    written_bytes: u64,
    /// Generation and vote, and nothing else.
    promises: Stored,
    /// Something could not be stored: nobody knows what is on the disk.
    failed: bool,
    lock: Arc<F::Lock>,
}

impl<F: Files> LogStore<F> {
    pub(crate) fn new(
        files: F,
        folder: &Path,
        sync: bool,
        segment: Segment<F>,
        stored: &Stored,
        lock: Arc<F::Lock>,
    ) -> Self {
        Self {
            files,
            folder: folder.into(),
            segment,
            segment_bytes: SEGMENT,
            sync,
            written_bytes: 0,
            promises: Stored {
                generation: stored.generation,
                term: stored.term,
                voted_for: stored.voted_for,
                ..Stored::default()
            },
            failed: false,
            lock,
        }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether each append is synced.
    pub fn is_synced(&self) -> bool {
        self.sync
    }

    /// How many bytes of frames it has written since it was opened.
    pub fn written_bytes(&self) -> u64 {
        self.written_bytes
    }

    /// Stores records, in order: all of them or none, however many they are. Only what comes before
    /// an [`Install`](Record::Install) may be stored without it.
    ///
    /// # Errors
    /// If they cannot be written or synced: a full disk, say. Nobody knows then whether they are
    /// stored; the log takes nothing more, and must be opened again.
    pub fn append(&mut self, records: Vec<Record>) -> io::Result<()> {
        self.attempt(|log| {
            let mut plain = Vec::with_capacity(records.len());
            for record in records {
                match record {
                    Record::Install { snapshot, entries } => {
                        log.write(&std::mem::take(&mut plain))?;
                        let writer = log.begin_checkpoint(entries)?;
                        let number = writer.number();
                        writer.write(snapshot)?;
                        log.forget_below(number)?;
                        continue;
                    }
                    Record::Generation(_) | Record::Vote { .. } => {
                        log.promises.add(record.clone());
                    }
                    Record::Append { .. } => {}
                }
                plain.push(record);
            }
            log.write(&plain)
        })
    }

    /// Begins a segment, so that a checkpoint can stand for all before it: a snapshot up to some
    /// entry, and `tail`, the entries that the log holds behind that one. What is returned writes
    /// it, at any time and in any thread; [`forget_below`](Self::forget_below) comes after that.
    ///
    /// # Errors
    /// If the segment cannot be begun. The log takes nothing more then.
    pub fn begin_snapshot(&mut self, tail: Vec<LogEntry>) -> io::Result<SnapshotWriter<F>> {
        self.attempt(|log| log.begin_checkpoint(tail))
    }

    /// The snapshot with this number is written: what it stands for is removed.
    ///
    /// # Errors
    /// If the folder cannot be read or a file cannot be removed.
    pub fn forget_below(&self, number: u64) -> io::Result<()> {
        let listing = Listing::read(&self.files, &self.folder)?;
        let old = listing.below(&self.folder, number);
        old.iter().try_for_each(|path| self.files.remove(path))
    }

    fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> io::Result<T>) -> io::Result<T> {
        if self.failed {
            return Err(io::Error::other("the log has failed before"));
        }
        let done = work(self);
        self.failed = done.is_err();
        done
    }

    fn begin_checkpoint(&mut self, tail: Vec<LogEntry>) -> io::Result<SnapshotWriter<F>> {
        self.begin_segment()?;
        let stored = Stored {
            entries: tail,
            ..self.promises.clone()
        };
        let (files, folder, lock) = (self.files.clone(), self.folder.clone(), self.lock.clone());
        Ok(SnapshotWriter::new(
            files,
            folder,
            self.segment.number,
            stored,
            lock,
        ))
    }

    fn write(&mut self, records: &[Record]) -> io::Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        if self.segment.length >= self.segment_bytes {
            self.begin_segment()?;
        }
        let segment = &mut self.segment;
        let frame = frame(segment.key, segment.length, &codec::encode(&records));
        segment.file.append(&frame)?;
        segment.length += frame.len() as u64;
        self.written_bytes += frame.len() as u64;
        if self.sync && !mutant::is_active(Mutant::AnswerBeforeSync) {
            segment.file.sync()?;
        }
        Ok(())
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        let (number, length) = (self.segment.number + 1, self.segment.length);
        let next = Segment::begin(&self.files, &self.folder, number, length)?;
        next.finish(&self.files, &self.folder)?;
        self.segment = next;
        Ok(())
    }

    /// Syncs all segments, and notes that it was done. Checkpoints are synced as they are written.
    fn close(&self) -> io::Result<()> {
        for number in Listing::read(&self.files, &self.folder)?.segments {
            self.files.sync(&names::segment(&self.folder, number))?;
        }
        mark::remove(&self.files, &self.folder)
    }
}

impl<F: Files> Drop for LogStore<F> {
    /// What was not synced is synced now, so that nobody has to doubt it later.
    fn drop(&mut self) {
        if self.sync || self.failed {
            return;
        }
        if let Err(error) = self.close() {
            tracing::warn!(folder = %self.folder.display(), %error, "the log cannot be synced");
        }
    }
}
