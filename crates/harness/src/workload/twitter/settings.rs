//! What the workloads `twitter-...` are a function of, with the published numbers.

use crate::workload::popularity::Popularity;
use crate::workload::run_number::RunNumber;
use crate::workload::value_size::ValueSize;
use serde::Serialize;

/// How often operations are asked for, in percent.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Shares {
    pub(super) get: u32,
    pub(super) set: u32,
    pub(super) add: u32,
    pub(super) delete: u32,
    pub(super) incr: u32,
    pub(super) gets: u32,
    pub(super) cas: u32,
}

/// A cluster, as published.
#[derive(Debug, Serialize)]
pub(crate) struct Cluster {
    pub(crate) name: &'static str,
    pub(crate) shares: Shares,
    /// The mean size of a key, in bytes.
    pub(crate) key_size: usize,
    /// The mean size of a value, in bytes.
    pub(crate) value_size: usize,
    /// Keys that are asked for once, in percent of all keys.
    pub(crate) one_hit_pct: f64,
    /// Requests that are the first for their key, in percent of all requests.
    pub(crate) first_pct: f64,
    /// Reads that found nothing in production, in percent.
    pub(crate) miss_pct: f64,
    /// The exponent of the Zipf distribution of keys.
    pub(crate) zipf: f64,
}

const fn cluster(
    name: &'static str,
    [get, set, add, delete, incr, gets, cas]: [u32; 7],
    [key_size, value_size]: [usize; 2],
    [one_hit_pct, first_pct, miss_pct, zipf]: [f64; 4],
) -> Cluster {
    Cluster {
        name,
        shares: Shares {
            get,
            set,
            add,
            delete,
            incr,
            gets,
            cas,
        },
        key_size,
        value_size,
        one_hit_pct,
        first_pct,
        miss_pct,
        zipf,
    }
}

/// Chosen rows of `stat/2020Mar.md` of `github.com/twitter/cache-trace` (CC-BY): get, set, add,
/// delete, incr, gets, cas in percent; key and value in bytes; one-hit wonders, compulsory misses,
/// misses in production in percent, Zipf exponent. What rounding leaves to 100 % is shared out in
/// proportion.
#[rustfmt::skip]
pub(super) const CLUSTERS: [Cluster; 6] = [
    cluster("twitter-12", [20, 80, 0, 0, 0, 0, 0], [44, 1030], [81.43, 79.45, 0.58, 0.3048]),
    cluster("twitter-14", [65, 13, 0, 22, 0, 0, 0], [96, 414], [10.94, 2.82, 12.18, 1.2959]),
    cluster("twitter-15", [0, 100, 0, 0, 0, 0, 0], [18, 102], [99.57, 99.22, 6.5, 0.0242]),
    cluster("twitter-23", [36, 31, 0, 2, 30, 0, 0], [35, 224], [1.17, 25.82, 2.59, 0.274]),
    cluster("twitter-45", [85, 0, 15, 0, 0, 0, 0], [10, 120], [48.74, 35.07, 36.85, 0.6372]),
    cluster("twitter-52", [91, 0, 4, 0, 0, 2, 2], [20, 273], [19.36, 3.07, 1.89, 1.2117]),
];

/// The settings of a workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Twitter {
    pub(crate) cluster: &'static Cluster,
    /// For the clients' random numbers.
    pub(crate) seed: u64,
    /// How many clients there are.
    pub(crate) clients: u64,
    /// Which run of its cluster it is.
    #[serde(skip)]
    pub(crate) run: RunNumber,
    /// How many objects are loaded.
    pub(crate) items: u64,
    /// How often each of them is chosen.
    pub(crate) popularity: Popularity,
    /// The size of a value, to which that of the key is added.
    pub(crate) value_size: ValueSize,
}

impl Twitter {
    /// How many loaded objects each client may have deleted and not created anew: as many as are
    /// missing, if reads find nothing as often as published.
    pub(super) fn missing_each(&self) -> usize {
        let missing = self.cluster.miss_pct / 100.0 * self.items as f64;
        (missing / self.clients as f64).round().max(1.0) as usize
    }
}

impl Cluster {
    /// Weights of what the operations are here: read, set, add, delete, read-modify-write.
    pub(super) fn weights(&self) -> [u32; 5] {
        let shares = self.shares;
        [
            shares.get + shares.gets,
            shares.set,
            shares.add,
            shares.delete,
            shares.incr + shares.cas,
        ]
    }

    /// With which chance a `set` or `add` is of a new key, and a read of one that never was.
    pub(super) fn new_chances(&self) -> (f64, f64) {
        let weights = self.weights();
        let all: u32 = weights.iter().sum();
        let first = self.first_pct / 100.0 * f64::from(all);
        let (reads, writes) = (f64::from(weights[0]), f64::from(weights[1] + weights[2]));
        let rest = (first - writes).max(0.0);
        let of_reads = if reads > 0.0 { rest / reads } else { 0.0 };
        ((first / writes).min(1.0), of_reads.min(1.0))
    }
}
