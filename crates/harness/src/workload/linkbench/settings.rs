//! What workload `linkbench` is a function of.

use crate::workload::popularity::Popularity;
use crate::workload::run_number::RunNumber;
use crate::workload::value_size::ValueSize;
use serde::Serialize;
use ssmr_core::topology::mix;

/// The operations with their shares in hundredths of a percent, as published.
pub(super) const OPERATIONS: [(&str, u32); 10] = [
    ("addnode", 257),
    ("deletenode", 101),
    ("updatenode", 737),
    ("getnode", 1293),
    ("addlink", 899),
    ("deletelink", 299),
    ("updatelink", 801),
    ("getlink", 53),
    ("count", 489),
    ("getlinklist", 5071),
];

/// How often each node is chosen, by what for.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Choice {
    /// To read it.
    pub(super) node_reads: Popularity,
    /// To update it.
    pub(super) node_updates: Popularity,
    /// To read its links.
    pub(super) link_reads: Popularity,
    /// To add a link to it.
    pub(super) link_writes: Popularity,
}

impl Choice {
    /// As published.
    pub(super) const PUBLISHED: Self = Self {
        node_reads: Popularity::zipf(0.625),
        node_updates: Popularity::zipf(0.606),
        link_reads: Popularity::zipf(0.8),
        link_writes: Popularity::zipf(0.741),
    };

    /// The same for all.
    pub(super) const fn all(popularity: Popularity) -> Self {
        Self {
            node_reads: popularity,
            node_updates: popularity,
            link_reads: popularity,
            link_writes: popularity,
        }
    }
}

/// The size of a node in bytes.
pub(super) const NODE: ValueSize = ValueSize::Constant(128);

/// The size of a link in bytes.
pub(super) const LINK: usize = 8;

/// The settings of the workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LinkBench {
    /// For the clients' random numbers.
    pub(crate) seed: u64,
    /// How many clients there are.
    pub(crate) clients: u64,
    /// Which run of its cluster it is.
    #[serde(skip)]
    pub(crate) run: RunNumber,
    /// How many partitions nodes are spread over.
    pub(crate) partitions: u8,
    /// How many nodes are loaded.
    pub(crate) nodes: u64,
    /// How many links each of them has.
    pub(crate) links: u64,
    /// How often each of them is chosen.
    pub(crate) popularity: Choice,
    /// The size of a node.
    pub(crate) node_size: ValueSize,
}

impl LinkBench {
    /// The other end of a link of a loaded node. Those of a node are different ones.
    pub(super) fn target(&self, node: u64, link: u64) -> u64 {
        let others = self.nodes - 1;
        let place = (mix(node ^ self.seed) % others + link) % others;
        (node + 1 + place) % self.nodes
    }
}
