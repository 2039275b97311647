//! What the workloads `twitter-...` are a function of, with the published numbers.

use crate::workload::popularity::Popularity;
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
    /// The exponent of the Zipf distribution of keys.
    pub(crate) zipf: f64,
}

const fn shares([get, set, add, delete, incr, gets, cas]: [u32; 7]) -> Shares {
    Shares {
        get,
        set,
        add,
        delete,
        incr,
        gets,
        cas,
    }
}

const fn cluster(
    name: &'static str,
    shares: Shares,
    [key_size, value_size]: [usize; 2],
    [one_hit_pct, first_pct, zipf]: [f64; 3],
) -> Cluster {
    Cluster {
        name,
        shares,
        key_size,
        value_size,
        one_hit_pct,
        first_pct,
        zipf,
    }
}

/// Chosen rows of `stat/2020Mar.md` of `github.com/twitter/cache-trace` (CC-BY): get, set, add,
/// delete, incr, gets, cas in percent; key and value in bytes; one-hit wonders and compulsory misses
/// in percent, Zipf exponent. What rounding leaves to 100 % is shared out in proportion.
pub(super) const CLUSTERS: [Cluster; 6] = [
    cluster(
        "twitter-12",
        shares([20, 80, 0, 0, 0, 0, 0]),
        [44, 1030],
        [81.43, 79.45, 0.3048],
    ),
    cluster(
        "twitter-14",
        shares([65, 13, 0, 22, 0, 0, 0]),
        [96, 414],
        [10.94, 2.82, 1.2959],
    ),
    cluster(
        "twitter-15",
        shares([0, 100, 0, 0, 0, 0, 0]),
        [18, 102],
        [99.57, 99.22, 0.0242],
    ),
    cluster(
        "twitter-23",
        shares([36, 31, 0, 2, 30, 0, 0]),
        [35, 224],
        [1.17, 25.82, 0.274],
    ),
    cluster(
        "twitter-45",
        shares([85, 0, 15, 0, 0, 0, 0]),
        [10, 120],
        [48.74, 35.07, 0.6372],
    ),
    cluster(
        "twitter-52",
        shares([91, 0, 4, 0, 0, 2, 2]),
        [20, 273],
        [19.36, 3.07, 1.2117],
    ),
];

/// The settings of a workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Twitter {
    pub(crate) cluster: &'static Cluster,
    /// For the clients' random numbers.
    pub(crate) seed: u64,
    /// How many clients there are.
    pub(crate) clients: u64,
    /// How many objects are loaded.
    pub(crate) items: u64,
    /// How often each of them is chosen.
    pub(crate) popularity: Popularity,
    /// The size of a value, to which that of the key is added.
    pub(crate) value_size: ValueSize,
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
