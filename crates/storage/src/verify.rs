//! Looks into a data folder and says what is there, for people.

use crate::error::{StorageError, about};
use crate::files::Files;
use crate::finding::{Finding, Severity};
use crate::names::{self, LOCK, Listing};
use crate::owner::Owner;
use crate::scan::{CheckpointSummary, Scan, SegmentSummary};
use ssmr_log::{LogPosition, MemberId};
use std::path::{Path, PathBuf};

/// What a data folder holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whose it is, if that can be read.
    pub owner: Option<Owner>,
    /// In which generation the replica is: another one each time that it began with nothing stored.
    pub generation: u64,
    /// The greatest consensus term that it has seen.
    pub term: u64,
    /// Whom it voted for in it.
    pub voted_for: Option<MemberId>,
    /// The last entry that the snapshot stands for, and how many bytes the state in it has.
    pub snapshot: Option<(LogPosition, u64)>,
    /// How many entries are behind it.
    pub entries: u64,
    /// The newest checkpoint.
    pub checkpoint: Option<CheckpointSummary>,
    /// The segments behind it that can be read, ascending.
    pub segments: Vec<SegmentSummary>,
    /// Files that count no more, or never did: the next opening removes them.
    pub leftovers: Vec<PathBuf>,
    /// Folders of what was set aside when the replica had lost its memory. Nobody needs them.
    pub set_aside: Vec<PathBuf>,
    /// What is not as it was written, in the order in which it was found. Generation, vote and
    /// entries are those before the first one that does not allow the log to be opened.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether a replica can go on from here with all that it ever acknowledged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let harmless = |finding: &Finding| finding.problem.severity() == Severity::Cut;
        self.findings.iter().all(harmless)
    }
}

/// Reads all of a data folder and checks it as [`LogStore::open`](crate::LogStore::open) does, but
/// changes nothing.
///
/// # Errors
/// If the folder or a file cannot be read, or a replica has it open: its log is changing.
pub fn verify<F: Files>(files: &F, folder: &Path) -> Result<Report, StorageError> {
    let listing = Listing::read(files, folder).map_err(about(folder))?;
    let path = folder.join(LOCK);
    let lock = listing
        .has_lock
        .then(|| files.lock(&path).map_err(about(&path)));
    let lock = lock.transpose()?;
    if matches!(lock, Some(None)) {
        return Err(StorageError::InUse {
            path: folder.into(),
        });
    }
    let scan = Scan::read(files, folder)?;
    let first = scan.listing.checkpoints.last().copied().unwrap_or(0);
    let mut leftovers = scan.listing.below(folder, first);
    leftovers.extend(scan.listing.unfinished.iter().cloned());
    let set_aside = scan.listing.set_aside.iter();
    let snapshot = scan.stored.snapshot.as_ref();
    Ok(Report {
        generation: scan.stored.generation,
        term: scan.stored.term,
        voted_for: scan.stored.voted_for,
        snapshot: snapshot.map(|snapshot| (snapshot.last, snapshot.state.len() as u64)),
        entries: scan.stored.entries.len() as u64,
        checkpoint: scan.checkpoint,
        segments: scan.segments,
        leftovers,
        set_aside: set_aside
            .map(|number| names::set_aside(folder, *number))
            .collect(),
        findings: scan.findings,
        owner: scan.owner,
    })
}
