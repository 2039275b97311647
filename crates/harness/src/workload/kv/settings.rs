//! What workload `kv` is a function of.

use crate::workload::popularity::Popularity;
use crate::workload::run_number::RunNumber;
use crate::workload::value_size::ValueSize;
use serde::Serialize;

/// The settings of the workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Kv {
    /// For the clients' random numbers.
    pub(crate) seed: u64,
    /// How many clients there are.
    pub(crate) clients: u64,
    /// Which run of its cluster it is.
    #[serde(skip)]
    pub(crate) run: RunNumber,
    /// How many partitions moves choose among, and keys have their homes at.
    pub(crate) partitions: u8,
    /// How many keys are loaded.
    pub(crate) keys: u64,
    /// How often each of these is chosen.
    pub(crate) popularity: Popularity,
    /// The size of a value.
    pub(crate) value_size: ValueSize,
    /// How many objects a multi-object access names.
    pub(crate) multi_objects: u64,
    /// At how many partitions these are, if that is not left to chance. Then objects are created at
    /// home and stay there.
    pub(crate) multi_partitions: Option<u8>,
    /// Percentages of the operations, in the order of the workload's kinds.
    pub(crate) percentages: [u32; 6],
}
