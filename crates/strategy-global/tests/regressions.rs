//! Seeds under which strategy global once failed, and why.

use ssmr_core::Execution::{Exchange, Gather};
use ssmr_core::{Oracle, Reads};
use ssmr_sim::{Options, Profile, conformance::passes, simulate};
use ssmr_strategy_global::Global;

/// A replica that learned of several committed entries at once put the signals of the first one
/// behind the link items of the later ones, unlike the replicas that had learned of them one by
/// one.
#[test]
fn several_entries_applied_at_once_keep_the_links_order() {
    passes(&Global.into_shared(), 17, Profile::Stop, Gather);
}

/// Links wait for seconds before they send again what a group that was cut off for long has
/// missed: longer than the simulator waited before it called that a stall.
#[test]
fn what_a_group_missed_while_it_was_cut_off_is_waited_for() {
    let options = Options {
        profile: Profile::Expiry,
        execution: Exchange,
        reads: Reads::Index,
        ..Options::default()
    };
    if let Err(failure) = simulate(&Global.into_shared(), 501_958, options) {
        panic!("{failure}");
    }
}
