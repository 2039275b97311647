//! Seeds under which strategy broker once failed, and why.

use ssmr_core::Execution::Gather;
use ssmr_core::Oracle;
use ssmr_sim::{Profile, conformance::passes};
use ssmr_strategy_broker::Broker;

/// The simulator's fault: it looked for commands under way while twins, whom nobody waits for, went
/// on sending theirs again.
#[test]
fn nobody_waits_for_twins_and_they_go_before_the_end() {
    passes(&Broker.into_shared(), 500_073, Profile::Twins, Gather);
}
