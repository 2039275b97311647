//! Frames: `length, checksum, payload`. The checksum covers the length too, so that zeros are not a
//! frame.

use ssmr_core::codec;
use ssmr_log::{LogEntry, LogPosition, Record};

/// How many bytes a frame has at most, unless a single entry is larger: well below what the codec
/// decodes.
const FRAME: usize = 16 << 20;

/// Length and checksum.
pub(super) const HEADER: usize = 8;

/// Groups records into frames of about [`FRAME`] bytes at most; long appends are split between
/// entries.
pub(super) fn chunks(records: Vec<Record>) -> Vec<Vec<Record>> {
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
    let mut place: LogPosition = after;
    for entry in entries {
        if bytes > 0 && bytes + entry.size_bytes() > FRAME {
            let entries = std::mem::take(&mut part);
            parts.push(Record::Append { after, entries });
            (after, bytes) = (place, 0);
        }
        bytes += entry.size_bytes();
        place = match &entry {
            LogEntry::Term(term) => LogPosition {
                term: *term,
                index: place.index + 1,
            },
            LogEntry::Batch(_) | LogEntry::Members(_) => LogPosition {
                index: place.index + 1,
                ..place
            },
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
        Record::Generation(_) | Record::Vote { .. } => 32,
        Record::Append { entries, .. } | Record::Install { entries, .. } => {
            32 + entries.iter().map(LogEntry::size_bytes).sum::<usize>()
        }
    }
}

pub(super) fn frame(records: &[Record]) -> Vec<u8> {
    let payload = codec::encode(&records);
    let length = u32::try_from(payload.len()).unwrap_or_else(|_| panic!("a frame of 4 GiB"));
    let mut frame = length.to_le_bytes().to_vec();
    frame.extend_from_slice(&checksum(length, &payload).to_le_bytes());
    frame.extend_from_slice(&payload);
    frame
}

/// Covers the length too, so that zeros are not a frame.
pub(super) fn checksum(length: u32, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// The payload of the frame at the beginning of `bytes`, if a whole one is there.
pub(super) fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?);
    let expected = u32::from_le_bytes(bytes.get(4..HEADER)?.try_into().ok()?);
    let payload = bytes.get(HEADER..HEADER.checked_add(length as usize)?)?;
    (checksum(length, payload) == expected).then_some(payload)
}
