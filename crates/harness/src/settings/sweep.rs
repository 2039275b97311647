//! The settings of `sweep`.

use crate::sweep::share::Share;
use crate::sweep::spec::SweepSpec;
use std::path::PathBuf;

/// Which runs to make, and what to do with them.
#[derive(Clone, Debug)]
pub(crate) struct SweepSettings {
    pub(crate) spec: SweepSpec,
    /// The folder of the sweep.
    pub(crate) folder: PathBuf,
    pub(crate) task: SweepTask,
    /// The folder of an earlier sweep or run to compare with.
    pub(crate) baseline: Option<PathBuf>,
    /// Whether to print nothing but errors.
    pub(crate) quiet: bool,
}

/// What to do of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SweepTask {
    /// Whatever is not done yet.
    Rest,
    /// Say which cells there are.
    List,
    /// One cell.
    Cell(usize),
    /// What one of several jobs is to do.
    Share(Share),
    /// Put together what others have done.
    Merge,
}
