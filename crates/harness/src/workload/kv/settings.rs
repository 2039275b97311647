//! What workload `kv` is a function of.

use serde::Serialize;

/// How often each key is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Distribution {
    /// All keys alike.
    Uniform,
    /// Few keys most of the time (exponent 0.99).
    Zipf,
}

/// The settings of the workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Kv {
    /// For the clients' random numbers.
    pub(crate) seed: u64,
    /// How many clients there are.
    pub(crate) clients: u64,
    /// How many partitions moves choose among.
    pub(crate) partitions: u8,
    /// How many keys are loaded.
    pub(crate) keys: u64,
    /// How often each of these is chosen.
    pub(crate) distribution: Distribution,
    /// The size of a value in bytes.
    pub(crate) object_size: usize,
    /// How many objects a multi-object access names.
    pub(crate) multi_objects: u64,
    /// Percentages of the operations, in the order of the workload's kinds.
    pub(crate) percentages: [u32; 6],
}
