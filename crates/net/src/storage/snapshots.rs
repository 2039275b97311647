//! Snapshot files: number N stands for all segments below N, the vote included.
//!
//! One is written under another name, synced, and then given its own: it is there as a whole or not
//! at all.

use super::StorageError;
use super::segments::numbers;
use serde::{Deserialize, Serialize};
use ssmr_core::codec;
use ssmr_log::MemberId;
use ssmr_log::Snapshot;
use ssmr_log::Stored;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Before the content: its checksum.
const HEADER: usize = 4;

/// What a replica must never forget, besides its log.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Promises {
    pub(super) generation: u64,
    pub(super) term: u64,
    pub(super) voted_for: Option<MemberId>,
}

/// Writes one snapshot beside the running log.
#[derive(Debug)]
pub(crate) struct SnapshotWriter {
    pub(super) folder: PathBuf,
    pub(super) number: u64,
    pub(super) promises: Promises,
    pub(super) sync: bool,
}

impl SnapshotWriter {
    /// Its number, for [`LogStore::forget_below`](super::LogStore::forget_below).
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Writes the snapshot. It counts when this returns.
    pub(crate) fn write(&self, snapshot: &Snapshot) -> io::Result<()> {
        let content = codec::encode(&(self.promises, snapshot));
        let unfinished = path(&self.folder, self.number).with_extension("unfinished");
        let mut file = File::create(&unfinished)?;
        file.write_all(&crc32fast::hash(&content).to_le_bytes())?;
        file.write_all(&content)?;
        if self.sync {
            file.sync_all()?;
        }
        fs::rename(&unfinished, path(&self.folder, self.number))?;
        if self.sync {
            File::open(&self.folder)?.sync_all()?;
        }
        Ok(())
    }
}

/// The newest snapshot in a folder and its number; number 0 and nothing stored if there is none.
pub(super) fn read_newest(folder: &Path) -> Result<(u64, Stored), StorageError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| StorageError::Io { path, source }
    };
    let all = numbers(folder, "snapshot").map_err(failed(folder))?;
    let Some(number) = all.last().copied() else {
        return Ok((0, Stored::default()));
    };
    let path = path(folder, number);
    let bytes = fs::read(&path).map_err(failed(&path))?;
    let content = bytes.get(HEADER..).unwrap_or_default();
    let intact = bytes.starts_with(&crc32fast::hash(content).to_le_bytes());
    let read = codec::decode_own(content).ok().filter(|_| intact);
    let (promises, snapshot): (Promises, Snapshot) =
        read.ok_or(StorageError::BrokenSnapshot { path })?;
    let Promises {
        generation,
        term,
        voted_for,
    } = promises;
    let stored = Stored {
        generation,
        term,
        voted_for,
        snapshot: Some(snapshot),
        entries: Vec::new(),
    };
    Ok((number, stored))
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:010}.snapshot"))
}
