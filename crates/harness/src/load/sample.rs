//! What became of the commands of a client.

use ssmr_core::{Cost, Micros};
use ssmr_net::TrafficCount;

/// One command of the workload that ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Which of [`Workload::KINDS`].
    pub(crate) kind: usize,
    /// When it was issued; in an open loop, when it should have been.
    pub(crate) due: Micros,
    /// How much later it was issued than it should have been.
    pub(crate) late: Micros,
    /// When it ended.
    pub(crate) completed: Micros,
    /// How.
    pub(crate) end: End,
    /// What it cost.
    pub(crate) cost: Cost,
}

/// How a command ended, as far as the counts are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The service decided.
    Ok,
    /// The strategy cannot do it by design.
    Unsupported,
    /// Anything else.
    Error,
}

/// What one client did.
#[derive(Debug, Default)]
pub(crate) struct ClientReport {
    /// Its commands, those of the warm-up included.
    pub(crate) samples: Vec<Sample>,
    /// What it sent while it was measured.
    pub(crate) sent: TrafficCount,
}
