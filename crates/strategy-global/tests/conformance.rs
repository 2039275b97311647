//! Strategy global against the conformance suite.

use ssmr_sim::conformance;
use ssmr_strategy_global::Global;

#[test]
fn survives_all_profiles() {
    let report = conformance::survives(Global::new, 0..10);
    println!("{report}");
}
