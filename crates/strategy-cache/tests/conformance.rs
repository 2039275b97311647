//! Strategy cache against the conformance suite.

use ssmr_core::Layout;
use ssmr_strategy_cache::Cache;

fn make(layout: Layout) -> Cache {
    Cache::new(layout, 7)
}

ssmr_sim::conformance!(make, "golden", |layout| Cache::new(layout, 8));
