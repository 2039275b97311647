//! Seeds under which strategy cache once failed, and why.

use ssmr_core::Execution::{Exchange, Gather};
use ssmr_core::Oracle;
use ssmr_sim::{Profile, conformance::passes};
use ssmr_strategy_cache::Cache;

/// A replica that learned of several committed entries at once put the signals of the first one
/// behind the link items of the later ones, unlike the replicas that had learned of them one by
/// one.
#[test]
fn several_entries_applied_at_once_keep_the_links_order() {
    passes(&Cache.into_shared(), 15, Profile::Stop, Gather);
}

/// A leader kept a stale belief of who leads another group, and what it sent there was lost for
/// good.
#[test]
fn a_stale_belief_of_another_groups_leader() {
    passes(&Cache.into_shared(), 41, Profile::Storm, Exchange);
    passes(&Cache.into_shared(), 62, Profile::Storm, Exchange);
}
