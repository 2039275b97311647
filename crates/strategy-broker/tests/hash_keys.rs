//! The key of the hash maps shows nowhere: replicas of one group have different ones.

use ssmr_core::Oracle;
use ssmr_core::keyed_hash::set_hash_key;
use ssmr_sim::{Options, Profile, SimulationReport, simulate};
use ssmr_strategy_broker::Broker;

/// All that a simulation counts, of several seeds and profiles.
fn simulated() -> Vec<SimulationReport> {
    let oracle = Broker.into_shared();
    let profiles = [Profile::Storm, Profile::Calm, Profile::Hostile];
    let runs = profiles
        .into_iter()
        .flat_map(|profile| (0..8).map(move |seed| (profile, seed)));
    let run = |(profile, seed)| {
        let options = Options {
            profile,
            ..Options::default()
        };
        simulate(&oracle, seed, options).unwrap_or_else(|failure| panic!("{failure}"))
    };
    runs.map(run).collect()
}

/// One test in a process of its own, for the key is the process's.
#[test]
fn simulations_are_the_same_under_every_key() {
    let expected = simulated();
    for key in [[1, 2], [u64::MAX, 0x0123_4567_89ab_cdef]] {
        set_hash_key(key);
        assert_eq!(simulated(), expected, "key {key:?}");
    }
}
