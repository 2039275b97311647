//! What became of the commands of a client.

use ssmr_core::{Cost, Micros, Outcome};
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
    /// How often it began anew, because others had changed what it had read: if it is a
    /// transaction.
    pub(crate) conflicts: Option<u32>,
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

impl From<&Outcome> for End {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            outcome if outcome.is_definite() => Self::Ok,
            Outcome::Unsupported => Self::Unsupported,
            _ => Self::Error,
        }
    }
}

/// What one client did.
#[derive(Debug, Default)]
pub(crate) struct ClientReport {
    /// Its commands, those of the warm-up included.
    pub(crate) samples: Vec<Sample>,
    /// What it sent while it was measured.
    pub(crate) sent: TrafficCount,
}
