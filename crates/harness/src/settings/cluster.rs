//! The settings of `cluster`.

use std::path::PathBuf;
use std::time::Duration;

/// What to do with a cluster.
#[derive(Clone, Debug)]
pub(crate) enum ClusterSettings {
    /// Make its replicas, which hold nothing, its first members.
    Found(FoundSettings),
}

/// Which cluster to found.
#[derive(Clone, Debug)]
pub(crate) struct FoundSettings {
    /// The cluster's file.
    pub(crate) file: PathBuf,
    /// How long to wait for each replica.
    pub(crate) timeout: Duration,
}
