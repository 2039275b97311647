//! The settings of `node`.

use std::path::PathBuf;

/// Which replica to be.
#[derive(Clone, Debug)]
pub(crate) struct NodeSettings {
    /// The cluster's file.
    pub(crate) cluster: PathBuf,
    /// The replica's name.
    pub(crate) replica: String,
}
