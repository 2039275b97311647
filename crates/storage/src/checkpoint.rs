//! Checkpoints: number N holds all that a replica had stored when segment N was begun: generation,
//! vote, a snapshot, and the entries behind it. It stands for all segments below N.
//!
//! One rename makes all of it count. The entries are in it, and not at the head of the segment,
//! because nothing that is read back may ever take away an entry that is held: a tail that is
//! appended anew in pieces would, between two of them.

use crate::files::{Files, create_whole};
use crate::names;
use crate::segments::FORMAT;
use ssmr_core::codec;
use ssmr_core::mutant::{self, Mutant};
use ssmr_log::{Snapshot, Stored};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use twox_hash::XxHash3_64;

const MAGIC: [u8; 8] = *b"ssmr-chk";

/// Magic, format, check.
const HEADER: usize = 8 + 4 + 8;

/// Why a checkpoint is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadCheckpoint {
    /// It is not what was written.
    Broken,
    /// It was written by another version.
    Format(u32),
}

/// Writes a checkpoint. It counts when this returns.
pub(crate) fn write<F: Files>(
    files: &F,
    folder: &Path,
    number: u64,
    stored: &Stored,
) -> io::Result<()> {
    let content = codec::encode(stored);
    let parts: [&[u8]; 2] = [&header(number, &content), &content];
    create_whole(files, &names::checkpoint(folder, number), &parts)?;
    Ok(())
}

/// What stands before the content.
pub(crate) fn header(number: u64, content: &[u8]) -> Vec<u8> {
    let check = check(number, content).to_le_bytes();
    [&MAGIC[..], &FORMAT.to_le_bytes(), &check].concat()
}

/// Reads what the checkpoint with this number holds.
pub(crate) fn read(number: u64, bytes: &[u8]) -> Result<Stored, BadCheckpoint> {
    let (header, content) = bytes
        .split_first_chunk::<HEADER>()
        .filter(|(header, _)| header.starts_with(&MAGIC))
        .ok_or(BadCheckpoint::Broken)?;
    let format = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
    if format != FORMAT {
        return Err(BadCheckpoint::Format(format));
    }
    if !header.ends_with(&check(number, content).to_le_bytes()) {
        return Err(BadCheckpoint::Broken);
    }
    codec::decode_own(content).map_err(|_| BadCheckpoint::Broken)
}

fn check(number: u64, content: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(number, content)
}

/// Writes one checkpoint beside the running log, in whichever thread. The folder stays locked until
/// it is dropped.
#[derive(Debug)]
pub struct SnapshotWriter<F: Files> {
    files: F,
    folder: PathBuf,
    number: u64,
    /// What is stored besides the snapshot.
    stored: Stored,
    _lock: Arc<F::Lock>,
}

impl<F: Files> SnapshotWriter<F> {
    pub(crate) fn new(
        files: F,
        folder: PathBuf,
        number: u64,
        mut stored: Stored,
        lock: Arc<F::Lock>,
    ) -> Self {
        if mutant::is_active(Mutant::CheckpointsWithoutTail) {
            stored.entries.clear();
        }
        Self {
            files,
            folder,
            number,
            stored,
            _lock: lock,
        }
    }

    /// Its number, for [`LogStore::forget_below`](crate::LogStore::forget_below).
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Writes the snapshot. It is synced, whatever the log's durability, and counts when this
    /// returns.
    ///
    /// # Errors
    /// If it cannot be written: what was stored before counts, or this one.
    pub fn write(mut self, snapshot: Snapshot) -> io::Result<()> {
        self.stored.snapshot = Some(snapshot);
        write(&self.files, &self.folder, self.number, &self.stored)
    }
}
