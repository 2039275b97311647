//! What was broken or put right again, for the time line.

use ssmr_core::Micros;

/// A fault that began or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// When, by the clock of whoever measures.
    pub(crate) at: Micros,
    /// What was done.
    pub(crate) what: String,
}
