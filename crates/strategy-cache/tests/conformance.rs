//! Strategy cache against the conformance suite.

use ssmr_core::Layout;
use ssmr_sim::conformance;
use ssmr_strategy_cache::Cache;
use std::path::Path;

fn make(layout: Layout) -> Cache {
    Cache::new(layout, 7)
}

conformance!(make);

/// Scenario 19: Two runs share one memcached: the second never reads the first one's values.
#[test]
fn two_runs_share_a_cache() {
    let trace = conformance::two_runs_share_a_cache(make, |layout| Cache::new(layout, 8));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    conformance::compare(&folder, "two_runs_share_a_cache", &trace);
}
