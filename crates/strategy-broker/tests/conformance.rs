//! Strategy broker against the conformance suite.

use ssmr_sim::conformance;
use ssmr_strategy_broker::Broker;

#[test]
fn survives_all_profiles() {
    let report = conformance::survives(Broker::new, 0..10);
    println!("{report}");
}
