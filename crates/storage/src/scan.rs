//! Reads a data folder and judges it, without changing anything: for those who open it and for
//! those who only want to know.

use crate::checkpoint::{self, BadCheckpoint};
use crate::error::{StorageError, about};
use crate::files::{Files, folder_of, unfinished};
use crate::finding::{Finding, Problem, Severity};
use crate::frames::{self, Found, Key, look, next_whole};
use crate::mark;
use crate::names::{self, HEADER, Listing, MARK};
use crate::owner::Owner;
use crate::segments::{self, BadHeader};
use ssmr_core::codec;
use ssmr_log::{Record, Stored};
use std::io;
use std::path::{Path, PathBuf};

/// What a segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentSummary {
    /// Its number, which its file is called by.
    pub number: u64,
    /// How long the file is.
    pub bytes: u64,
    /// How many whole frames are in it: one for each round that had something to store.
    pub frames: u64,
    /// How many log entries are in them; some may take the place of others.
    pub entries: u64,
}

/// What the newest checkpoint holds, besides the vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointSummary {
    /// Its number: it stands for all segments below.
    pub number: u64,
    /// How long the file is.
    pub bytes: u64,
    /// How many log entries are in it, behind its snapshot.
    pub entries: u64,
}

/// What was found in a folder.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) listing: Listing,
    pub(crate) owner: Option<Owner>,
    pub(crate) checkpoint: Option<CheckpointSummary>,
    pub(crate) segments: Vec<SegmentSummary>,
    /// All that is stored, up to the first thing that must not be believed.
    pub(crate) stored: Stored,
    pub(crate) findings: Vec<Finding>,
}

impl Scan {
    /// Reads a folder that exists.
    pub(crate) fn read<F: Files>(files: &F, folder: &Path) -> Result<Self, StorageError> {
        let listing = Listing::read(files, folder).map_err(about(folder))?;
        let mut scan = Self {
            listing,
            ..Self::default()
        };
        let header = read_if_there(files, &folder.join(HEADER))?;
        if let Some(bytes) = &header {
            match Owner::read(bytes) {
                Ok(owner) => scan.owner = Some(owner),
                Err(problem) => scan.find(folder.join(HEADER), None, problem),
            }
        }
        let before_the_log = scan.findings.len();
        scan.read_log(files, folder)?;
        let mark = read_if_there(files, &folder.join(MARK))?;
        if !mark::is_intact(files, mark.as_deref()) {
            // That explains whatever else is wrong with the log.
            scan.findings.truncate(before_the_log);
            scan.find(folder.to_owned(), None, Problem::UnsyncedEnd);
        }
        // Somebody took the header away, or it was never there; see `owner.rs`.
        if header.is_none() && scan.promises_something() {
            scan.find(folder.to_owned(), None, Problem::MissingHeader);
        }
        Ok(scan)
    }

    /// Whether anything is stored that somebody may rely on.
    fn promises_something(&self) -> bool {
        let stored = &self.stored;
        stored.term > 0 || stored.snapshot.is_some() || !stored.entries.is_empty()
    }

    /// The worst thing that was found.
    pub(crate) fn worst(&self) -> Option<&Finding> {
        let severity = |finding: &&Finding| finding.problem.severity();
        // The first one of the worst.
        self.findings.iter().rev().max_by_key(severity)
    }

    fn find(&mut self, path: PathBuf, offset: Option<u64>, problem: Problem) {
        self.findings.push(Finding {
            path,
            offset,
            problem,
        });
    }

    /// Whether nothing has been found that makes it useless to go on adding records.
    fn is_believed(&self) -> bool {
        let believed = |finding: &Finding| finding.problem.severity() != Severity::Refused;
        self.findings.iter().all(believed)
    }

    fn read_log<F: Files>(&mut self, files: &F, folder: &Path) -> Result<(), StorageError> {
        let Some(first) = self.listing.checkpoints.last().copied() else {
            if self.owner.is_some() || !self.listing.segments.is_empty() {
                self.find(folder.to_owned(), None, Problem::MissingCheckpoint);
            }
            return Ok(());
        };
        let path = names::checkpoint(folder, first);
        let bytes = files.read(&path).map_err(about(&path))?;
        match checkpoint::read(first, &bytes) {
            Ok(stored) => {
                self.checkpoint = Some(CheckpointSummary {
                    number: first,
                    bytes: bytes.len() as u64,
                    entries: stored.entries.len() as u64,
                });
                self.stored = stored;
            }
            Err(BadCheckpoint::Broken) => self.find(path, None, Problem::BrokenCheckpoint),
            Err(BadCheckpoint::Format(found)) => {
                self.find(path, None, Problem::UnknownFormat { found });
            }
        }
        let segments = self.listing.segments.clone();
        let present: Vec<u64> = segments
            .into_iter()
            .filter(|number| *number >= first)
            .collect();
        let reserved = unfinished(&names::segment(folder, first));
        // Whoever wrote the checkpoint as it opened the log was killed before it could give the
        // segment its name: nothing was stored there.
        let never_named = present.is_empty() && self.listing.unfinished.contains(&reserved);
        if present.first() != Some(&first) && !never_named {
            self.find(names::segment(folder, first), None, Problem::MissingSegment);
        }
        let mut before: Option<(u64, u64)> = None;
        for &number in &present {
            let path = names::segment(folder, number);
            if let Some((previous, _)) = before.filter(|(previous, _)| previous + 1 != number) {
                self.find(
                    names::segment(folder, previous + 1),
                    None,
                    Problem::MissingSegment,
                );
                before = None;
            }
            let bytes = files.read(&path).map_err(about(&path))?;
            let length_before = before.map(|(_, length)| length);
            let is_last = Some(&number) == present.last();
            self.read_segment(&path, &bytes, number, is_last, length_before);
            before = Some((number, bytes.len() as u64));
        }
        Ok(())
    }

    /// Reads a segment; `length_before` is the length of the file before it.
    fn read_segment(
        &mut self,
        path: &Path,
        bytes: &[u8],
        number: u64,
        is_last: bool,
        length_before: Option<u64>,
    ) {
        let header = match segments::Header::read(bytes, number) {
            Ok(header) => header,
            Err(BadHeader::Broken) => {
                return self.find(path.to_owned(), Some(0), Problem::BrokenSegmentHeader);
            }
            Err(BadHeader::Format(found)) => {
                return self.find(path.to_owned(), None, Problem::UnknownFormat { found });
            }
        };
        if let Some(is) = length_before.filter(|is| *is != header.previous) {
            let was = header.previous;
            let before = names::segment(folder_of(path), number - 1);
            self.find(before, None, Problem::WrongLength { was, is });
        }
        let mut summary = SegmentSummary {
            number,
            bytes: bytes.len() as u64,
            frames: 0,
            entries: 0,
        };
        let mut offset = segments::HEADER;
        while offset < bytes.len() {
            let found = look(header.key(), bytes, offset);
            if let Found::Whole(payload) = found {
                summary.frames += 1;
                summary.entries += self.add(path, offset, payload);
                offset += frames::HEADER + payload.len();
                continue;
            }
            let next = self.judge(path, bytes, offset, &found, is_last, header.key());
            let Some(next) = next else { break };
            offset = next;
        }
        self.segments.push(summary);
    }

    /// Judges a place where no whole frame is. Returns where the next one is.
    fn judge(
        &mut self,
        path: &Path,
        file: &[u8],
        offset: usize,
        found: &Found<'_>,
        is_last: bool,
        key: Key,
    ) -> Option<usize> {
        let bytes = (file.len() - offset) as u64;
        let (problem, next) = match found {
            // Nothing can follow.
            Found::CutShort if is_last => (Problem::TornEnd { bytes }, None),
            Found::CutShort => (Problem::BrokenFrame, None),
            _ => match next_whole(key, file, offset) {
                None if is_last => (Problem::DoubtfulEnd { bytes }, None),
                next => (Problem::BrokenFrame, next),
            },
        };
        self.find(path.to_owned(), Some(offset as u64), problem);
        next
    }

    /// Adds what a frame holds, and returns how many entries that are.
    fn add(&mut self, path: &Path, offset: usize, payload: &[u8]) -> u64 {
        let at = Some(offset as u64);
        let Ok(records) = codec::decode_own::<Vec<Record>>(payload) else {
            self.find(path.to_owned(), at, Problem::BadRecords);
            return 0;
        };
        let mut count = 0;
        for record in records {
            if let Record::Append { after, entries } = &record {
                count += entries.len() as u64;
                let end = self.stored.base().index + self.stored.entries.len() as u64;
                if after.index > end && self.is_believed() {
                    let after = after.index;
                    self.find(path.to_owned(), at, Problem::BeyondEnd { after, end });
                }
            }
            if self.is_believed() {
                self.stored.add(record);
            }
        }
        count
    }
}

fn read_if_there<F: Files>(files: &F, path: &Path) -> Result<Option<Vec<u8>>, StorageError> {
    match files.read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(about(path)(error)),
    }
}
