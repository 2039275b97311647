//! The durable log of one replica: what its outboxes' records add up to, in checksummed segments.
//!
//! One append is one frame is one write, and with `sync` one `fdatasync` (more only for more than [`FRAME`] bytes): group
//! commit, since the event loop appends once a round. A frame is `length, checksum, records`; the checksum covers the length too, so that zeros are not a frame.
//!
//! When it is opened again, a torn frame at the very end is cut off: nothing that depended on it was sent. A frame that is
//! broken while a whole one follows is no torn write; the file is refused, with the place. Snapshots and truncation are not
//! here yet: the log grows.
//!
//! Invariant: what [`LogStore::append`] has returned for is read back by every later [`LogStore::open`], in order.

use ssmr_core::codec;
use ssmr_core::multicast::{LogEntry, Record};
use ssmr_multicast::Stored;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// How many bytes a segment has before the next one is begun.
const SEGMENT: u64 = 64 << 20;

/// How many bytes a frame has at most, unless a single entry is larger: well below what the codec decodes.
const FRAME: usize = 16 << 20;

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

    /// Stores records, in order.
    ///
    /// They are one frame, which is stored as a whole or not at all if the machine fails meanwhile, unless they are larger
    /// than 16 MiB: then they are several, each synced before the next one is begun.
    ///
    /// # Errors
    /// If they cannot be written or synced: a full disk, say. The log must not be used any more.
    pub fn append(&mut self, records: Vec<Record>) -> io::Result<()> {
        for chunk in chunks(records) {
            if self.length >= SEGMENT {
                self.segment += 1;
                self.file = open_segment(&self.folder, self.segment)?;
                self.length = 0;
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
}

/// Groups records into frames of about [`FRAME`] bytes at most; long appends are split between entries.
fn chunks(records: Vec<Record>) -> Vec<Vec<Record>> {
    let (mut chunks, mut chunk, mut bytes) = (Vec::new(), Vec::new(), 0);
    for record in records.into_iter().flat_map(split) {
        let size = size(&record);
        if bytes + size > FRAME && !chunk.is_empty() {
            chunks.push(std::mem::take(&mut chunk));
            bytes = 0;
        }
        bytes += size;
        chunk.push(record);
    }
    if !chunk.is_empty() {
        chunks.push(chunk);
    }
    chunks
}

/// A record as records of about [`FRAME`] bytes at most, unless a single entry is larger.
fn split(record: Record) -> Vec<Record> {
    let Record::Append { mut after, entries } = record else {
        return vec![record];
    };
    let (mut parts, mut part, mut bytes) = (Vec::new(), Vec::new(), 0);
    let mut place = after;
    for entry in entries {
        if bytes > 0 && bytes + entry_size(&entry) > FRAME {
            let entries = std::mem::take(&mut part);
            parts.push(Record::Append { after, entries });
            (after, bytes) = (place, 0);
        }
        bytes += entry_size(&entry);
        place = match &entry {
            LogEntry::Term(term) => (place.0 + 1, *term),
            LogEntry::Batch(_) => (place.0 + 1, place.1),
        };
        part.push(entry);
    }
    parts.push(Record::Append {
        after,
        entries: part,
    });
    parts
}

fn size(record: &Record) -> usize {
    match record {
        Record::Vote { .. } => 32,
        Record::Append { entries, .. } => 32 + entries.iter().map(entry_size).sum::<usize>(),
    }
}

fn entry_size(entry: &LogEntry) -> usize {
    match entry {
        LogEntry::Term(_) => 16,
        LogEntry::Batch(bytes) => 16 + bytes.len(),
    }
}

fn frame(records: &[Record]) -> Vec<u8> {
    let payload = codec::encode(&records);
    let length = u32::try_from(payload.len()).unwrap_or_else(|_| panic!("a frame of 4 GiB"));
    let mut frame = length.to_le_bytes().to_vec();
    frame.extend_from_slice(&checksum(length, &payload).to_le_bytes());
    frame.extend_from_slice(&payload);
    frame
}

/// Covers the length too, so that zeros are not a frame.
fn checksum(length: u32, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// The payload of the frame at the beginning of `bytes`, if a whole one is there.
fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?);
    let expected = u32::from_le_bytes(bytes.get(4..HEADER)?.try_into().ok()?);
    let payload = bytes.get(HEADER..HEADER.checked_add(length as usize)?)?;
    (checksum(length, payload) == expected).then_some(payload)
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
    while let Some(payload) = whole(&bytes[offset..]) {
        // A whole frame that says nothing sensible is no torn write either.
        let records: Vec<Record> = codec::decode(payload).map_err(|_| StorageError::Corrupted {
            path: path.into(),
            offset,
        })?;
        records.into_iter().for_each(|record| stored.add(record));
        offset += HEADER + payload.len();
    }
    if offset == bytes.len() {
        return Ok(());
    }
    let follows = (offset + 1..bytes.len()).any(|place| whole(&bytes[place..]).is_some());
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
        log.append(vec![vote(1), entry(1)]).unwrap();
        log.append(vec![entry(2)]).unwrap();
        log.append(vec![entry(2), entry(3), vote(2)]).unwrap();
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
            log.append(vec![vote(9)]).unwrap();
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
        let second = HEADER + super::whole(&whole).unwrap().len();
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
    fn a_round_larger_than_a_frame_comes_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let batch = |byte| LogEntry::Batch(vec![byte; 5 << 20].into());
        let entries: Vec<LogEntry> = std::iter::once(LogEntry::Term(3))
            .chain((0..20).map(batch))
            .collect();
        let record = Record::Append {
            after: (0, 0),
            entries: entries.clone(),
        };
        let (mut log, _) = LogStore::open(folder.path(), false).unwrap();
        log.append(vec![vote(3), record]).unwrap();
        drop(log);
        let (_, stored) = LogStore::open(folder.path(), false).unwrap();
        assert!(stored.entries == entries && stored.term == 3);
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
