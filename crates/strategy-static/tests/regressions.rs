//! Seeds under which strategy static once failed, and why.

use ssmr_core::Execution::Exchange;
use ssmr_core::{Oracle, Reads};
use ssmr_sim::{Options, Profile, conformance::passes, simulate};
use ssmr_strategy_static::Static;

/// A new leader whose log still held items of an incoming link took them for new ones.
#[test]
fn a_new_leaders_incoming_link_behind_its_log() {
    passes(&Static::new().into_shared(), 2, Profile::Cut, Exchange);
}

/// A leader kept a stale belief of who leads another group, and what it sent there was lost for
/// good.
#[test]
fn a_stale_belief_of_another_groups_leader() {
    passes(&Static::new().into_shared(), 34, Profile::Storm, Exchange);
    passes(
        &Static::with_directory().into_shared(),
        22,
        Profile::Storm,
        Exchange,
    );
}

/// The simulator's own fault: a leader whose disk was slow was told to hand over while it stored
/// what it had sent, and stored what came of that first.
#[test]
fn what_is_stored_meanwhile_is_not_overtaken() {
    let options = Options {
        profile: Profile::Storm,
        reads: Reads::Index,
        ..Options::default()
    };
    if let Err(failure) = simulate(&Static::new().into_shared(), 511_465, options) {
        panic!("{failure}");
    }
}
