//! Seeds under which strategy global once failed, and why.

use ssmr_core::Execution::Gather;
use ssmr_core::Oracle;
use ssmr_sim::{Profile, conformance::passes};
use ssmr_strategy_global::Global;

/// A replica that learned of several committed entries at once put the signals of the first one
/// behind the link items of the later ones, unlike the replicas that had learned of them one by
/// one.
#[test]
fn several_entries_applied_at_once_keep_the_links_order() {
    passes(&Global.into_shared(), 17, Profile::Stop, Gather);
}
