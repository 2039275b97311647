//! Segments: files of frames, numbered in the order in which they were written.

use super::StorageError;
use super::frames::{HEADER, whole};
use ssmr_core::codec;
use ssmr_log::Record;
use ssmr_log::Stored;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Reads one segment; cuts a torn end off the last one.
pub(super) fn read_segment(
    path: &Path,
    last: bool,
    stored: &mut Stored,
) -> Result<(), StorageError> {
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
    let cut = bytes.len() - offset;
    tracing::warn!(path = %path.display(), offset, cut, "a torn end is cut off");
    let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
    file.set_len(offset as u64)
        .and_then(|()| file.sync_all())
        .map_err(failed)
}

/// Opens a segment for appending; a new one is in the folder for good when this returns.
pub(super) fn open_segment(folder: &Path, segment: u64) -> io::Result<File> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path(folder, segment))?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

pub(super) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:010}.log"))
}

/// The numbers of the files in a folder that have this ending, ascending.
pub(super) fn numbers(folder: &Path, ending: &str) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| {
            name.strip_suffix(ending)?
                .strip_suffix('.')?
                .parse::<u64>()
                .ok()
        });
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes what a snapshot with this number stands for: segments and snapshots with lower ones, and
/// what was never finished.
pub(super) fn remove_below(folder: &Path, number: u64) -> io::Result<()> {
    for ending in ["log", "snapshot"] {
        for old in numbers(folder, ending)?
            .into_iter()
            .filter(|old| *old < number)
        {
            std::fs::remove_file(folder.join(format!("{old:010}.{ending}")))?;
        }
    }
    Ok(())
}
