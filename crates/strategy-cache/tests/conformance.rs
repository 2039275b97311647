//! Strategy cache against the conformance suite.

use ssmr_core::Topology;
use ssmr_strategy_cache::Cache;

fn make(topology: Topology) -> Cache {
    Cache::new(topology, 7)
}

ssmr_sim::conformance!(make, "golden", |topology| Cache::new(topology, 8));
