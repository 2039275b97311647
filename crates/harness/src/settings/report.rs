//! The settings of `report`.

use std::path::PathBuf;

/// Of what to make a page, and where.
#[derive(Clone, Debug)]
pub(crate) struct ReportSettings {
    /// The folder of a run or of a sweep.
    pub(crate) folder: PathBuf,
    /// The file; by default one within the folder.
    pub(crate) out: Option<PathBuf>,
}
