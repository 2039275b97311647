//! What workload `append` is a function of.

use crate::workload::run_number::RunNumber;
use serde::Serialize;

/// The settings of the workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Append {
    /// For the clients' random numbers.
    pub(crate) seed: u64,
    /// How many clients there are.
    pub(crate) clients: u64,
    /// Which run of its cluster it is.
    #[serde(skip)]
    pub(crate) run: RunNumber,
    /// How many lists a client has in use at once.
    pub(crate) lists: u64,
    /// How often a client appends to a list before it goes on to a fresh one.
    pub(crate) share: u64,
    /// How many lists a transaction names at most.
    pub(crate) most_lists: u64,
}
