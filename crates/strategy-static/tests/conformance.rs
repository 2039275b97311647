//! Strategy static against the conformance suite.

use ssmr_sim::conformance;
use ssmr_strategy_static::Static;

#[test]
fn survives_all_profiles() {
    let report = conformance::survives(Static::new, 0..10);
    println!("{report}");
}
