//! One run of a sweep.

use crate::settings::run::RunSettings;

/// A run of a sweep: a point with a seed.
#[derive(Clone, Debug)]
pub(crate) struct Cell<W> {
    /// Its number, from 0.
    pub(crate) number: usize,
    /// The number of its point, from 0.
    pub(crate) point: usize,
    /// Which run of its point it is, from 0.
    pub(crate) repeat: u64,
    pub(crate) settings: RunSettings,
    /// The flags of the workloads.
    pub(crate) flags: W,
}
