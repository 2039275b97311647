//! Strategy cache against the conformance suite.

use ssmr_sim::conformance;
use ssmr_strategy_cache::Cache;

#[test]
fn survives_all_profiles() {
    let report = conformance::survives(|layout| Cache::new(layout, 7), 0..10);
    println!("{report}");
}
