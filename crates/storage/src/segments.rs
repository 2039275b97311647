//! Segments: files of frames, numbered in the order in which they were written.
//!
//! The header of each says how long the one before it is, so that none can be missing or cut short
//! in silence.

use crate::files::{Files, create_unfinished, finish};
use crate::frames::Key;
use crate::names;
use serde::{Deserialize, Serialize};
use ssmr_core::codec;
use std::io;
use std::path::Path;
use twox_hash::XxHash3_64;

/// The version of what is stored here.
pub(crate) const FORMAT: u32 = 3;

const MAGIC: [u8; 8] = *b"ssmr-log";

/// How many bytes a segment's header takes.
pub(crate) const HEADER: usize = 8 + 4 + 3 * 8 + 8;

/// What stands first in a segment.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Header {
    magic: [u8; 8],
    format: u32,
    number: u64,
    nonce: u64,
    /// How long the segment before it is; 0 for the first one behind a checkpoint that was written
    /// as the log was opened, for which no segment counts that came before.
    pub(crate) previous: u64,
}

/// Why a segment's header is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadHeader {
    /// It is not what was written.
    Broken,
    /// It was written by another version.
    Format(u32),
}

impl Header {
    pub(crate) fn new(number: u64, nonce: u64, previous: u64) -> Self {
        Self {
            magic: MAGIC,
            format: FORMAT,
            number,
            nonce,
            previous,
        }
    }

    pub(crate) fn key(&self) -> Key {
        Key {
            number: self.number,
            nonce: self.nonce,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = codec::encode(self).to_vec();
        let check = XxHash3_64::oneshot(&bytes);
        bytes.extend_from_slice(&check.to_le_bytes());
        bytes
    }

    /// Reads the header of the segment with this number.
    pub(crate) fn read(segment: &[u8], number: u64) -> Result<Self, BadHeader> {
        let (fields, check) = segment
            .get(..HEADER)
            .ok_or(BadHeader::Broken)?
            .split_at(HEADER - 8);
        let whole = XxHash3_64::oneshot(fields).to_le_bytes() == check;
        let header: Self = codec::decode(fields).map_err(|_| BadHeader::Broken)?;
        if whole && header.magic == MAGIC && header.format != FORMAT {
            return Err(BadHeader::Format(header.format));
        }
        let right = whole && header.magic == MAGIC && header.number == number;
        right.then_some(header).ok_or(BadHeader::Broken)
    }
}

/// The segment that is written to.
#[derive(Debug)]
pub(crate) struct Segment<F: Files> {
    pub(crate) number: u64,
    pub(crate) key: Key,
    pub(crate) file: F::File,
    /// In bytes, with its header.
    pub(crate) length: u64,
}

impl<F: Files> Segment<F> {
    /// Begins a segment, which has its name once it is [finished](Self::finish).
    pub(crate) fn begin(files: &F, folder: &Path, number: u64, previous: u64) -> io::Result<Self> {
        let header = Header::new(number, files.nonce()?, previous);
        let path = names::segment(folder, number);
        Ok(Self {
            number,
            key: header.key(),
            file: create_unfinished(files, &path, &[&header.encode()])?,
            length: HEADER as u64,
        })
    }

    /// Gives it its name.
    pub(crate) fn finish(&self, files: &F, folder: &Path) -> io::Result<()> {
        finish(files, &names::segment(folder, self.number))
    }
}
