//! What the workloads `ycsb-a` to `ycsb-f` are a function of.

use crate::workload::popularity::Popularity;
use crate::workload::run_number::RunNumber;
use crate::workload::value_size::ValueSize;
use serde::Serialize;

/// The size of a field.
pub(crate) const FIELD: ValueSize = ValueSize::Constant(100);

/// One of the six.
#[derive(Debug, Serialize)]
pub(crate) struct Mix {
    pub(crate) name: &'static str,
    /// Percentages of the operations, in the order of the workload's kinds.
    pub(crate) percentages: [u32; 5],
    /// How often each record is chosen, unless the user has another wish.
    pub(crate) popularity: Popularity,
}

/// The six, as published.
pub(crate) const MIXES: [Mix; 6] = [
    mix("ycsb-a", [0, 50, 50, 0, 0], Popularity::ZIPF),
    mix("ycsb-b", [0, 95, 5, 0, 0], Popularity::ZIPF),
    mix("ycsb-c", [0, 100, 0, 0, 0], Popularity::ZIPF),
    mix("ycsb-d", [5, 95, 0, 0, 0], Popularity::Latest),
    mix("ycsb-e", [5, 0, 0, 95, 0], Popularity::ZIPF),
    mix("ycsb-f", [0, 50, 0, 0, 50], Popularity::ZIPF),
];

const fn mix(name: &'static str, percentages: [u32; 5], popularity: Popularity) -> Mix {
    Mix {
        name,
        percentages,
        popularity,
    }
}

/// The settings of a workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Ycsb {
    pub(crate) mix: &'static Mix,
    /// For the clients' random numbers.
    pub(crate) seed: u64,
    /// How many clients there are.
    pub(crate) clients: u64,
    /// Which run of its cluster it is.
    #[serde(skip)]
    pub(crate) run: RunNumber,
    /// How many records are loaded.
    pub(crate) records: u64,
    /// How many fields a record has.
    pub(crate) fields: u16,
    /// The size of a field.
    pub(crate) field_size: ValueSize,
    /// How often each record is chosen.
    pub(crate) popularity: Popularity,
    /// The most records of a scan.
    pub(crate) scan_length: u64,
}
