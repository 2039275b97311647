//! What the files of a data folder are called, and which of them are there.

use crate::files::Files;
use std::io;
use std::path::{Path, PathBuf};

/// Who the data belongs to.
pub(crate) const HEADER: &str = "identity.toml";
/// A log that is not synced is open, or was when its process died.
pub(crate) const MARK: &str = "unsynced";
/// Kept locked while the log is open.
pub(crate) const LOCK: &str = "lock";

const SET_ASIDE: &str = "set-aside-";

pub(crate) fn segment(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:010}.log"))
}

pub(crate) fn checkpoint(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:010}.checkpoint"))
}

/// The folder for what could not be believed any more when the checkpoint with this number was
/// begun.
pub(crate) fn set_aside(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{SET_ASIDE}{number}"))
}

/// What is in a data folder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    /// Numbers of segments, ascending.
    pub(crate) segments: Vec<u64>,
    /// Numbers of checkpoints, ascending.
    pub(crate) checkpoints: Vec<u64>,
    /// Files that were never finished.
    pub(crate) unfinished: Vec<PathBuf>,
    /// Numbers of folders of what was set aside, ascending.
    pub(crate) set_aside: Vec<u64>,
    pub(crate) has_lock: bool,
}

impl Listing {
    /// Looks into a folder. What has another name than a log gives is not looked at.
    pub(crate) fn read<F: Files>(files: &F, folder: &Path) -> io::Result<Self> {
        let mut listing = Self::default();
        for name in files.names(folder)? {
            let number = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok());
            let is = |path: PathBuf| path == folder.join(&name);
            if name == LOCK {
                listing.has_lock = true;
            } else if name.ends_with(".unfinished") {
                listing.unfinished.push(folder.join(&name));
            } else if let Some(number) = number(name.strip_prefix(SET_ASIDE)) {
                listing.set_aside.push(number);
            } else if let Some(number) = number(name.strip_suffix(".log")) {
                listing
                    .segments
                    .extend(is(segment(folder, number)).then_some(number));
            } else if let Some(number) = number(name.strip_suffix(".checkpoint")) {
                listing
                    .checkpoints
                    .extend(is(checkpoint(folder, number)).then_some(number));
            }
        }
        listing.segments.sort_unstable();
        listing.checkpoints.sort_unstable();
        listing.set_aside.sort_unstable();
        listing.unfinished.sort_unstable();
        Ok(listing)
    }

    /// The number of what is begun next: greater than all that are there.
    pub(crate) fn next_number(&self) -> u64 {
        let last = self.segments.last().max(self.checkpoints.last());
        last.map_or(1, |last| last.saturating_add(1))
    }

    /// The files with a number below this one: a checkpoint with the number stands for them.
    pub(crate) fn below(&self, folder: &Path, number: u64) -> Vec<PathBuf> {
        let segments = self.segments.iter().filter(|old| **old < number);
        let checkpoints = self.checkpoints.iter().filter(|old| **old < number);
        let segments = segments.map(|old| segment(folder, *old));
        segments
            .chain(checkpoints.map(|old| checkpoint(folder, *old)))
            .collect()
    }
}
