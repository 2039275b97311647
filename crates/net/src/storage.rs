//! The durable log of one replica: what its outboxes' records add up to, in checksummed segments.
//!
//! One append is one frame is one write, and with `sync` one `fdatasync`: group commit, since the event loop appends once a
//! round. A frame is `length, checksum, records`; the checksum covers the length too, so that zeros are not a frame.
//!
//! When it is opened again, a torn frame at the very end is cut off: nothing that depended on it was sent. A frame that is
//! broken while a whole one follows is no torn write; the file is refused, with the place. Snapshots and truncation are not
//! here yet: the log grows.
//!
//! Invariant: what [`LogStore::append`] has returned for is read back by every later [`LogStore::open`], in order.

use crc32fast::hash as checksum;
use ssmr_core::codec;
use ssmr_core::multicast::Record;
use ssmr_multicast::Stored;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// How many bytes a segment has before the next one is begun.
const SEGMENT: u64 = 64 << 20;

/// Length and checksum.
const HEADER: usize = 8;

/// Where a replica keeps its log.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// Nowhere: a replica that stopped cannot come back.
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
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process has the log open.
    #[error("{path} is in use by another process")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A frame in the middle is broken: this is not a torn write, and what follows must not be believed.
    #[error("{path} is corrupted at offset {offset}: a broken record with whole ones behind it")]
    Corrupted {
        /// The segment.
        path: PathBuf,
        /// Where the broken frame begins.
        offset: usize,
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
    /// Held for as long as the log is open.
    _lock: File,
}

impl LogStore {
    /// Opens the log in `folder`, which is created if need be, and reads what is stored there.
    ///
    /// # Errors
    /// If the folder cannot be used, another process uses it, or a segment is corrupted.
    pub fn open(folder: &Path, sync: bool) -> Result<(Self, Stored), StorageError> {
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
        let segments = segments(folder).map_err(failed)?;
        let mut stored = Stored::default();
        for (place, &segment) in segments.iter().enumerate() {
            read_segment(
                &path(folder, segment),
                place + 1 == segments.len(),
                &mut stored,
            )?;
        }
        let segment = segments.last().copied().unwrap_or(1);
        let file = open_segment(folder, segment).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let store = Self {
            folder: folder.into(),
            segment,
            file,
            length,
            sync,
            _lock: lock,
        };
        Ok((store, stored))
    }

    /// Stores records, all or (if the machine fails meanwhile) none of them.
    ///
    /// # Errors
    /// If they cannot be written or synced: a full disk, say. The log must not be used any more.
    pub fn append(&mut self, records: &[Record]) -> io::Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        if self.length >= SEGMENT {
            self.segment += 1;
            self.file = open_segment(&self.folder, self.segment)?;
            self.length = 0;
        }
        let frame = frame(records);
        self.file.write_all(&frame)?;
        self.length += frame.len() as u64;
        if self.sync {
            self.file.sync_data()
        } else {
            Ok(())
        }
    }
}

fn frame(records: &[Record]) -> Vec<u8> {
    let payload = codec::encode(&records);
    let length = u32::try_from(payload.len()).unwrap_or_else(|_| panic!("a round of 4 GiB"));
    let mut covered = length.to_le_bytes().to_vec();
    covered.extend_from_slice(&payload);
    let mut frame = Vec::with_capacity(HEADER + payload.len());
    frame.extend_from_slice(&covered[..4]);
    frame.extend_from_slice(&checksum(&covered).to_le_bytes());
    frame.extend_from_slice(&payload);
    frame
}

/// The frame at the beginning of `bytes`, with how long it is; `None` if it is not whole.
fn parse(bytes: &[u8]) -> Option<(Vec<Record>, usize)> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let expected = u32::from_le_bytes(bytes.get(4..HEADER)?.try_into().ok()?);
    let payload = bytes.get(HEADER..HEADER.checked_add(length)?)?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..4]);
    hasher.update(payload);
    if hasher.finalize() != expected {
        return None;
    }
    Some((codec::decode(payload).ok()?, HEADER + length))
}

/// Reads one segment; cuts a torn end off the last one.
fn read_segment(path: &Path, last: bool, stored: &mut Stored) -> Result<(), StorageError> {
    let failed = |source| StorageError::Io {
        path: path.into(),
        source,
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .map_err(failed)?;
    let mut offset = 0;
    while let Some((records, length)) = parse(&bytes[offset..]) {
        records.into_iter().for_each(|record| stored.add(record));
        offset += length;
    }
    if offset == bytes.len() {
        return Ok(());
    }
    let follows = (offset + 1..bytes.len()).any(|place| parse(&bytes[place..]).is_some());
    if follows || !last {
        return Err(StorageError::Corrupted {
            path: path.into(),
            offset,
        });
    }
    tracing::warn!(path = %path.display(), offset, cut = bytes.len() - offset, "a torn end is cut off");
    let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
    file.set_len(offset as u64)
        .and_then(|()| file.sync_all())
        .map_err(failed)
}

/// Opens a segment for appending; a new one is in the folder for good when this returns.
fn open_segment(folder: &Path, segment: u64) -> io::Result<File> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path(folder, segment))?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

fn path(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("{segment:010}.log"))
}

/// The numbers of the segments in a folder, ascending.
fn segments(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_suffix(".log")?.parse::<u64>().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmr_core::multicast::LogEntry;

    fn vote(term: u64) -> Record {
        Record::Vote {
            term,
            voted_for: Some(1),
        }
    }

    fn entry(index: u64) -> Record {
        let batch = LogEntry::Batch(vec![index as u8; 40].into());
        Record::Append {
            after: (index - 1, 1),
            entries: vec![batch],
        }
    }

    fn filled(folder: &Path) -> Stored {
        let (mut log, stored) = LogStore::open(folder, true).unwrap();
        assert_eq!(stored, Stored::default());
        log.append(&[vote(1), entry(1)]).unwrap();
        log.append(&[entry(2)]).unwrap();
        log.append(&[entry(2), entry(3), vote(2)]).unwrap();
        drop(log);
        LogStore::open(folder, true).unwrap().1
    }

    #[test]
    fn what_was_appended_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let stored = filled(folder.path());
        assert_eq!(
            (stored.term, stored.voted_for, stored.entries.len()),
            (2, Some(1), 3)
        );
    }

    #[test]
    fn a_torn_end_is_cut_at_the_last_whole_frame_wherever_it_tears() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path());
        let file = path(folder.path(), 1);
        let whole = std::fs::read(&file).unwrap();
        let mut counts = Vec::new();
        for length in 0..whole.len() {
            std::fs::write(&file, &whole[..length]).unwrap();
            let (mut log, stored) = LogStore::open(folder.path(), true).unwrap();
            counts.push(stored.entries.len());
            log.append(&[vote(9)]).unwrap();
            drop(log);
            let (_, again) = LogStore::open(folder.path(), true).unwrap();
            assert_eq!((again.term, again.entries.len()), (9, stored.entries.len()));
        }
        assert!(counts.is_sorted());
        assert_eq!((counts.first(), counts.last()), (Some(&0), Some(&2)));
    }

    #[test]
    fn a_broken_middle_is_refused_with_file_and_offset() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path());
        let file = path(folder.path(), 1);
        let whole = std::fs::read(&file).unwrap();
        let second = parse(&whole).unwrap().1;
        for broken in [second, second + 5, second + HEADER + 3] {
            let mut bytes = whole.clone();
            bytes[broken] ^= 0x40;
            std::fs::write(&file, &bytes).unwrap();
            let error = LogStore::open(folder.path(), true).unwrap_err().to_string();
            assert!(error.contains("0000000001.log"), "{error}");
            assert!(error.contains(&format!("offset {second}")), "{error}");
        }
    }

    #[test]
    fn an_open_log_is_not_opened_twice() {
        let folder = tempfile::tempdir().unwrap();
        let open = LogStore::open(folder.path(), false).unwrap();
        let second = LogStore::open(folder.path(), false);
        assert!(matches!(second, Err(StorageError::InUse { .. })));
        drop(open);
    }
}
